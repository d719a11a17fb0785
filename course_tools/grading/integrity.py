"""From what was handed in to what is run: check cells as released, and a list of what to look at."""

import ast
import contextlib
import copy
import re
from collections.abc import Sequence

from nbformat import NotebookNode

from course_tools.grading.lesson import DEMO, Exercise, Lesson
from course_tools.grading.points import short
from course_tools.submission import grade_id, name_cells, plain_text

DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TOUCHY = r"\b(?:Check|Recorder|lesson\.checks|sys\.modules|_getframe)\b"
"""Words of code that may change what a check does."""


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
            if "attachments" in cell:
                restored.attachments = cell.attachments
        elif plain_text(cell) != plain_text(restored):
            alarm(name, "cell was edited")
        if cell.cell_type != restored.cell_type:
            alarm(name, "cell is of another kind now")
        if grade_id(cell) != name:
            alarm(name, "cell had lost its name and was found by its text")
        elif known.grade and (told := cell.metadata.nbgrader.get("points")) != known.points:
            alarm(name, f"cell has other points in its metadata, {short(repr(told), 20)}")
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
    is_demo = any(cell.get("id") == known.id or cell.source == known.source for known in _demos(lesson))
    plain = copy.deepcopy(cell)
    plain.metadata = NotebookNode({"tags": [DEMO]} if is_demo and cell.cell_type == "code" else {})
    return plain


def _demos(lesson: Lesson) -> list[NotebookNode]:
    """Return the cells that grading skips."""
    return [cell for cell in lesson.released.cells if DEMO in cell.metadata.get("tags", [])]


def demo_texts(lesson: Lesson) -> set[str]:
    """Return the texts of the cells that grading skips."""
    return {plain_text(cell) for cell in _demos(lesson)}


def own_code(cells: list[NotebookNode], lesson: Lesson) -> list[str]:
    """Return what learners wrote into code cells other than answers."""
    ours = {plain_text(cell) for cell in lesson.released.cells}
    code = [cell for cell in cells if cell.cell_type == "code" and not grade_id(cell)]
    return [cell.source for cell in code if plain_text(cell) not in ours]


def _place(name: str, order: list[str], cells: list[NotebookNode], below: bool) -> int:
    """Return where a lost cell belongs: below the graded cell above it, or above the one below it."""
    rank, places = order.index(name), {grade_id(cell): at for at, cell in enumerate(cells)}
    above = [places[known] for known in order[:rank] if known in places]
    later = [places[known] for known in order[rank:] if known in places]
    return min(later) if later and not below else max(above, default=len(cells) - 1) + 1


def definitions(source: str) -> str:
    """Return the imports, functions, classes and constants of a cell, in which figures or trainings wait."""
    tree, kept = _parsed(source), (ast.Import, ast.ImportFrom, *DEFINED)
    parts = [
        part
        for part in (tree.body if tree else [])
        if isinstance(part, kept)
        or (isinstance(part, ast.Assign) and isinstance(part.value, (ast.Lambda, ast.Constant)))
    ]
    return "\n".join(map(ast.unparse, parts))


def is_unanswered(source: str, exercise: Exercise) -> bool:
    """Tell whether an answer cell gives the name no other meaning than the stub does, or none."""
    answer, stub = (_parsed(text) for text in (source, exercise.stub))
    if answer is None:
        return False
    return _meaning(answer, exercise.name) in ("", _meaning(stub, exercise.name))


def suspicions(source: str, exercise: Exercise, own: Sequence[str] = ()) -> list[str]:
    """Return why an answer that earned points may not have earned them; none of it costs points.

    A help for whoever looks, no defence: who hides a name from it is not found.

    Args:
        source: of the answer cell.
        exercise: it answers.
        own: what the learner wrote into other cells.
    """
    listed, tree = [], _parsed(source)
    if is_unanswered(source, exercise):
        listed.append("its values earn points, but its answer cell says no more than the stub")
    if found := re.findall(TOUCHY, "\n".join([source, *own])):
        listed.append(f"the code mentions {', '.join(sorted(set(found)))}, which could change what checks do")
    if any(_meaning(part, exercise.name) for part in map(_parsed, own) if part):
        listed.append(f"a cell of their own defines {exercise.name}, too")
    if tree is None:
        return [*listed, "the answer is not plain Python, so it was compared with nothing"]
    library, wanted, used = "course_lib", {exercise.name, exercise.reference} - {""}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted:
            used.add(ast.unparse(node))
        elif isinstance(node, ast.Constant) and node.value in (*wanted, library):
            used.add(repr(node.value))
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and library in ast.unparse(node):
            used.add(ast.unparse(node))
    if used:
        listed.append(f"the answer uses {', '.join(sorted(used))}, which may be the library's own version")
    published = ast.parse(exercise.published)
    length = sum(isinstance(node, ast.stmt) for node in ast.walk(published))
    # two right answers of three statements are often alike
    if length > 3 and ast.dump(_Plain().visit(tree)) == ast.dump(_Plain().visit(published)):
        listed.append("the answer is the published solution")
    return listed


class _Plain(ast.NodeTransformer):
    """Leaves out what does nothing: docstrings, constants alone, ``pass``, the stub's error."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Drop a constant."""
        return None if isinstance(node.value, ast.Constant) else node

    def visit_Raise(self, node: ast.Raise) -> ast.Raise | None:
        """Drop it if it says that something is still to be written."""
        return None if node.exc and "NotImplementedError" in ast.unparse(node.exc) else node

    def visit_Pass(self, node: ast.Pass) -> None:
        """Drop it."""


def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a cell without its magics, None if it is no Python."""
    for text in (source, re.sub(r"^([ \t]*)[%!?].*$", r"\1pass", source, flags=re.MULTILINE)):
        # of null bytes; of nesting that is too deep to be read
        with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
            return ast.parse(text)
    return None


def _meaning(tree: ast.Module, name: str) -> str:
    """Return the last top-level statement that gives a name its meaning, without what does nothing."""
    for part in reversed(tree.body):
        inside = [part] if isinstance(part, DEFINED) else ast.walk(part)
        names = {getattr(node, "asname", None) or getattr(node, "name", "") for node in inside}
        if not isinstance(part, DEFINED):
            stored = (node for node in ast.walk(part) if isinstance(getattr(node, "ctx", None), ast.Store))
            names |= {getattr(node, "id", "") for node in stored}
        if name in names:
            return ast.dump(_Plain().visit(copy.deepcopy(part)))
    return ""
