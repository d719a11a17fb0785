"""Run the lessons headless, keep them as they ran, and show them as pages that need no network.

Sphinx turns the pages in ``site/`` and the executed lessons into HTML; ``index_page`` leads there from
``results/``.
"""

import copy
import html
import importlib.util
import math
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_grade

from course_lib.runtime import PROJECT_ROOT, sha256_of, write_atomically
from course_tools import demo

LONGEST_CELL = 600
"""Seconds before a cell is taken to hang."""

RAN = "course_run"
"""The notebook's metadata that say what was executed, and on whose data."""

SOURCE = PROJECT_ROOT / "site"
"""The folder of the pages that are written by hand."""

AS_IT_RAN = """\
:::{{note}}
This is how the lesson ran on the data of profile `{profile}`. Where an exercise is unsolved, its check says
so, and the lesson goes on with the library's version. To work in it: `python3 start.py lab`.
:::"""

AS_RELEASED = """\
:::{{note}}
This is the lesson before anybody has worked in it, on the data of profile `{profile}`. The exercises are
yours to solve; here the lesson goes on with the library's versions. To work in it: `python3 start.py lab`.
:::"""


@dataclass(frozen=True)
class Executed:
    """A lesson as it ran."""

    name: str
    """Of its folder, such as ``01_baseline_scoring``."""
    notebook: NotebookNode
    """With outputs."""
    seconds: float
    peak_gb: float
    """The most memory that its process held, in gigabytes; NaN if a cell failed."""
    points: float
    """What the checks gave, read as nbgrader does."""
    most_points: float
    """What the checks can give; points that a person gives for an answer in words are not among them."""
    error: str = ""
    """What stopped it; empty if it ran to its end."""

    @property
    def title(self) -> str:
        """Its first heading; its name if there is none."""
        lines = [line for cell in self.notebook.cells for line in cell.source.splitlines()]
        return next((line[2:] for line in lines if line.startswith("# ")), self.name)

    @property
    def summary(self) -> str:
        """How it went, in one line."""
        if self.error:
            return f"STOPPED, {self.error.splitlines()[-1]}"
        memory = "" if math.isnan(self.peak_gb) else f", {self.peak_gb:.2f} GB of memory"
        return f"ran in {self.seconds:.1f} s{memory}; {self.points:g} of {self.most_points:g} points"


def execute(path: Path, finished_cell: Callable[[], None] = lambda: None) -> Executed:
    """Run a notebook in a fresh process of this Python; the file is not changed.

    Args:
        path: of the notebook.
        finished_cell: called after each code cell, for a progress bar.
    """
    notebook = nbformat.read(path, as_version=4)
    probe = nbformat.v4.new_code_cell("from course_lib.runtime import peak_memory; peak_memory()")
    notebook.cells.append(probe)
    client = NotebookClient(
        notebook,
        # no folder is looked into for kernels, which leaves this Python's: never one that the user registered
        km=AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[])),
        timeout=LONGEST_CELL,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_executed=lambda **_: finished_cell(),
    )
    started, error = time.monotonic(), ""
    try:
        client.execute(cleanup_kc=True)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as stopped:
        error = strip_ansi(str(stopped)).strip()
    notebook.cells.remove(probe)
    checks = [cell for cell in notebook.cells if cell.cell_type == "code" and is_grade(cell)]
    graded = [determine_grade(cell) for cell in checks if cell.get("execution_count")]
    return Executed(
        name=path.stem,
        notebook=notebook,
        seconds=time.monotonic() - started,
        peak_gb=float(probe.outputs[0].data["text/plain"]) if probe.outputs else float("nan"),
        points=sum(points for points, _ in graded),
        most_points=sum(cell.metadata.nbgrader.points for cell in checks),
        error=error,
    )


def without_widgets(notebook: NotebookNode) -> NotebookNode:
    """Return a copy where nothing moves: explorers as their first picture, and no progress bars."""
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("widgets", None)
    for cell in shown.cells:
        if cell.cell_type == "code":
            outputs, cell.outputs = cell.outputs, []
            for output in outputs:
                kinds = output.get("data", {})
                moves = kinds.pop("application/vnd.jupyter.widget-view+json", None) is not None
                if not moves or "text/html" in kinds:  # else it is a widget without a picture in its place
                    cell.outputs.append(output)
    return shown


def keep(lesson: Executed, source: Path, profile: str, folder: Path) -> None:
    """Write an executed lesson as a notebook where nothing moves.

    One that did not run to its end is not kept, nor an earlier one of its name.

    Args:
        lesson: as it ran.
        source: the notebook that was executed.
        profile: on whose data.
        folder: for the notebooks of all lessons.
    """
    path = folder / f"{lesson.name}.ipynb"
    if lesson.error:
        path.unlink(missing_ok=True)
        return
    notebook = without_widgets(lesson.notebook)
    notebook.metadata[RAN] = _origin(source, profile)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, nbformat.writes(notebook).encode())


def kept(source: Path, profile: str, folder: Path) -> NotebookNode | None:
    """Return what was kept of a lesson; None if there is none, or its source or the profile is another."""
    path = folder / source.name
    if not path.is_file():
        return None
    notebook = nbformat.read(path, as_version=4)
    return notebook if notebook.metadata.get(RAN) == _origin(source, profile) else None


def _origin(source: Path, profile: str) -> dict[str, str]:
    """Return what an executed lesson was made of."""
    return {"sha256": sha256_of(source), "profile": profile}


def write_lesson_sources(
    executed: Mapping[str, NotebookNode], profile: str, folder: Path, released: bool = False
) -> None:
    """Write executed lessons as pages for Sphinx; what else the folder holds of earlier ones goes.

    Args:
        executed: by name, as ``kept`` returns them.
        profile: on whose data they ran.
        folder: ``site/lessons``.
        released: they are nobody's work: what checks said of it and the panel of progress are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.ipynb"):
        stale.unlink()
    note = (AS_RELEASED if released else AS_IT_RAN).format(profile=profile)
    left_out = {"install", "progress"} if released else {"install"}
    for name, notebook in executed.items():
        page = copy.deepcopy(notebook)
        page.cells = [cell for cell in page.cells if cell.get("id") not in left_out]
        for cell in page.cells:
            if cell.metadata.get("jupyter", {}).get("source_hidden"):  # for MyST-NB
                cell.metadata.tags = [*cell.metadata.get("tags", []), "hide-input"]
            if cell.cell_type == "markdown":  # links lead to the neighbours, and to pages, on the site
                source = re.sub(r"\.\./(\w+)/(\1\.ipynb)", r"\2", cell.source)
                source = re.sub(r"\]\(\.\./\.\./site/(\w+\.md)", r"](../\1", source)
                cell.source = re.sub(r"<details>.*?</details>", _with_formulas, source, flags=re.DOTALL)
            elif released and is_grade(cell):
                cell.outputs = []
        page.cells.insert(1, nbformat.v4.new_markdown_cell(note, id="how-it-ran"))
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
    """Build all pages anew; return 0, or Sphinx's exit status. Without npm, "Try it" is left out.

    Args:
        source: ``site``, or a copy of it.
        output: folder of the pages.
        strict: take warnings for errors; else they are not even shown, for lessons that somebody works in.

    Raises:
        ValueError: if npm is missing on CI.
    """
    from sphinx.cmd.build import build_main  # seconds to import, for this alone

    shutil.rmtree(source / "api", ignore_errors=True)  # made from api.md, perhaps of an earlier version
    manner = ["--fail-on-warning", "--nitpicky", "--quiet"] if strict else ["--silent"]
    if demo.build(source / "demo", output / "demo"):
        manner += ["--tag", "demo"]
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
