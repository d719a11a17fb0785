"""From a check cell to code that hands over what the answer returns, and to code that says what is right."""

import ast

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
RECORDING = "course_lib.lesson.checks.recording"
GIVEN = 2  # of a case: its name and its call; what is expected comes after
DRAWS = ("generator", "rand", "seed")  # a statement that draws stays, or later draws would differ


def probe(check: str, private: str = "") -> str:
    """Return code that notes what each case of a check returns, without what is expected.

    Args:
        check: the check cell of the solved lesson, hidden tests included.
        private: further cases.
    """
    tree = _with_recorder(_complete(check, private), "Recorder")
    tree = _WithoutExpected().visit(tree)
    while dead := _unused(tree):
        tree.body = [statement for statement in tree.body if statement not in dead]
    return ast.unparse(tree)


def key(check: str, private: str = "") -> str:
    """Return code that notes what each case of a check expects, and calls nothing of the answer's."""
    tree = _with_recorder(_complete(check, private), "KeyRecorder")
    return ast.unparse(ast.fix_missing_locations(_ExpectedLater().visit(tree)))


def _complete(check: str, private: str) -> ast.Module:
    """Return a check with the private cases, where hidden ones are marked for the recorder."""
    *body, last = (
        check.replace(BEGIN, "check.hidden = True").replace(END, "check.hidden = False").rstrip().split("\n")
    )
    return ast.parse("\n".join([*body, "check.hidden = True", private, last]))


def _with_recorder(tree: ast.Module, name: str) -> ast.Module:
    """Return code where one of the recorders has the place of ``Check``."""
    tree.body.insert(0, ast.ImportFrom(RECORDING, [ast.alias(name)], 0))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "Check":
            node.id = name
    return ast.fix_missing_locations(tree)


class _WithoutExpected(ast.NodeTransformer):
    """Leaves of each case its name and its call."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Shorten calls of ``case``."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "case":
            node.args, node.keywords = node.args[:GIVEN], []
        return self.generic_visit(node)


class _ExpectedLater(ast.NodeTransformer):
    """Makes what each case expects a function, which the recorder calls when it is ready."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Wrap what is expected by ``case``."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "case":
            nothing = ast.arguments([], [], None, [], [], None, [])
            if len(node.args) > GIVEN:
                node.args[GIVEN] = ast.Lambda(nothing, node.args[GIVEN])
            for keyword in node.keywords:
                if keyword.arg == "expected":
                    keyword.value = ast.Lambda(nothing, keyword.value)
        return self.generic_visit(node)


def _unused(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that only give names to what nothing reads any more."""
    read = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return [
        statement for statement in tree.body if _names(statement).isdisjoint(read) and not _draws(statement)
    ]


def _names(statement: ast.stmt) -> set[str]:
    """Return the names a definition gives; of every other statement one that is always read."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Assign) and all(_is_name(target) for target in statement.targets):
        stored = [node for target in statement.targets for node in ast.walk(target)]
        return {node.id for node in stored if isinstance(node, ast.Name)}
    return {"check", "Recorder"}


def _is_name(target: ast.expr) -> bool:
    """Tell whether a target is a name or a tuple of names, not a place inside something."""
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return all(isinstance(part, ast.Name) for part in parts)


def _draws(statement: ast.stmt) -> bool:
    """Tell whether a statement may draw random numbers."""
    words = [getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(statement)]
    return any(draw in word for word in words for draw in DRAWS)
