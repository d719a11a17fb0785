"""A solved lesson earns every point, as a submission does: without its demo cells, and quickly.

nbval runs the demo cells, in the unsolved lessons; whole_lessons judges them.
"""

import os

import nbformat
import pytest
from nbgrader.utils import is_grade, is_solution
from small_data import ROOT

from course_tools import pages

SOURCES = sorted((ROOT / "solutions").glob("[0-9]*/*.ipynb"))
SECONDS = 60  # of processor time, which a busy machine hardly changes: 20 s on two cores, and some more

pytestmark = pytest.mark.skipif(not SOURCES, reason="learners get no solutions/")
for_each_lesson = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def code_cells(source):
    """Return the code cells of a lesson."""
    return [cell for cell in nbformat.read(source, as_version=4).cells if cell.cell_type == "code"]


def is_demo(cell):
    """Tell whether a cell is skipped while grading."""
    return "demo" in cell.metadata.get("tags", [])


@pytest.mark.parametrize(
    "source", [*SOURCES, *(ROOT / "solutions").glob("template.ipynb")], ids=lambda p: p.stem
)
def test_a_lesson_without_its_demo_cells_earns_every_point_in_time(source, tmp_path, capsys):
    graded = nbformat.read(source, as_version=4)
    graded.cells = [cell for cell in graded.cells if not is_demo(cell)]
    path = tmp_path / source.name
    nbformat.write(graded, path)
    before = os.times()
    executed = pages.execute(path)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    with capsys.disabled():
        print(
            f"\n{source.stem} without its demo cells: {executed.seconds:.1f} s, {seconds:.1f} s of processors"
        )
    assert executed.error == ""
    assert executed.points == executed.most_points > 0
    assert seconds < SECONDS


@for_each_lesson
def test_a_lesson_has_demo_cells_and_no_other_tags(source):
    tags = [cell.metadata.tags for cell in code_cells(source) if "tags" in cell.metadata]
    assert tags and all(found == ["demo"] for found in tags)


@for_each_lesson
def test_the_set_up_the_exercises_and_the_choice_of_a_version_are_never_skipped(source):
    cells = code_cells(source)
    kept = [c for c in cells if is_grade(c) or is_solution(c) or "check.best(" in c.source]
    assert not any(is_demo(cell) for cell in [*cells[:2], *kept])
