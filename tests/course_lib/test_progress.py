"""The panel over all lessons: what was earned on this computer, and nothing that can fail."""

import importlib
import json
import threading
import time

import pytest
from small_notebooks import write_lesson

from course_lib.lesson.checks import Check, progress

kept = importlib.import_module("course_lib.lesson.checks.progress")


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """Two small lessons; the first is the one that runs."""
    for name in ("07_small", "08_more"):
        write_lesson(tmp_path / "notebooks" / name / f"{name}.ipynb")
    monkeypatch.setattr(kept, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(kept, "FILE", tmp_path / "results" / "progress.json")
    monkeypatch.chdir(tmp_path / "notebooks" / "07_small")
    return tmp_path


def twice(x):
    """Stand for the learner's function."""
    return 2 * x


def earn(value=4):
    check = Check("twice", points=2)
    check.case("two", lambda: value, 4)
    check.case("three", lambda: 6, 6)
    return check.points()


def test_points_are_kept_and_shown_with_those_that_are_missing(lessons, capsys):
    assert earn() == 2.0
    shown = progress()
    assert (shown.points, shown.most_points) == (2, 4)
    assert "2 of 2  7 A lesson" in repr(shown) and "2 of 4  all lessons" in repr(shown)
    assert shown._repr_html_().count("<progress") == 2 and "2 of 4 points in all" in shown._repr_html_()


def test_a_copy_beside_a_lesson_is_no_lesson(lessons):
    write_lesson(lessons / "notebooks" / "08_more" / "08_more-Copy1.ipynb")
    assert progress().most_points == 4


def test_a_notebook_that_came_alone_has_an_empty_panel(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "NOTEBOOKS", tmp_path / "notebooks")
    assert progress().most_points == 0


def test_the_last_run_counts(lessons):
    earn()
    assert earn(value=5) == 1.0 and progress().points == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"07_small": 3}', '{"07_small": {"twice": 300}}'])
def test_a_file_that_somebody_changed_does_no_harm(lessons, content):
    kept.FILE.parent.mkdir()
    kept.FILE.write_text(content)
    assert 0 <= progress().points <= 2
    assert earn() == 2.0 and progress().points == 2


def test_a_folder_that_cannot_be_written_to_does_no_harm(lessons, capsys):
    kept.FILE.parent.write_text("a file where the folder should be")
    assert earn() == 2.0 and progress().points == 0
    assert capsys.readouterr().err == ""


def test_outside_the_lessons_nothing_is_kept(lessons, monkeypatch):
    monkeypatch.chdir(lessons)
    earn()
    assert not kept.FILE.exists()


def test_the_file_is_plain(lessons):
    earn()
    assert json.loads(kept.FILE.read_text()) == {"07_small": {"twice": 2.0}}


def test_two_notebooks_at_once_lose_no_points(lessons, monkeypatch):
    read, both_run = kept._read, threading.Barrier(2, timeout=60)

    def slowly():
        known = read()
        time.sleep(0.2)  # in which the other one would read the same
        return known

    def runs(name):
        both_run.wait()
        kept.record(name, 1.0)

    monkeypatch.setattr(kept, "_read", slowly)
    notebooks = [threading.Thread(target=runs, args=(name,)) for name in ("first", "second")]
    for notebook in notebooks:
        notebook.start()
    for notebook in notebooks:
        notebook.join()
    assert read() == {"07_small": {"first": 1.0, "second": 1.0}}
