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
from course_tools.grading.submissions import grade_ids

DEMO = "demo"
"""The tag of cells that are not needed for grading: trainings, figures."""

GIVEN = 2  # of a case: its name and its call; what is expected comes after


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
    private_probe: str
    """The same with the instructor's private cases; empty if there are none."""
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


def lesson_names() -> list[str]:
    """Return the lessons that can be graded.

    Raises:
        FileNotFoundError: if there are no solutions, without which nothing can be graded.
    """
    folder = PROJECT_ROOT / "solutions"
    names = sorted(path.stem for path in folder.glob("*/*.ipynb") if path.stem == path.parent.name)
    if not names:
        raise FileNotFoundError(f"no lesson in {folder}: only the whole repository can grade")
    return names


def lesson_ids() -> dict[str, set[str]]:
    """Return the lessons that can be graded, with the names of their graded cells."""
    folder = PROJECT_ROOT / "solutions"
    return {name: grade_ids((folder / name / f"{name}.ipynb").read_bytes()) for name in lesson_names()}


def read_lesson(name: str, hidden_tests: Path | None = None, root: Path = PROJECT_ROOT) -> Lesson:
    """Read a lesson from ``solutions``.

    Args:
        name: such as ``01_baseline_scoring``.
        hidden_tests: a folder with further cases, ``<lesson>/<exercise>.py``, each a few ``check.case(...)``.
        root: the folder that holds ``solutions``.

    Raises:
        ValueError: if a file of further cases belongs to no exercise, or is no Python.
    """
    from course_tools import release  # nbgrader, which takes a second and is not needed where work is done

    path = root / "solutions" / name / f"{name}.ipynb"
    released = nbformat.reads(release.student_version(path), as_version=4)
    solved = nbformat.read(path, as_version=4)
    private = {}
    for file in sorted((hidden_tests / name).glob("*.py")) if hidden_tests else ():
        private[file.stem] = file.read_text(encoding="utf-8")
        try:
            ast.parse(private[file.stem])
        except SyntaxError as error:
            raise ValueError(f"{file} is no Python ({error})") from None
    code = "\n".join(cell.source for cell in solved.cells if cell.cell_type == "code")
    # the names of the library's versions of the answers, from ``x = check.best(x, scores.y)``
    references = dict(re.findall(r"\.best\((\w+), [\w.]*?(\w+)\)", code))
    exercises = []  # each a code cell with points, and the answer cell above it
    for learners, cell in zip(released.cells, solved.cells, strict=True):
        known = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and known.get("solution"):
            stub, answer = learners, cell
        if cell.cell_type == "code" and known.get("grade"):
            task = known.grade_id.removesuffix("_check")
            exercise = Exercise(
                name=task,
                answer_id=answer.metadata.nbgrader.grade_id,
                check_id=known.grade_id,
                points=float(known.points),
                stub=stub.source,
                published=answer.source,
                reference=references.get(task, ""),
                check=learners.source,
                probe=probe(cell.source),
                private_probe=probe(cell.source, private[task]) if task in private else "",
                key=key(cell.source, private.get(task, "")),
            )
            exercises.append(exercise)
    if unknown := private.keys() - {exercise.name for exercise in exercises}:
        raise ValueError(f"hidden tests for {', '.join(sorted(unknown))}, but {name} has no such exercise")
    content = path.read_bytes() + repr(sorted(private.items())).encode()
    return Lesson(name, released, solved, tuple(exercises), hashlib.sha256(content).hexdigest())


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
    marked = check.replace("### BEGIN HIDDEN TESTS", "check.hidden = True")
    marked = marked.replace("### END HIDDEN TESTS", "check.hidden = False")
    *body, last = marked.rstrip().split("\n")
    tree = ast.parse("\n".join([*body, "check.hidden = check.private = True", private, last]))
    tree.body.insert(0, ast.ImportFrom("course_lib.lesson.checks.recording", [ast.alias(recorder)], 0))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "Check":
            node.id = recorder
    return ast.fix_missing_locations(tree)


def _cases(tree: ast.Module) -> list[ast.Call]:
    """Return the calls of ``check.case``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "case"]


def _unused(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that only give names to what nothing reads any more.

    A statement that may draw random numbers is none of them, or later draws would differ.
    """
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    unused = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            given = {statement.name}
        elif isinstance(statement, ast.Assign):
            parts = [node for target in statement.targets for node in ast.walk(target)]
            if any(isinstance(part, (ast.Attribute, ast.Subscript)) for part in parts):
                continue  # it changes something that is there
            given = {part.id for part in parts if isinstance(part, ast.Name)}
        else:
            continue
        words = " ".join(getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(statement))
        draws = any(draw in words for draw in ("generator", "rand", "seed"))
        if given.isdisjoint(read) and not draws:
            unused.append(statement)
    return unused
