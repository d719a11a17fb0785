"""What a learner hands in: is it complete, and is it packed so that the grader takes it?"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum


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
    still_open, problems = [], []
    for cell in answers:
        if "raise NotImplementedError" in cell.source or cell.source.strip() in ("", "YOUR ANSWER HERE"):
            still_open.append(cell)
        if cell.cell_type != "code":
            continue
        name = _known(cell)["grade_id"]
        check = f"{name.removesuffix('_answer')}_check"
        found = [other for other in notebook.cells if _known(other).get("grade_id") == check]
        if not found:
            problems.append(f"{check} is missing; take it from the released lesson")
        elif len(found) > 1:
            problems.append(f"{check} is there {len(found)} times; delete all but the first")
        if any(_known(other).get("checksum") != compute_checksum(other) for other in found):
            problems.append(f"{check} was edited; take it from the released lesson")
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            problems.append(f"{name} is no Python (line {error.lineno}: {error.msg})")
    return Work(
        lesson=path.parent.name,
        content=json.dumps(notebook, ensure_ascii=False),
        answered=len(answers) - len(still_open),
        asked=len(answers),
        problems=tuple(dict.fromkeys(problems)),
    )


def _known(cell: NotebookNode) -> dict:
    """Return what nbgrader knows of a cell, empty if it is nothing."""
    known = cell.metadata.get("nbgrader")
    return known if isinstance(known, dict) else {}
