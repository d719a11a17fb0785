"""Answers that are not the learner's own: the library called, or the published solution handed in."""

import ast

from course_tools.grading.lesson import Exercise

LIBRARY = "course_lib"
SHORT = 3  # statements; two right answers of this length are often alike


def suspicions(source: str, exercise: Exercise) -> list[str]:
    """Return what an instructor should look at in an answer; nothing of it costs points.

    Args:
        source: of the answer cell.
        exercise: it answers.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = []
    if names := _calls_of_library(tree, exercise):
        found.append(f"the answer uses {', '.join(sorted(names))}, which may be the library's own version")
    published = ast.parse(exercise.published)
    if _length(published) > SHORT and _form(tree) == _form(published):
        found.append("the answer is the published solution")
    return found


def _calls_of_library(tree: ast.Module, exercise: Exercise) -> set[str]:
    """Return what an answer uses that leads to the library's version of it."""
    wanted = {exercise.name, exercise.reference.split(".")[-1]} - {""}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted:
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Constant) and node.value in (*wanted, LIBRARY):
            found.add(repr(node.value))
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and LIBRARY in ast.unparse(node):
            found.add(ast.unparse(node))
    return found


def _length(tree: ast.Module) -> int:
    """Return the number of statements, those inside others included."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(tree))


def _form(tree: ast.Module) -> str:
    """Return code without its comments, documentation and choice of local names."""
    numbers: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)):
            name = node.arg if isinstance(node, ast.arg) else node.id
            numbers.setdefault(name, f"name{len(numbers)}")
    return ast.unparse(_Renamed(numbers).visit(tree))


class _Renamed(ast.NodeTransformer):
    """Gives local names by their order of appearance, and drops documentation."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename a variable."""
        node.id = self.numbers.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rename an argument; drop its annotation."""
        return ast.arg(self.numbers[node.arg])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Drop documentation and annotation of a function."""
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        node.returns = None
        return self.generic_visit(node)
