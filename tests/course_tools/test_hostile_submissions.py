"""Whatever a submission tries: it gains nothing, harms nobody, and being stopped is no silent zero."""

import json
import os
import re
import socket
from dataclasses import replace

import nbformat
import pytest
from hostile_bank import CODE, EDITS, FILES, SPIES, edited, function, looking_around
from nbformat.v4 import new_code_cell
from sandbox_here import needs_sandbox, running
from small_notebooks import ANSWER, nbgrader, write_lesson

from course_tools.grading.batch import graders
from course_tools.grading.lesson import read_lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job

pytestmark = needs_sandbox
LIMITS = replace(Limits(), cell_seconds=15, memory=1 << 30)
HONEST = ANSWER.replace("twice", "thrice").replace("2 *", "3 *")
STOPPED = (
    "endless loop", "loop that swallows interrupts", "stops its own process", "os._exit", "crash",
    "endless output",
)  # fmt: skip
"""Attacks that end the kernel, so that the exercise is held."""
LOOKS = "looks around"
FOUND = ("patches Check", "replaces modules", "patches the recorder", "forges a record while it is called")
"""Attacks after which something does not fit, so that somebody is told."""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A course with one lesson, solutions, a gradebook, hidden tests and somebody else's work around it."""
    root = tmp_path_factory.mktemp("course")
    source = write_lesson(root / "solutions" / "07_small" / "07_small.ipynb")
    notebook = nbformat.read(source, as_version=4)
    check = (
        'check = Check("thrice", points=1)\ncheck.case("one", lambda: thrice(twice(1)), 6)\ncheck.points()'
    )
    notebook.cells += [
        new_code_cell("twice = check.best(twice, lambda x: 2 * x)", id="i"),
        new_code_cell(HONEST, id="g", metadata=nbgrader("thrice_answer", solution=True)),
        new_code_cell(check, id="h", metadata=nbgrader("thrice_check", grade=True, locked=True, points=1)),
    ]
    nbformat.write(notebook, source)
    for name in ("grading/gradebook.db", "private/07_small/twice.py", "submitted/anna/07_small.ipynb"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("secret")
    return root


@pytest.fixture(scope="module")
def lesson(places):
    return read_lesson("07_small", root=places)


@pytest.fixture(scope="module")
def results(places, lesson, own_temporary):
    """What the grader says of every attack, two at a time."""
    os.environ["SECRET_OF_GRADER"] = "secret"
    with socket.create_server(("127.0.0.1", 0)) as server:
        around = {"root": places, "submissions": places / "submitted", "port": server.getsockname()[1]}
        right = written(lesson, ANSWER)
        jobs = {name: written(lesson, function(name, "twice", **around)) for name in CODE}
        jobs[LOOKS] = written(lesson, looking_around("twice", **around))
        jobs |= {name: edited(right, name) for name in EDITS}
        contents = {name: nbformat.writes(notebook).encode() for name, notebook in jobs.items()}
        contents |= {name: change(nbformat.writes(right)) for name, change in FILES.items()}
        handed_in = [Job(name, lesson.name, content) for name, content in contents.items()]
        lessons = {lesson.name: lesson}
        with graders(2, "", LIMITS, sandbox=True) as grading:
            found = grading.grade_all(handed_in, lessons, grading.answer_keys(lessons))
            return {job.student: result for job, result in found}


def written(lesson, answer):
    """Return the learners' notebook with an answer to the first exercise, and the right one to the second."""
    answers = {"twice_answer": answer, "thrice_answer": HONEST}
    notebook = nbformat.from_dict(json.loads(json.dumps(lesson.released)))
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    return notebook


def shown(result):
    """Return everything that the cells of a result show."""
    cells = nbformat.reads(result["notebook"], as_version=4).cells
    return json.dumps([cell.outputs for cell in cells if cell.cell_type == "code"])


def by_name(result):
    return {entry["exercise"]: entry for entry in result["exercises"]}


@pytest.mark.parametrize("attack", [*CODE, LOOKS])
def test_an_attack_gains_nothing_and_leaves_the_honest_exercise_alone(results, attack):
    graded = by_name(results[attack])
    assert graded["twice"]["points"] in (0.0, None) and graded["twice"]["suggested"] == 0
    assert graded["thrice"]["points"] == 1.0 or graded["thrice"]["reasons"], "never a silent zero"
    assert "LEAKED" not in shown(results[attack])


@pytest.mark.parametrize("spy", SPIES)
def test_a_spy_finds_nothing(results, spy):
    cells = nbformat.reads(results[LOOKS]["notebook"], as_version=4).cells
    said = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    assert re.search(rf"^{spy}\n(nothing there.*\n)+", said, re.MULTILINE)


@pytest.mark.parametrize("attack", STOPPED + FOUND)
def test_what_was_stopped_or_does_not_fit_is_listed_with_its_reason(results, attack):
    graded = by_name(results[attack])["twice"]
    assert graded["reasons"]
    assert graded["points"] is None or attack not in STOPPED


@pytest.mark.parametrize("attack", STOPPED)
def test_a_stopped_exercise_costs_none_of_those_that_use_it(results, attack):
    assert by_name(results[attack])["thrice"]["points"] == 1.0


@pytest.mark.parametrize("edit", EDITS)
def test_a_tampered_check_is_restored_and_its_points_are_held(results, edit):
    graded = by_name(results[edit])["twice"]
    if edit == "tags everything to be skipped":
        assert graded["points"] == 2.0 and not graded["reasons"]
    else:
        assert graded["points"] is None and graded["reasons"]
        assert graded["suggested"] == (0.0 if edit == "deletes its answer" else 2.0)
    assert by_name(results[edit])["thrice"]["points"] == 1.0


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_notebook_is_held_with_its_reason(results, file):
    assert all(entry["points"] is None and entry["reasons"] for entry in results[file]["exercises"])
    assert nbformat.reads(results[file]["notebook"], as_version=4).cells


def test_nothing_is_left_of_any_attack(results, places, own_temporary):
    assert not running("5713", own_temporary)
    assert not list(places.rglob("hostile")) and not list(places.parent.rglob("hostile"))
