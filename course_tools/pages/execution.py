"""Execute lessons from the first cell to the last, and keep them as they ran."""

import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_grade

from course_lib.runtime import write_atomically

LONGEST_CELL = 600
"""Seconds before a cell is taken to hang."""

RAN = "course_run"
"""The notebook's metadata that say what was executed, and on whose data."""


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
    return {"sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "profile": profile}
