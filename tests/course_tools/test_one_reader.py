"""Whatever an editor makes of a notebook, ``submit --check`` warns if, and only if, ``grade`` gives less."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from sandbox_here import needs_sandbox
from small_notebooks import answered, write_lesson

from course_tools.grading.batch import graders
from course_tools.grading.lesson import read_lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job
from course_tools.submission import read_notebook, read_work

LESSON = "07_small"
RIGHT = "def twice(x):\n    y = x\n    return x + y"
ABOVE, ANSWER, BELOW = slice(0, 2), 2, slice(3, None)
PARTS = RIGHT.split("\n    return")


def stripped(cells):
    for cell in cells:
        cell.metadata = nbformat.from_dict({})


def new_ids(cells):
    for number, cell in enumerate(cells):
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = f"cell-{number}a"


def split(cells, with_metadata=True):
    below = copy.deepcopy(cells[ANSWER]) if with_metadata else new_code_cell()
    cells[ANSWER].source, below.source, below.id = PARTS[0], f"    return{PARTS[1]}", "below"
    cells.insert(ANSWER + 1, below)


def as_text(cells):
    cells[ANSWER] = new_markdown_cell(cells[ANSWER].source, metadata=cells[ANSWER].metadata, id="text")


def write(source):
    return lambda cells: cells[ANSWER].update(source=source)


def helper_above(cells):
    cells.insert(ANSWER, new_code_cell("def half(x):\n    return x / 2", id="helper"))
    cells[ANSWER + 1].source = "def twice(x):\n    return 4 * half(x)"


def blanks(cells):
    cells[ANSWER + 1].source = cells[ANSWER + 1].source.replace("\n", "  \n") + "\n"


EDITS = {  # what is done to the cells; what it is worth, None if it is held; what the learner is told
    "nothing": (lambda cells: None, 2, ""),
    "blanks at the ends of lines": (blanks, 2, ""),
    "%%time": (write(f"%%time\n{RIGHT}"), 2, ""),
    "%%capture and a shell line": (write(f"%%capture out\n!true\n{RIGHT}"), 2, ""),
    "a helper above": (helper_above, 2, ""),
    "metadata stripped": (stripped, None, "twice_check has lost its name"),
    "ids changed": (new_ids, None, "twice_answer has lost its name"),
    "split, ids copied": (split, None, "twice_answer is there 2 times; merge them"),
    "split, ids not copied": (lambda cells: split(cells, False), 0, "if they are one answer, merge them"),
    "a text": (as_text, None, "twice_answer is no code cell any more"),
    "%%script": (write(f"%%script true\n{RIGHT}"), 0, "twice_answer defines no twice"),
    "another name": (write(RIGHT.replace("twice", "double")), 0, "defines no twice"),
    "no Python": (write("def twice(x:\n    return"), 0, "is no Python"),
}  # fmt: skip
BYTES = {
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "line ends of Windows": lambda text: text.replace("\\n", "\\r\\n").replace("\n", "\r\n").encode(),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What both say of each notebook: the learner's problems, and the grader's entry."""
    root = tmp_path_factory.mktemp("course")
    write_lesson(root / "solutions" / LESSON / f"{LESSON}.ipynb")
    lesson = read_lesson(LESSON, root=root)
    contents = {}
    for name, (edit, _, _) in EDITS.items():
        notebook = answered(lesson, {"twice": RIGHT})
        edit(notebook.cells)
        contents[name] = nbformat.writes(notebook).encode()
    contents |= {name: change(contents["nothing"].decode()) for name, change in BYTES.items()}
    told = {}
    for name, content in contents.items():
        path = root / f"{LESSON}.ipynb"
        path.write_bytes(content)
        told[name] = read_work(path)
    with graders(2, "", Limits(), sandbox=True) as grading:
        lessons, jobs = {LESSON: lesson}, [Job(name, LESSON, content) for name, content in contents.items()]
        found = grading.grade_all(jobs, lessons, grading.answer_keys(lessons))
        return {job.student: (told[job.student], result["exercises"][0]) for job, result in found}


@needs_sandbox
@pytest.mark.parametrize("name", [*EDITS, *BYTES])
def test_submit_warns_exactly_if_the_grader_gives_less_than_all(seen, name):
    work, graded = seen[name]
    _, points, warning = EDITS.get(name, (None, 2, ""))
    assert graded["points"] == points and graded["attempted"] and (work.unanswered, work.asked) == ((), 1)
    assert bool(work.problems) == bool(warning) and warning in " ".join(work.problems)
    assert points is not None or (graded["suggested"] == 2 and graded["reasons"]), "held, but not lost"


def test_thousands_of_outputs_right_or_wrong_take_no_time_and_cost_nothing():
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": None}
    cell["outputs"] = [{"output_type": "no kind"}] * 100_000  # minutes, and gigabytes, if they are validated
    written = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (read,) = read_notebook(json.dumps(written).encode()).cells
    assert read.source == "1" and read.outputs == []
