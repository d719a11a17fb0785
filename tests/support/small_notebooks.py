"""Small lessons, made on the spot."""

import copy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_tools.commands import grade
from course_tools.grading import gradebook, lesson
from course_tools.grading.lesson import Lesson

ANSWER = "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
CHECK = (
    'check = Check("twice", points=2)\ncheck.case("two", lambda: twice(2), 4)\n'
    '### BEGIN HIDDEN TESTS\ncheck.case("three", lambda: twice(3), 6)\n### END HIDDEN TESTS\ncheck.points()'
)
ESSAY = "### BEGIN SOLUTION\nBecause two is even.\n### END SOLUTION"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
SETUP = "from course_lib.lesson.checks import Check"


def nbgrader(grade_id: str, **chosen) -> dict:
    """Return the metadata of an answer or a check cell."""
    common = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {"nbgrader": common | {"grade_id": grade_id} | chosen}


def _by_a_person(number: int) -> dict:
    """Return the metadata of an answer in words."""
    return nbgrader(f"why{number}_essay", grade=True, solution=True, points=2)


def write_lesson(
    path: Path,
    answer: str = ANSWER,
    check: str = CHECK,
    more: tuple[str, ...] = (),
    essays: tuple[str, ...] = (),
) -> Path:
    """Write a lesson with one exercise and, below it, more code cells and answers in words."""
    cells = [
        new_markdown_cell("# 7 A lesson\n$1 + 1 = 2$, and [the next](../08_more/08_more.ipynb).", id="a"),
        new_code_cell(SETUP, id="b"),
        new_code_cell(answer, id="c", metadata=nbgrader("twice_answer", solution=True)),
        new_code_cell(check, id="d", metadata=nbgrader("twice_check", grade=True, locked=True, points=2)),
        *(new_code_cell(code, id=f"e{n}") for n, code in enumerate(more)),
        *(new_markdown_cell(text, id=f"f{n}", metadata=_by_a_person(n)) for n, text in enumerate(essays)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=KERNEL)) + "\n", encoding="utf-8")
    return path


def teach_only(name: str, root: Path, monkeypatch: pytest.MonkeyPatch, **more: tuple[str, ...]) -> None:
    """Make a folder the course that is graded, with one small lesson; ``more`` goes to ``write_lesson``."""
    write_lesson(root / "solutions" / name / f"{name}.ipynb", **more)
    for module in (lesson, gradebook, grade):
        monkeypatch.setattr(module, "PROJECT_ROOT", root)
    monkeypatch.setattr(lesson.read_lesson, "__defaults__", (None, root))


def answered(lesson: Lesson, answers: dict[str, str]) -> nbformat.NotebookNode:
    """Return the learners' notebook with some answers in it."""
    cells = {
        exercise.answer_id: answers[exercise.name]
        for exercise in lesson.exercises
        if exercise.name in answers
    }
    written = copy.deepcopy(lesson.released)
    for cell in written.cells:
        cell.source = cells.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    return written
