"""Execute lessons from the first cell to the last, and keep them as they ran."""

import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

WIDGET = "application/vnd.jupyter.widget-view+json"
MEMORY_PROBE = "from course_lib.runtime import peak_memory; peak_memory()"


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
    probe = nbformat.v4.new_code_cell(MEMORY_PROBE)
    notebook.cells.append(probe)
    started, error = time.monotonic(), ""
    try:
        _client(notebook, path.parent, finished_cell).execute()
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


class _OwnKernel(AsyncKernelManager):
    """Starts this Python, never one that the user has registered under the same name."""

    def __init__(self, **options: Any) -> None:
        """Look for kernels in no folder, which leaves that of this Python."""
        super().__init__(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **options)


def _client(notebook: NotebookNode, folder: Path, finished_cell: Callable[[], None]) -> NotebookClient:
    """Return what executes a notebook in its own folder, with the kernel of this Python and no other."""
    return NotebookClient(
        notebook,
        kernel_manager_class=_OwnKernel,
        timeout=LONGEST_CELL,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_executed=lambda **_: finished_cell(),
    )


def without_widgets(notebook: NotebookNode) -> NotebookNode:
    """Return a copy where nothing moves: explorers as their first picture, and no progress bars."""
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("widgets", None)
    for cell in shown.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_moves(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)
    return shown


def _only_moves(output: NotebookNode) -> bool:
    """Tell whether an output is a widget without a picture in its place."""
    kinds = output.get("data", {})
    return WIDGET in kinds and "text/html" not in kinds


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
