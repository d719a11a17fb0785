"""release builds what nbgrader would, names what is stale, and never loses anybody's work."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from small_data import ROOT
from small_notebooks import ANSWER, CHECK, ESSAY, write_lesson

from course_tools import release
from course_tools.__main__ import main

LESSON = "07_lesson/07_lesson.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson."""
    write_lesson(tmp_path / "solutions" / LESSON, essays=(ESSAY,))
    monkeypatch.setattr(release, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr("course_tools.commands.release.PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(release.outdated, "__defaults__", (tmp_path,))
    for function in (release.pack, release.unknown_to_git):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    return tmp_path


def test_answers_and_hidden_tests_go(course):
    assert main(["release"]) == 0
    cells = nbformat.read(course / "notebooks" / LESSON, as_version=4).cells
    assert cells[2].source == "def twice(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert "three" not in cells[3].source and cells[3].source.endswith("check.points()")


def test_an_answer_in_words_goes(course):
    main(["release"])
    path = course / "notebooks" / LESSON
    assert nbformat.read(path, as_version=4).cells[4].source == "YOUR ANSWER HERE"
    assert "Because two is even." not in path.read_text()


def test_it_is_the_notebook_that_nbgrader_makes(course):
    (course / "grading").mkdir()  # for the gradebook
    (course / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "07_lesson", "--create"]
    tools = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # it calls alembic
    done = subprocess.run(command, cwd=course, env=os.environ | tools, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = nbformat.read(course / "notebooks" / LESSON, as_version=4)
    ours = nbformat.reads(release.student_version(course / "solutions" / LESSON), as_version=4)
    for cell in ours.cells:  # nbgrader folds nothing
        for key in ("jupyter", "cellView"):
            cell.metadata.pop(key, None)
    assert ours.metadata.pop(release.FINGERPRINT) and ours == theirs


def test_code_that_nobody_has_to_read_is_folded_in_jupyterlab_and_colab(tmp_path):
    more = ('COURSE = ""\nimport course_lib', "import torch\n\nruntime.check_environment()", "1 + 1")
    source = write_lesson(tmp_path / LESSON, more=more, essays=(ESSAY,))
    cells = nbformat.reads(release.student_version(source), as_version=4).cells
    folded = [cell.source for cell in cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert folded == [cells[3].source, *more[:2]] and "check.points()" in folded[0]
    assert folded == [cell.source for cell in cells if cell.metadata.get("cellView") == "form"]


def test_check_names_what_is_stale_and_writes_nothing(course, capsys):
    assert main(["release", "--check"]) == 1
    assert f"notebooks/{LESSON} is out of date" in capsys.readouterr().out
    assert not (course / "notebooks").exists()
    main(["release"])
    assert main(["release", "--check"]) == 0
    assert "all notebooks are up to date" in capsys.readouterr().out


def test_a_second_release_writes_nothing(course, capsys):
    main(["release"])
    capsys.readouterr()
    main(["release"])
    assert capsys.readouterr().out == ""


def test_a_notebook_without_a_source_is_named(course, capsys):
    main(["release"])
    orphan = write_lesson(course / "notebooks" / "08_old" / "08_old.ipynb")
    assert main(["release", "--check"]) == 1
    assert "notebooks/08_old/08_old.ipynb has no source" in capsys.readouterr().out
    assert main(["release"]) == 0 and orphan.exists()


def an_answer(notebook):
    notebook.cells[2].source = "def twice(x):\n    return x + x"


def a_stub_in_a_comment(notebook):
    notebook.cells[2].source += "\n    # raise NotImplementedError()\n    return x + x"


def code_above_the_stub(notebook):
    notebook.cells[2].source = notebook.cells[2].source.replace("# YOUR", "half = x / 2\n    # YOUR")


def a_cell_of_ones_own(notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("2 + 2"))


def a_note(notebook):
    notebook.cells[0].source += " I see."


def an_answer_in_words(notebook):
    notebook.cells[4].source = "I think so."


def a_run(notebook):
    notebook.cells[1].execution_count = 1


@pytest.mark.parametrize(
    "work",
    [
        an_answer,
        a_stub_in_a_comment,
        code_above_the_stub,
        a_cell_of_ones_own,
        a_note,
        an_answer_in_words,
        a_run,
    ],
)
def test_work_is_never_replaced_unless_forced(course, capsys, work):
    main(["release"])
    path = course / "notebooks" / LESSON
    notebook = nbformat.read(path, as_version=4)
    work(notebook)
    nbformat.write(notebook, path)
    before = path.read_text()
    assert main(["release"]) == 2
    assert "holds somebody's work" in capsys.readouterr().err and path.read_text() == before
    assert main(["release", "--force"]) == 0 and main(["release", "--check"]) == 0


def test_what_jupyterlab_adds_is_no_work(course):
    main(["release"])
    path = course / "notebooks" / LESSON
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.cells[1].metadata["collapsed"] = True
    nbformat.write(notebook, path)
    assert main(["release"]) == 0 and main(["release", "--check"]) == 0


@pytest.mark.parametrize("folder", ["solutions", "notebooks"])
def test_an_unreadable_notebook_is_named_and_kept(course, capsys, folder):
    main(["release"])
    (course / folder / LESSON).write_bytes(b"{half \xff")
    assert main(["release"]) == 2
    assert f"{folder}/{LESSON} cannot be read as a notebook" in capsys.readouterr().err
    assert (course / folder / LESSON).read_bytes() == b"{half \xff"


@pytest.mark.parametrize(
    "answer, check",
    [
        (ANSWER.replace("### END SOLUTION", ""), CHECK),
        (ANSWER, CHECK.replace("### END HIDDEN TESTS", "")),
        (ANSWER, CHECK + "\n### BEGIN SOLUTION\n### END SOLUTION"),
    ],
)
def test_a_broken_lesson_is_named(course, capsys, answer, check):
    write_lesson(course / "solutions" / LESSON, answer, check)
    assert main(["release"]) == 2
    assert "07_lesson.ipynb: " in capsys.readouterr().err and not (course / "notebooks").exists()


def no_kernel(notebook):
    notebook.metadata.pop("kernelspec")


def ids_of_jupyterlab(notebook):
    notebook.cells[2].metadata.nbgrader.grade_id = "cell-3a1b"


def a_renamed_function(notebook):
    notebook.cells[2].source = notebook.cells[2].source.replace("twice", "double")


def a_check_without_answer(notebook):
    notebook.cells.pop(2)


def code_graded_by_a_person(notebook):
    notebook.cells[2].metadata.nbgrader |= {"grade": True, "points": 2}


@pytest.mark.parametrize(
    ("breach", "cure"),
    [
        (no_kernel, "choose Python 3, and save it"),
        (ids_of_jupyterlab, "call the cell cell-3a1b twice_answer"),
        (a_renamed_function, "call the cell twice_answer double_answer"),
        (a_check_without_answer, "the answer above twice_check is missing"),
        (code_graded_by_a_person, "what a person grades is a Markdown cell"),
    ],
)
def test_what_the_grader_could_not_grade_is_refused_with_the_cure(course, capsys, breach, cure):
    notebook = nbformat.read(course / "solutions" / LESSON, as_version=4)
    breach(notebook)
    nbformat.write(notebook, course / "solutions" / LESSON)
    assert main(["release"]) == 2
    assert cure in capsys.readouterr().err and not (course / "notebooks").exists()


def test_without_solutions_there_is_nothing_to_release(course, capsys):
    (course / "solutions" / LESSON).unlink()
    assert main(["release"]) == 2
    assert "only the whole repository has solutions" in capsys.readouterr().err


def test_the_zip_holds_the_course_but_no_answers(tmp_path, capsys):
    target = tmp_path / "course.zip"
    names = release.pack(target)
    assert {"README.md", "start.py", "notebooks/00_start_here/00_start_here.ipynb"} <= set(names)
    assert any(name.endswith(".safetensors") for name in names)
    assert not [name for name in names if name.startswith(("solutions", "tests")) or "__pycache__" in name]
    with zipfile.ZipFile(target) as archive:
        for name in archive.namelist():
            if name.endswith(".ipynb"):
                assert b"BEGIN SOLUTION" not in archive.read(name) and b"BEGIN HIDDEN" not in archive.read(
                    name
                )
    first = target.read_bytes()
    release.pack(target)
    assert target.read_bytes() == first


def test_the_zip_takes_nothing_along_that_git_does_not_track(course, capsys):
    main(["release"])
    write_lesson(course / "notebooks" / "07_lesson" / "07_lesson-Copy1.ipynb")
    assert main(["release", "--zip", str(course / "course.zip")]) == 2
    assert "notebooks without a source" in capsys.readouterr().err
    (course / "notebooks" / "07_lesson" / "07_lesson-Copy1.ipynb").unlink()
    assert main(["release", "--zip", str(course / "course.zip")]) == 2
    assert "is no git clone" in capsys.readouterr().err
    for command in (["init", "-q"], ["add", "notebooks"]):
        subprocess.run(["git", *command], cwd=course, check=True)
    (course / "notebooks" / "secrets.txt").write_text("secret")
    for _ in range(2):
        assert main(["release", "--zip", str(course / "notebooks" / "course.zip")]) == 0
    assert capsys.readouterr().out.count("git does not know it: notebooks/secrets.txt (git add it)") == 2
    with zipfile.ZipFile(course / "notebooks" / "course.zip") as archive:
        assert archive.namelist() == [f"course/notebooks/{LESSON}"]
