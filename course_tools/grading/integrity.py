"""From what was handed in to what is run: check cells as released, and a list of what to look at."""

import ast
import copy

from nbformat import NotebookNode

from course_tools.grading.lesson import DEMO, Exercise, Lesson
from course_tools.submission import grade_id, name_cells, plain_text


def restore(notebook: NotebookNode, lesson: Lesson) -> tuple[list[NotebookNode], dict[str, list[str]]]:
    """Put the released check cells back where they belong, and note what was done to them.

    Args:
        notebook: that was handed in.
        lesson: whose it should be.

    Returns:
        The cells in the order in which they are run, every check cell as released, with the metadata they
        were released with: neither points nor tags are the submission's. What is wrong with the cells of
        an exercise, by its name, empty if nothing is; its points need a look.
    """
    cells: list[NotebookNode] = []
    alarms = {exercise.name: [] for exercise in lesson.exercises}
    graded = {cell.metadata.nbgrader.grade_id: cell for cell in lesson.released.cells if grade_id(cell)}
    checks = {exercise.check_id: exercise.name for exercise in lesson.exercises}
    owners = checks | {exercise.answer_id: exercise.name for exercise in lesson.exercises}

    def alarm(name: str, reason: str) -> None:
        if name in owners:  # a text is read by a person anyway
            alarms[owners[name]].append(f"its {'check' if name in checks else 'answer'} {reason}")

    seen: dict[str, NotebookNode] = {}
    names, last = name_cells(notebook.cells, graded), ""
    for name, cell in zip(names, notebook.cells, strict=True):
        last, before = name or last, last
        if not name:
            cells.append(_own(cell, lesson))
            continue
        if name in seen:
            alarm(name, "cell is there more than once")
            if name == before and name not in checks:  # one answer in two cells
                seen[name].source += f"\n{cell.source}"
            elif name not in checks:  # it stays, as a cell without points
                cells.append(_own(cell, lesson))
            continue
        restored = seen[name] = copy.deepcopy(graded[name])
        known = restored.metadata.nbgrader
        cells.append(restored)
        if known.solution:  # where learners write
            restored.source = cell.source
        elif plain_text(cell) != plain_text(restored):
            alarm(name, "cell was edited")
        if cell.cell_type != restored.cell_type:
            alarm(name, "cell is of another kind now")
        if grade_id(cell) != name:
            alarm(name, "cell had lost its name and was found by its text")
        elif known.grade and (told := cell.metadata.nbgrader.get("points")) != known.points:
            alarm(name, f"cell has other points in its metadata, {told}")
    for name in [name for name in graded if name not in seen]:
        alarm(name, "cell was deleted or renamed")
        at = _place(name, list(graded), cells, below=name in checks)
        cells.insert(at, copy.deepcopy(graded[name]))
    for exercise in lesson.exercises:
        names = [grade_id(cell) for cell in cells]
        answer, check = names.index(exercise.answer_id), names.index(exercise.check_id)
        if check < answer:
            cells.insert(answer, cells.pop(check))
    return cells, alarms


def _own(cell: NotebookNode, lesson: Lesson) -> NotebookNode:
    """Return a cell without points, with nothing but the tags it was released with."""
    demos = [known for known in lesson.released.cells if DEMO in known.metadata.get("tags", [])]
    is_demo = any(cell.get("id") == known.id or cell.source == known.source for known in demos)
    plain = copy.deepcopy(cell)
    plain.metadata = NotebookNode({"tags": [DEMO]} if is_demo and cell.cell_type == "code" else {})
    return plain


def _place(name: str, order: list[str], cells: list[NotebookNode], below: bool) -> int:
    """Return where a lost cell belongs: below the graded cell above it, or above the one below it."""
    rank, places = order.index(name), {grade_id(cell): at for at, cell in enumerate(cells)}
    above = [places[known] for known in order[:rank] if known in places]
    later = [places[known] for known in order[rank:] if known in places]
    return min(later) if later and not below else max(above, default=len(cells) - 1) + 1


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
    library, wanted, found = "course_lib", {exercise.name, exercise.reference} - {""}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted:
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Constant) and node.value in (*wanted, library):
            found.add(repr(node.value))
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and library in ast.unparse(node):
            found.add(ast.unparse(node))
    listed = []
    if found:
        listed.append(f"the answer uses {', '.join(sorted(found))}, which may be the library's own version")
    published = ast.parse(exercise.published)
    length = sum(isinstance(node, ast.stmt) for node in ast.walk(published))
    # two right answers of three statements are often alike
    if length > 3 and ast.dump(tree) == ast.dump(published):
        listed.append("the answer is the published solution")
    return listed
