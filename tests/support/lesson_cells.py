"""Run single cells of a lesson: an answer, its check, and what both need from cells above."""

import ast
import builtins
import contextlib
import io
import os
import pickle
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from course_tools import release

WORTH_A_PROCESS = 0.3
"""Seconds of processor time; to fork takes a tenth of it."""


class Exercise(NamedTuple):
    """One exercise of a lesson, with the cells above it."""

    name: str
    """Of the function or class that the learner writes."""
    above: list[str]
    """The code of all cells above the answer, solved."""
    answer: str
    """The solved answer cell."""
    stub: str
    """The learners' answer cell."""
    check: str
    """The learners' check cell, without hidden tests."""
    hidden_check: str
    """The check cell with hidden tests."""
    points: float


def exercises(source: Path) -> list[Exercise]:
    """Return the exercises of a solved notebook."""
    solved = _code_cells(nbformat.read(source, as_version=4))
    unsolved = _code_cells(nbformat.reads(release.student_version(source), as_version=4))
    found = []
    for at, cell in enumerate(solved):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            check = solved[at + 1]
            found.append(
                Exercise(
                    name=cell.metadata.nbgrader.grade_id.removesuffix("_answer"),
                    above=[before.source for before in solved[:at]],
                    answer=cell.source,
                    stub=unsolved[at].source,
                    check=unsolved[at + 1].source,
                    hidden_check=check.source,
                    points=check.metadata.nbgrader.points,
                )
            )
    return found


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def checked(exercise: Exercise, answer: str, check: str) -> tuple[float, str]:
    """Run an answer cell and a check cell below what they need; return the points and the report.

    Where that takes long, it is run once for all answers: each has a process of its own and changes nothing.
    """
    space = _prepared.space_of(_needed(exercise.above, answer + "\n" + check))
    if _prepared.seconds < WORTH_A_PROCESS or not hasattr(os, "fork"):
        _prepared.forget()
        return _points_and_report(space, answer, check)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:  # whatever happens, this process goes no further
            with os.fdopen(writing, "wb") as file:
                try:
                    pickle.dump(_points_and_report(space, answer, check), file)
                except BaseException:
                    pickle.dump(traceback.format_exc(), file)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        found = pickle.load(file)
    os.waitpid(child, 0)
    assert not isinstance(found, str), found
    return found


def _points_and_report(space: dict, answer: str, check: str) -> tuple[float, str]:
    """Run both cells."""
    body, last = check.rstrip().rsplit("\n", 1)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(answer, space)
        exec(body, space)
    with contextlib.redirect_stdout(io.StringIO()) as report:
        points = eval(last, space)
    return points, report.getvalue()


class _Prepared:
    """Cells that were run, and what they defined."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.cells: list[str] = []
        self.space: dict = {"__name__": "__main__"}
        self.seconds = 0.0

    def space_of(self, cells: list[str]) -> dict:
        """Return what cells define; those that were run before are not run again if they come first."""
        if self.cells != cells[: len(self.cells)]:
            self.forget()
        before = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            for code in cells[len(self.cells) :]:
                exec(code, self.space)
                self.cells.append(code)
        self.seconds += time.process_time() - before
        return self.space


_prepared = _Prepared()


def _needed(above: list[str], code: str) -> list[str]:
    """Return those cells above, in order, that define what ``code`` uses, directly or through each other."""
    chosen: list[str] = []
    wanted = _used(code)
    for cell in reversed(above):
        if _defined(cell) & wanted:
            chosen.append(cell)
            wanted = wanted - _defined(cell) | _used(cell)
    return chosen[::-1]


def _used(code: str) -> set[str]:
    """Return the names that code reads before it defines them itself."""
    needed: set[str] = set()
    known = set(dir(builtins))
    for node in ast.parse(code).body:
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        needed |= read - known - _names_of_its_own(node)
        known |= _defined_by(node)
    return needed


def _names_of_its_own(node: ast.stmt) -> set[str]:
    """Return the names that a loop, a function or a comprehension in a statement gives values to."""
    blocks = (ast.For, ast.FunctionDef, ast.ClassDef, ast.comprehension, ast.arguments)
    inside = [n for block in ast.walk(node) if isinstance(block, blocks) for n in ast.walk(block)]
    stored = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in inside if isinstance(n, ast.arg)}


def _defined(code: str) -> set[str]:
    """Return the names that code defines at its top level."""
    return set().union(*map(_defined_by, ast.parse(code).body))


def _defined_by(node: ast.stmt) -> set[str]:
    """Return the names that one statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name for alias in node.names}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
