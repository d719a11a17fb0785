"""From what was handed in to what is run: check cells as released, and a list of what to look at."""

import ast
import copy
from collections import defaultdict
from dataclasses import dataclass, field

from nbformat import NotebookNode

from course_tools.grading.lesson import DEMO, Exercise, Lesson

LIBRARY = "course_lib"
SHORT = 3  # statements; two right answers of this length are often alike


@dataclass
class Submission:
    """A notebook ready to be run."""

    cells: list[NotebookNode]
    """In the order in which they are run and shown; every check cell is the released one."""
    alarms: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What is wrong with the cells of an exercise, by its name; its points need a look."""


def restore(notebook: NotebookNode, lesson: Lesson) -> Submission:
    """Put the released check cells back where they belong, and note what was done to them.

    Args:
        notebook: that was handed in.
        lesson: whose it should be.

    Returns:
        The cells with the metadata they were released with: neither points nor tags are the submission's.
    """
    submission = Submission([])
    graded = {cell.metadata.nbgrader.grade_id: cell for cell in lesson.released.cells if _id(cell)}
    seen: set[str] = set()
    for cell in notebook.cells:
        if (name := _id(cell)) not in graded:
            submission.cells.append(_own(cell, lesson))
        elif name in seen:
            _repeated(cell, name, lesson, submission)
        else:
            seen.add(name)
            submission.cells.append(_released(cell, graded[name], lesson, submission))
    for name in [name for name in graded if name not in seen]:
        _missing(name, graded, lesson, submission)
    _in_order(lesson, submission)
    return submission


def _id(cell: NotebookNode) -> str:
    """Return the name nbgrader knows a cell by, empty if it has none."""
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _own(cell: NotebookNode, lesson: Lesson) -> NotebookNode:
    """Return a cell without points, with nothing but the tags it was released with."""
    demos = [known for known in lesson.released.cells if DEMO in known.metadata.get("tags", [])]
    is_demo = any(cell.get("id") == known.id or cell.source == known.source for known in demos)
    plain = copy.deepcopy(cell)
    plain.metadata = NotebookNode({"tags": [DEMO]} if is_demo and cell.cell_type == "code" else {})
    return plain


def _released(
    cell: NotebookNode, original: NotebookNode, lesson: Lesson, submission: Submission
) -> NotebookNode:
    """Return a graded cell: the released one, with the learner's text where learners write."""
    restored = copy.deepcopy(original)
    told, known = cell.metadata.nbgrader, original.metadata.nbgrader
    if known.solution:
        restored.source = cell.source
    elif _text(cell) != _text(original):
        _alarm(original, lesson, submission, "its check cell was edited")
    if cell.cell_type != original.cell_type:
        _alarm(original, lesson, submission, "the kind of a cell was changed")
    if known.grade and told.get("points") != known.points:
        _alarm(
            original, lesson, submission, f"the points in its metadata were changed to {told.get('points')}"
        )
    return restored


def _repeated(cell: NotebookNode, name: str, lesson: Lesson, submission: Submission) -> None:
    """Keep a second answer as a cell without points; drop a second check."""
    exercise, kind = _exercise(name, lesson)
    if exercise:
        submission.alarms[exercise.name].append(f"its {kind} cell is there more than once")
    if kind != "check":
        submission.cells.append(_own(cell, lesson))


def _missing(name: str, graded: dict[str, NotebookNode], lesson: Lesson, submission: Submission) -> None:
    """Put a check back below the graded cell above it, anything else above the graded cell below it."""
    exercise, kind = _exercise(name, lesson)
    if exercise:
        submission.alarms[exercise.name].append(f"its {kind} cell was deleted or renamed")
    order = list(graded)
    rank, places = order.index(name), {_id(cell): at for at, cell in enumerate(submission.cells)}
    above = [places[known] for known in order[:rank] if known in places]
    below = [places[known] for known in order[rank:] if known in places]
    is_above = bool(below) and kind != "check"
    at = min(below) if is_above else max(above, default=len(submission.cells) - 1) + 1
    submission.cells.insert(at, copy.deepcopy(graded[name]))


def _in_order(lesson: Lesson, submission: Submission) -> None:
    """Move a check that stands above its answer to below it."""
    for exercise in lesson.exercises:
        names = [_id(cell) for cell in submission.cells]
        answer, check = names.index(exercise.answer_id), names.index(exercise.check_id)
        if check < answer:
            submission.cells.insert(answer, submission.cells.pop(check))


def _exercise(name: str, lesson: Lesson) -> tuple[Exercise | None, str]:
    """Return the exercise that a graded cell belongs to, and what it is there."""
    for exercise in lesson.exercises:
        if name in (exercise.answer_id, exercise.check_id):
            return exercise, "answer" if name == exercise.answer_id else "check"
    return None, "text"


def _alarm(cell: NotebookNode, lesson: Lesson, submission: Submission, reason: str) -> None:
    """Note what is wrong with a cell of an exercise."""
    exercise, _ = _exercise(_id(cell), lesson)
    if exercise:
        submission.alarms[exercise.name].append(reason)


def _text(cell: NotebookNode) -> str:
    """Return the text of a cell as it is compared: editors change line ends and blanks at the end."""
    return "\n".join(line.rstrip() for line in cell.source.splitlines()).strip()


def suspicions(source: str, exercise: Exercise) -> list[str]:
    """Return why an answer may not be the learner's own; nothing of it costs points.

    A help for whoever looks, no defence: who hides a name from it is not found.

    Args:
        source: of the answer cell.
        exercise: it answers.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    wanted, found = {exercise.name, exercise.reference} - {""}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted:
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Constant) and node.value in (*wanted, LIBRARY):
            found.add(repr(node.value))
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and LIBRARY in ast.unparse(node):
            found.add(ast.unparse(node))
    listed = []
    if found:
        listed.append(f"the answer uses {', '.join(sorted(found))}, which may be the library's own version")
    published = ast.parse(exercise.published)
    is_short = sum(isinstance(node, ast.stmt) for node in ast.walk(published)) <= SHORT
    if not is_short and ast.dump(tree) == ast.dump(published):
        listed.append("the answer is the published solution")
    return listed
