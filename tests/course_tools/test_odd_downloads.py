"""A download of each kind: whatever is in it, every honest learner gets the points, and nobody vanishes."""

import time

import nbformat
import pandas as pd
import pytest
from odd_downloads import LAYOUTS, LESSON
from sandbox_here import needs_sandbox
from small_notebooks import answered, teach_only

from course_tools.__main__ import main
from course_tools.grading import lesson
from course_tools.grading.submissions import collect

for_each_layout = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one small lesson."""
    teach_only(LESSON, tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def download(course, layout):
    small = lesson.read_lesson(LESSON)
    right = nbformat.writes(answered(small, {"twice": "def twice(x):\n    return x + x"})).encode()
    return LAYOUTS[layout](course / "in", right)


@for_each_layout
def test_everybody_is_found_or_named_with_the_reason(download):
    jobs, problems = collect(download.source, lesson.lesson_ids())
    assert sorted(job.student for job in jobs) == sorted(download.right)
    assert all(job.error == "" and b"x + x" in job.content for job in jobs)
    for student, said in download.told.items():
        (line,) = [line for line in problems if line.startswith(f"{student}: ")]
        assert "handed in nothing that can be graded" in line and said in line


@needs_sandbox
@pytest.mark.parametrize("layout", ["flat Moodle"])  # what is found in the others is graded in the same way
def test_a_download_is_graded_to_its_end(download, course, capsys):
    began = time.monotonic()
    assert main(["grade", str(download.source), "--into", str(course / "grading"), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    table = pd.read_csv(course / "grading" / "totals.csv")
    assert dict(zip(table["student_id"], table["score"], strict=True)) == dict.fromkeys(download.right, 2.0)
    assert all(f"not graded: {student}: " in said for student in download.told)
    print(f"{time.monotonic() - began:.0f} s\n{said}")


@needs_sandbox
def test_results_of_a_lesson_that_had_other_exercises_are_marked_and_the_rest_is_graded(course, capsys):
    into, source = ["--into", str(course / "grading")], course / "solutions" / LESSON / f"{LESSON}.ipynb"
    for student, task in {"anna": "twice", "bert": "double"}.items():
        source.write_text(source.read_text().replace("twice", task))
        work = answered(lesson.read_lesson(LESSON), {task: f"def {task}(x):\n    return x + x"})
        (course / student / LESSON).mkdir(parents=True)
        nbformat.write(work, course / student / LESSON / f"{LESSON}.ipynb")
        folder = course / f"in_{student}"
        folder.mkdir()
        (course / student).rename(folder / student)
        assert main(["grade", str(folder), *into]) == 0
    said = capsys.readouterr().out
    assert f"not graded: anna: {LESSON} was graded with other exercises than the lesson has now" in said
    (kept,) = (course / "grading").glob("gradebook_until_*.db")
    assert f"are kept in {kept}" in said
    totals = pd.read_csv(course / "grading" / "totals.csv").set_index("student_id")
    assert totals.loc["bert", "score"] == 2 and pd.isna(totals.loc["anna", "score"]), "nothing is not 0"
    assert "anna: 07_small" in (course / "grading/summary.html").read_text()
