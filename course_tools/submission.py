"""What a learner hands in: is it complete, and is it packed so that the grader takes it?"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from course_tools.zips import write_zip


@dataclass(frozen=True)
class Work:
    """A lesson as its learner left it."""

    lesson: str
    content: str
    """Of the notebook that is handed in: without outputs, which the grader makes anew."""
    answered: int
    """Exercises and questions with an answer."""
    asked: int
    problems: tuple[str, ...]
    """What costs points or time when it is graded, each with its cure."""


def read_work(path: Path) -> Work:
    """Read a learner's notebook and look for what would trouble the grader.

    Raises:
        ValueError: if it is no notebook; the message says what to do.
    """
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, AttributeError, nbformat.ValidationError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ValueError(f"{path} is no notebook ({reason}); open and save it in JupyterLab") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    answers = [cell for cell in notebook.cells if _known(cell).get("solution")]
    still_open = [
        cell
        for cell in answers
        if "raise NotImplementedError" in cell.source or cell.source.strip() in ("", "YOUR ANSWER HERE")
    ]
    return Work(
        lesson=path.parent.name,
        content=json.dumps(notebook, ensure_ascii=False),
        answered=len(answers) - len(still_open),
        asked=len(answers),
        problems=tuple(dict.fromkeys(_problems(notebook))),
    )


def pack(target: Path, handed_in: list[Work]) -> None:
    """Write a zip with ``<lesson>/<lesson>.ipynb``; one that is there already is replaced at the end.

    Raises:
        OSError: if it cannot be written.
    """
    files = {f"{work.lesson}/{work.lesson}.ipynb": (work.content.encode(), 0o644) for work in handed_in}
    write_zip(target, files)


def _known(cell: NotebookNode) -> dict:
    """Return what nbgrader knows of a cell, empty if it is nothing."""
    known = cell.metadata.get("nbgrader")
    return known if isinstance(known, dict) else {}


def _problems(notebook: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the check cells, then with the answers."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    answers = [cell for cell in code if _known(cell).get("solution")]
    checks = [f"{_known(cell)['grade_id'].removesuffix('_answer')}_check" for cell in answers]
    names = [_known(cell).get("grade_id") for cell in notebook.cells]
    for name in checks:
        if name not in names:
            yield f"{name} is missing; take it from the released lesson"
        elif names.count(name) > 1:
            yield f"{name} is there {names.count(name)} times; delete all but the first"
    for cell in notebook.cells:
        known = _known(cell)
        if known.get("grade_id") in checks and known.get("checksum") != compute_checksum(cell):
            yield f"{known['grade_id']} was edited; take it from the released lesson"
    for cell in answers:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{_known(cell)['grade_id']} is no Python (line {error.lineno}: {error.msg})"
