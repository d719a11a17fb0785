"""A pytest plugin: while nbval runs an unsolved lesson, every check must earn nothing."""

import copy

import nbformat
import pytest
from nbgrader.utils import determine_grade, is_grade
from nbval.plugin import IPyNbCell

STUB = "raise NotImplementedError()"
"""What release leaves in an answer cell."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Look at the points of a check cell after it ran."""
    outcome = yield
    if isinstance(item, IPyNbCell) and is_grade(item.cell) and is_unsolved(item):
        cell = copy.deepcopy(item.cell)
        cell.outputs = [nbformat.NotebookNode(output) for output in item.test_outputs]
        points, _ = determine_grade(cell)
        assert points == 0, f"{cell.metadata.nbgrader.grade_id} gives {points} points for nothing"
    return outcome


def is_unsolved(item) -> bool:
    """Tell whether the answer above a check is still the stub."""
    cells = item.parent.nb.cells
    return STUB in cells[cells.index(item.cell) - 1].source
