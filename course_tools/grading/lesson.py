"""What the grader knows of a lesson: the learners' version, its exercises, and what is right."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.runtime import PROJECT_ROOT
from course_tools import release
from course_tools.grading.probe import key, probe

DEMO = "demo"
"""The tag of cells that are not needed for grading: trainings, figures."""


@dataclass(frozen=True)
class Exercise:
    """An answer and the check below it."""

    name: str
    """Of the function or class that the learner writes."""
    answer_id: str
    check_id: str
    points: float
    stub: str
    """The learners' answer cell."""
    published: str
    """The answer in solutions/."""
    reference: str
    """The library's own version, such as ``scores.msp``; empty if there is none."""
    check: str
    """The learners' check cell."""
    probe: str
    """Code that notes what the answer returns."""
    key: str
    """Code that notes what is right."""


@dataclass(frozen=True)
class Lesson:
    """A lesson as the grader needs it."""

    name: str
    released: NotebookNode
    """The learners' version, without hidden tests."""
    solved: NotebookNode
    exercises: tuple[Exercise, ...]
    fingerprint: str
    """Changes with the lesson, its hidden and its private tests."""

    @property
    def points(self) -> float:
        """The most that its exercises give."""
        return sum(exercise.points for exercise in self.exercises)


def lesson_names(root: Path = PROJECT_ROOT) -> list[str]:
    """Return the lessons that can be graded.

    Raises:
        FileNotFoundError: if there are no solutions, without which nothing can be graded.
    """
    names = sorted(
        path.stem for path in (root / "solutions").glob("*/*.ipynb") if path.stem == path.parent.name
    )
    if not names:
        raise FileNotFoundError(f"no lesson in {root / 'solutions'}: only the whole repository can grade")
    return names


def read_lesson(name: str, hidden_tests: Path | None = None, root: Path = PROJECT_ROOT) -> Lesson:
    """Read a lesson from ``solutions``.

    Args:
        name: such as ``01_baseline_scoring``.
        hidden_tests: a folder with further cases, ``<lesson>/<exercise>.py``, each a few ``check.case(...)``.
        root: the folder that holds ``solutions``.

    Raises:
        ValueError: if a file of further cases belongs to no exercise, or is no Python.
    """
    path = root / "solutions" / name / f"{name}.ipynb"
    released = nbformat.reads(release.student_version(path), as_version=4)
    solved = nbformat.read(path, as_version=4)
    private = _private(hidden_tests / name if hidden_tests else None)
    exercises = tuple(_exercises(released, solved, private))
    if unknown := private.keys() - {exercise.name for exercise in exercises}:
        raise ValueError(f"hidden tests for {', '.join(sorted(unknown))}, but {name} has no such exercise")
    content = path.read_bytes() + repr(sorted(private.items())).encode()
    return Lesson(name, released, solved, exercises, hashlib.sha256(content).hexdigest())


def _private(folder: Path | None) -> dict[str, str]:
    """Return an instructor's further cases by the name of the exercise."""
    files = sorted(folder.glob("*.py")) if folder and folder.is_dir() else []
    for file in files:
        try:
            ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise ValueError(f"{file} is no Python ({error})") from None
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def _exercises(released: NotebookNode, solved: NotebookNode, private: dict[str, str]) -> list[Exercise]:
    """Return the exercises of a lesson: each code cell with points, and the answer above it."""
    references = _references(solved)
    found = []
    for at, cell in enumerate(solved.cells):
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"):
            before = max(n for n, above in enumerate(solved.cells[:at]) if _is_answer(above))
            name = cell.metadata.nbgrader.grade_id.removesuffix("_check")
            further = private.get(name, "")
            found.append(
                Exercise(
                    name=name,
                    answer_id=solved.cells[before].metadata.nbgrader.grade_id,
                    check_id=cell.metadata.nbgrader.grade_id,
                    points=float(cell.metadata.nbgrader.points),
                    stub=released.cells[before].source,
                    published=solved.cells[before].source,
                    reference=references.get(name, ""),
                    check=released.cells[at].source,
                    probe=probe(cell.source, further),
                    key=key(cell.source, further),
                )
            )
    return found


def _is_answer(cell: NotebookNode) -> bool:
    """Tell whether learners write code into a cell."""
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _references(notebook: NotebookNode) -> dict[str, str]:
    """Return the library's versions of the answers, from ``x = check.best(x, scores.x)``."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and ".best(" in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == "best"
                ):
                    mine, theirs = node.args
                    found[ast.unparse(mine)] = ast.unparse(theirs)
    return found
