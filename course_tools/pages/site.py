"""The course's site: Sphinx turns the pages in ``site/`` and the executed lessons into HTML.

Nothing in it asks the network for anything. ``index_page`` leads into it from ``results/``.
"""

import copy
import html
import importlib.util
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

from course_lib.runtime import PROJECT_ROOT
from course_tools.pages.execution import Executed

SOURCE = PROJECT_ROOT / "site"
"""The folder of the pages that are written by hand."""

NOTE = """\
:::{{note}}
This is how the lesson ran on the data of profile `{profile}`. Where an exercise is unsolved, its check says
so, and the lesson goes on with the library's version. To work in it: `python3 start.py lab`.
:::"""


def write_lesson_sources(executed: Mapping[str, NotebookNode], profile: str, folder: Path) -> None:
    """Write executed lessons as pages for Sphinx; what else the folder holds of earlier ones goes.

    Args:
        executed: by name, as ``kept`` returns them.
        profile: on whose data they ran.
        folder: ``site/lessons``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.ipynb"):
        stale.unlink()
    for name, notebook in executed.items():
        page = copy.deepcopy(notebook)
        page.cells = [cell for cell in page.cells if cell.get("id") != "install"]
        for cell in page.cells:
            if cell.cell_type == "markdown":  # links lead to the neighbours on the site
                source = re.sub(r"\.\./(\w+)/(\1\.ipynb)", r"\2", cell.source)
                cell.source = re.sub(r"<details>.*?</details>", _with_formulas, source, flags=re.DOTALL)
        page.cells.insert(1, nbformat.v4.new_markdown_cell(NOTE.format(profile=profile), id="how-it-ran"))
        (folder / f"{name}.ipynb").write_text(nbformat.writes(page), encoding="utf-8")


def _with_formulas(hidden: re.Match[str]) -> str:
    """Return HTML with the marks of formulas that MathJax looks for; Sphinx leaves what is HTML as it is."""
    return re.sub(r"\$([^$]+)\$", r'<span class="math">\\(\1\\)</span>', hidden[0])


def obstacle() -> str:
    """Return why no pages can be built here, and what to do; empty if they can."""
    needed = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "sphinx-mathjax-offline")
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        return f"pages need {', '.join(missing)}; install them: pip install -e '.[site]'"
    if not (SOURCE / "conf.py").is_file():
        return f"pages need {SOURCE}, which comes with the whole course"
    return ""


def build_site(source: Path, output: Path, strict: bool = True) -> int:
    """Build all pages anew; return 0, or Sphinx's exit status.

    Args:
        source: ``site``, or a copy of it.
        output: folder of the pages.
        strict: take warnings for errors; else they are not even shown, for lessons that somebody works in.
    """
    from sphinx.cmd.build import build_main  # seconds to import, for this alone

    shutil.rmtree(source / "api", ignore_errors=True)  # made from api.md, perhaps of an earlier version
    manner = ["--fail-on-warning", "--nitpicky", "--quiet"] if strict else ["--silent"]
    # a folder of its own each time: what Sphinx remembers of an earlier build gives no warning again
    with TemporaryDirectory() as memory:
        return build_main([*manner, "--doctree-dir", memory, "--builder", "html", str(source), str(output)])


def index_page(lessons: Sequence[Executed], profile: str) -> str:
    """Return the page that leads to all executed lessons, and says how each went.

    Args:
        lessons: in the order of the course.
        profile: on whose data they ran.
    """
    entries = "\n".join(
        f'<li><a href="site/lessons/{lesson.name}.html">{html.escape(lesson.title)}</a>: '
        f"{html.escape(lesson.summary)}</li>"
        for lesson in lessons
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Road anomalies: the executed lessons</title></head>"
        '<body style="font: 1.1em/1.7 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em">'
        "<h1>Real-Time Anomaly Segmentation for Road Scenes</h1>"
        f"<p>The lessons as they ran on this machine, profile <code>{html.escape(profile)}</code>. "
        "To work in them: <code>python3 start.py lab</code>.</p>"
        f'<ul>\n{entries}\n</ul><p><a href="site/index.html">The whole site</a></p></body></html>\n'
    )
