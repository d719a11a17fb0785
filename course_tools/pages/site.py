"""The course's site: Sphinx turns the pages in ``site/`` and the executed lessons into HTML."""

import copy
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

NOTE = """\
:::{{note}}
This is how the lesson ran on the data of profile `{profile}`, with its exercises unsolved: each check says
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
        page = _as_page(notebook, profile)
        (folder / f"{name}.ipynb").write_text(nbformat.writes(page), encoding="utf-8")


def _as_page(notebook: NotebookNode, profile: str) -> NotebookNode:
    """Return a lesson with a note in place of its set-up, and links to its neighbours on the site."""
    page = copy.deepcopy(notebook)
    page.cells = [cell for cell in page.cells if cell.get("id") != "install"]
    for cell in page.cells:
        if cell.cell_type == "markdown":
            source = re.sub(r"\.\./(\w+)/(\1\.ipynb)", r"\2", cell.source)
            cell.source = re.sub(r"<details>.*?</details>", _with_formulas, source, flags=re.DOTALL)
    page.cells.insert(1, nbformat.v4.new_markdown_cell(NOTE.format(profile=profile), id="how-it-ran"))
    return page


def _with_formulas(hidden: re.Match[str]) -> str:
    """Return HTML with the marks of formulas that MathJax looks for; Sphinx leaves what is HTML as it is."""
    return re.sub(r"\$([^$]+)\$", r'<span class="math">\\(\1\\)</span>', hidden[0])


def build_site(source: Path, output: Path) -> int:
    """Build all pages anew, warnings being errors; return 0, or Sphinx's exit status.

    Args:
        source: ``site``, or a copy of it.
        output: folder of the pages.
    """
    from sphinx.cmd.build import build_main  # seconds to import, for this alone

    shutil.rmtree(source / "api", ignore_errors=True)  # made from api.md, perhaps of an earlier version
    strict = ["--fail-on-warning", "--nitpicky", "--quiet"]
    # a folder of its own each time: what Sphinx remembers of an earlier build gives no warning again
    with TemporaryDirectory() as memory:
        return build_main([*strict, "--doctree-dir", memory, "--builder", "html", str(source), str(output)])
