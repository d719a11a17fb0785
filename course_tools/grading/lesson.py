"""What the grader knows of a lesson: the learners' version, its exercises, and code that tells what is right.

From each check cell two programs are made: a *probe*, which hands over what the answer returns and knows
nothing of what is expected, and a *key*, which hands over what is expected and calls nothing of the answer's.
"""

import ast
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.runtime import PROJECT_ROOT
from course_tools import release

DEMO = "demo"
"""The tag of cells that are not needed for grading: trainings, figures."""

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
RECORDING = "course_lib.lesson.checks.recording"
GIVEN = 2  # of a case: its name and its call; what is expected comes after
DRAWS = ("generator", "rand", "seed")  # a statement that draws stays, or later draws would differ


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
    """The name of the library's own version; empty if there is none."""
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
    """Return the names of the library's versions of the answers, from ``x = check.best(x, scores.y)``."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return dict(re.findall(r"\.best\((\w+), [\w.]*?(\w+)\)", code))


def probe(check: str, private: str = "") -> str:
    """Return code that notes what each case of a check returns, without what is expected.

    Args:
        check: the check cell of the solved lesson, hidden tests included.
        private: further cases.
    """
    tree = _recording(check, private, "Recorder")
    for case in _cases(tree):
        case.args, case.keywords = case.args[:GIVEN], []
    while dead := _unused(tree):
        tree.body = [statement for statement in tree.body if statement not in dead]
    return ast.unparse(tree)


def key(check: str, private: str = "") -> str:
    """Return code that notes what each case of a check expects, and calls nothing of the answer's.

    What is expected becomes a function, which the recorder calls when it is ready.
    """
    tree, nothing = _recording(check, private, "KeyRecorder"), ast.arguments([], [], None, [], [], None, [])
    for case in _cases(tree):
        if len(case.args) > GIVEN:
            case.args[GIVEN] = ast.Lambda(nothing, case.args[GIVEN])
        for keyword in case.keywords:
            if keyword.arg == "expected":
                keyword.value = ast.Lambda(nothing, keyword.value)
    return ast.unparse(ast.fix_missing_locations(tree))


def _recording(check: str, private: str, recorder: str) -> ast.Module:
    """Return a check with the private cases, where hidden ones are marked and a recorder is the ``Check``."""
    marked = check.replace(BEGIN, "check.hidden = True").replace(END, "check.hidden = False")
    *body, last = marked.rstrip().split("\n")
    tree = ast.parse("\n".join([*body, "check.hidden = True", private, last]))
    tree.body.insert(0, ast.ImportFrom(RECORDING, [ast.alias(recorder)], 0))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "Check":
            node.id = recorder
    return ast.fix_missing_locations(tree)


def _cases(tree: ast.Module) -> list[ast.Call]:
    """Return the calls of ``check.case``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "case"]


def _unused(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that only give names to what nothing reads any more, and draw nothing."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    return [
        statement
        for statement in tree.body
        if (given := _names(statement)) and given.isdisjoint(read) and not _draws(statement)
    ]


def _names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives, if it does nothing else."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    parts = [node for target in targets for node in ast.walk(target)]
    if any(isinstance(part, (ast.Attribute, ast.Subscript)) for part in parts):
        return set()  # it changes something that is there
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _draws(statement: ast.stmt) -> bool:
    """Tell whether a statement may draw random numbers."""
    words = [getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(statement)]
    return any(draw in word for word in words for draw in DRAWS)
