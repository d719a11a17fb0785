"""How Sphinx builds the site: ``python3 start.py site``. No page asks another host for anything."""

import importlib
import pkgutil
import re
from inspect import ismodule
from pathlib import Path

from docutils import nodes

import course_lib
from course_lib import __version__
from course_tools.release import repository

project = "Real-Time Anomaly Segmentation for Road Scenes"
html_title = "Road anomalies"
author = copyright = "The course contributors"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",  # sets mathjax_path to its own copy
]
templates_path = ["_templates"]
exclude_patterns = [
    "demo",  # code
    "results/*/table*.md",
    "results/*/objects.md",
    "results/*/findings.md",
    "results/*/how.md",
    "results/*/short.md",
]  # parts of pages, to download
if not tags.has("demo"):  # noqa: F821, Sphinx defines it; course_tools/demo.py says when
    exclude_patterns.append("try_it.md")
smartquotes_action = "q"  # quotes alone: -- begins an option

TRY_IT = Path(__file__).with_name("try_it.md").is_file() and "try_it.md" not in exclude_patterns

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath", "substitution"]
myst_substitutions = {  # of index.md: nothing leads where nothing is
    "try_it": "[Try it in your browser](try_it.md)" if TRY_IT else "",
    "repository": f"[the repository]({repository()})" if repository() else "the repository",
}
myst_heading_anchors = 3
nb_execution_mode = "off"  # the command executes the lessons
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_ipywidgets_js = {}  # a page without a kernel has no use for them

autodoc_default_options = {"members": True, "exclude-members": "set"}  # matplotlib makes one for each figure
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True  # PROJECT_ROOT, not where it is on this machine
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
napoleon_numpy_docstring = False
nitpick_ignore_regex = [("py:.*", r"(?!course_lib).*")]  # other libraries are documented elsewhere

# what a package imports in its __init__ is what it offers, and belongs on its page
for found in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
    if found.ispkg:
        package = importlib.import_module(found.name)
        package.__all__ = [
            name for name, value in vars(package).items() if name[0] != "_" and not ismodule(value)
        ]

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_domain_indices = False  # api.md lists the modules
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo_dark.svg",
        "text": html_title,
        "alt_text": "An animal of orange squares on a road",
    },
    "repository_url": repository(),
    "use_repository_button": bool(repository()),
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "max_navbar_depth": 1,  # deeper levels would have buttons without a name
    "use_download_button": False,
    "use_fullscreen_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app):
    """Mend four things before and after what Sphinx and its extensions make of them."""
    app.connect("doctree-read", set_dashes)
    app.connect("source-read", lead_links)
    app.connect("html-page-context", tell_readers)
    app.connect("autodoc-process-docstring", keep_colons, priority=900)  # after napoleon


def set_dashes(app, doctree):
    """Make dashes of the two hyphens that Sphinx puts behind the name of an argument."""
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))


def lead_links(app, name, content):
    """Let links that work in the repository work here, and take those to a demo that was left out away."""
    content[0] = re.sub(r"\]\(\.\./notebooks/(\w+)/\1\.ipynb", r"](lessons/\1.ipynb", content[0])
    if name.startswith("results/"):
        content[0] = re.sub(r"\]\((\w+\.md)\)", r"](path:\1)", content[0])
    if not app.tags.has("demo"):
        content[0] = re.sub(r"\[([^]]+)\]\(try_it\.md\)", r"\1", content[0])


def tell_readers(app, name, template, context, doctree):
    """Let programs that read a page aloud say what is there: words of buttons, no lists without terms."""
    body = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")
    body = re.sub(r'<dl>(?=\s*<dd><em class="sig-param")', '<dl role="presentation">', body)
    context["body"] = body.replace(
        '<dd><em class="sig-param"', '<dd role="presentation"><em class="sig-param"'
    )


def keep_colons(app, what, name, documented, options, lines):
    """Give sentences the words before their colon back: napoleon takes them for a type."""
    text = "\n".join(lines)
    if what in ("attribute", "data"):
        text = re.sub(r"\A(.*?)\n+:type: (.*)", r"\2: \1", text, flags=re.DOTALL)
    text = re.sub(r"^(:returns:) ((?:.|\n)*?)\n+:rtype: (.*)$", r"\1 \3: \2", text, flags=re.MULTILINE)
    lines[:] = text.split("\n")
