"""``submit`` says what would cost points, and packs what the grader takes."""

import shutil

import nbformat
import pytest
from hostile_bank import edited
from small_notebooks import ANSWER, write_lesson

from course_lib.lesson import notebooks
from course_tools import release
from course_tools.__main__ import main
from course_tools.grading.submissions import collect

LESSON = "07_small"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A learner's folder with one released lesson."""
    source = write_lesson(
        tmp_path / "solutions" / LESSON / f"{LESSON}.ipynb",
        essays=("### BEGIN SOLUTION\nx\n### END SOLUTION",),
    )
    path = tmp_path / "notebooks" / LESSON / f"{LESSON}.ipynb"
    release.write(path, release.student_version(source))
    monkeypatch.setattr(notebooks.lesson_files, "__defaults__", (tmp_path,))
    return path


def answer(path, source=ANSWER, change=None):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source = source
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="long " * 999)]
    nbformat.write(edited(notebook, change) if change else notebook, path)


def submit(path, *options):
    return main(["submit", "--output", str(path.parent.parent / "submission.zip"), *options])


def test_what_is_packed_is_what_the_grader_collects(course, tmp_path, capsys):
    answer(course)
    assert submit(course) == 0
    assert f"{LESSON}: 1 of 2 answered (not yet: why0_essay)\n" in capsys.readouterr().out
    folder = tmp_path / "moodle" / "Anna Meyer_123_assignsubmission_file_"
    folder.mkdir(parents=True)
    shutil.copy(course.parent.parent / "submission.zip", folder)
    (job,), _ = collect(tmp_path / "moodle", {LESSON: ()})
    assert (job.student, job.lesson, job.remarks, job.error) == ("Anna-Meyer-123", LESSON, (), "")
    packed = nbformat.reads(job.content.decode(), as_version=4)
    assert packed.cells[2].source == ANSWER and "long" not in job.content.decode()


def test_the_same_work_gives_the_same_file(course):
    answer(course)
    zips = [course.parent.parent / "submission.zip"] * 2
    assert len({(submit(course), path.read_bytes()) for path in zips}) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [("deletes its check", "twice_check is missing"), ("edits its check", "twice_check was edited"),
     ("repeats its check", "twice_check is there 2 times"), ("raises its points", "twice_check was edited")],
)  # fmt: skip
def test_what_would_cost_points_is_said_and_packed_all_the_same(course, capsys, change, told):
    answer(course, change=change)
    assert submit(course) == 1
    assert told in capsys.readouterr().out and (course.parent.parent / "submission.zip").is_file()


def test_an_answer_that_is_no_python_is_named_with_its_line(course, capsys):
    answer(course, "def twice(x):\n    return 2 *")
    assert submit(course, "--check") == 1
    assert "twice_answer is no Python (line 2" in capsys.readouterr().out
    assert not (course.parent.parent / "submission.zip").exists()


@pytest.mark.parametrize(
    ("options", "told"), [([], "no lesson has an answer yet"), (["08"], "unknown lesson '08'")]
)
def test_nothing_to_hand_in_is_explained(course, capsys, options, told):
    assert submit(course, *options) == 2
    assert told in capsys.readouterr().err


def test_a_notebook_that_is_none_is_named(course, capsys):
    course.write_text("<<<<<<< HEAD")
    assert submit(course) == 2
    assert "cannot be read as a notebook" in capsys.readouterr().err
