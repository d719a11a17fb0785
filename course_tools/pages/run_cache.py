"""Executed lessons kept on disk, so that the site shows them without another run."""

import hashlib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.runtime import write_atomically
from course_tools.pages.execution import Executed
from course_tools.pages.static_output import without_widgets

RUN = "course_run"
"""The notebook's metadata that say what was executed, and on whose data."""


def keep(lesson: Executed, source: Path, profile: str, folder: Path) -> None:
    """Write an executed lesson as a notebook where nothing moves.

    One that did not run to its end is not kept, nor an earlier one of its name.

    Args:
        lesson: after its run.
        source: the notebook that was executed.
        profile: on whose data.
        folder: for the notebooks of all lessons.
    """
    path = folder / f"{lesson.name}.ipynb"
    if lesson.error:
        path.unlink(missing_ok=True)
        return
    notebook = without_widgets(lesson.notebook)
    notebook.metadata[RUN] = _run_of(source, profile)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, nbformat.writes(notebook).encode())


def kept(source: Path, profile: str, folder: Path) -> NotebookNode | None:
    """Return what was kept of a lesson; None if there is none, or its source or the profile is another."""
    path = folder / source.name
    if not path.is_file():
        return None
    notebook = nbformat.read(path, as_version=4)
    return notebook if notebook.metadata.get(RUN) == _run_of(source, profile) else None


def _run_of(source: Path, profile: str) -> dict[str, str]:
    """Return what tells one run from another."""
    return {"sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "profile": profile}
