"""``grade`` from a folder of submissions to gradebook, tables, feedback and summary."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from lesson_cells import exercises
from nbgrader.api import Gradebook
from sandbox_here import needs_sandbox, proved
from small_data import ROOT
from small_notebooks import answered

import course_lib
import course_tools
import road_scenes
from course_tools.__main__ import main
from course_tools.commands import grade as grade_command
from course_tools.grading import launch, proof, sandbox
from course_tools.grading.gradebook import COURSE
from course_tools.grading.grading import not_graded
from course_tools.grading.launch import run_cells
from course_tools.grading.lesson import lesson_names, read_lesson
from course_tools.grading.nbgrader_hooks import SaveResults
from course_tools.grading.results import Results
from course_tools.grading.sandbox import Limits

LESSON = "04_training_losses"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """Three submissions of one lesson: solved, half with a text, and a check deleted."""
    folder = tmp_path_factory.mktemp("submissions")
    lesson = read_lesson(LESSON)
    tasks = exercises(ROOT / "solutions" / LESSON / f"{LESSON}.ipynb")
    solved = {task.name: task.answer for task in tasks}
    work = {
        "anna": answered(lesson, solved),
        "bert": answered(lesson, {task.name: task.answer for task in tasks[:2]}),
        "carl": answered(lesson, solved),
    }
    next(
        cell for cell in work["bert"].cells if "essay" in str(cell.metadata)
    ).source = "Because of <b>seeds</b>."
    work["carl"].cells = [cell for cell in work["carl"].cells if "verdict_check" not in str(cell.metadata)]
    for student, written in work.items():
        path = folder / student / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(written, path)
    (folder / "eve").mkdir()
    (folder / "eve" / "report.pdf").write_bytes(b"%PDF")
    return folder


@pytest.fixture(scope="module")
def graded(handed_in, tmp_path_factory):
    """The folder of a grading with two workers and a hidden test of the instructor's own."""
    folder, private = tmp_path_factory.mktemp("grading"), tmp_path_factory.mktemp("private") / LESSON
    private.mkdir()
    (private / "verdict.py").write_text('check.case("mine", lambda: verdict(1.0, 5.0, [30], [27]), "better")')
    roster = private.parent / "roster.csv"
    roster.write_text("Name;E-Mail;ID\nAnna Meyer;anna@uni.example;1\nZoë Ruf;zoe@uni.example;2\n", "cp1252")
    options = ["--into", str(folder), "--jobs", "2", "--hidden-tests", str(private.parent)]
    options += ["--roster", str(roster)]
    assert main(["grade", str(handed_in), *options]) == 0
    return folder, options


@needs_sandbox
def test_points_feedback_tables_and_summary_are_written(graded, capsys):
    folder, _ = graded
    table = pd.read_csv(folder / "exercises.csv").set_index(["student", "exercise"])
    assert table.loc["anna", "points"].to_dict() == {
        "focal_loss": 2,
        "logit_norm": 2,
        "isomax_logits": 3,
        "verdict": 1,
    }
    assert table.loc["bert", "points"].to_dict() == {
        "focal_loss": 2,
        "logit_norm": 2,
        "isomax_logits": 0,
        "verdict": 0,
    }
    assert table.loc[("carl", "verdict"), "state"] == "held"
    assert "deleted" in table.loc[("carl", "verdict"), "reasons"]
    totals = pd.read_csv(folder / "totals.csv").set_index("student_id")
    assert totals["score"].to_dict() == {"anna": 8, "bert": 4, "carl": 7}
    assert totals["open"].to_dict() == {"anna": 0, "bert": 2, "carl": 1}
    assert totals.loc["anna", ["last_name", "first_name", "email", "id"]].tolist() == [
        "Meyer", "Anna", "anna@uni.example", 1,
    ]  # fmt: skip
    assert pd.read_csv(folder / "missing.csv")["name"].tolist() == ["Zoë Ruf"]
    for table in ("totals", "exercises", "missing"):
        assert (folder / f"{table}.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    summary = (folder / "summary.html").read_text()
    assert "its check cell was deleted or renamed" in summary and "no process is left" in summary
    assert "without a sandbox" not in summary
    page = (folder / "feedback" / "carl" / LESSON / f"{LESSON}.html").read_text()
    assert "✓ hidden mine" in page and "held" not in page
    assert "details > summary { display: list-item" in page
    assert "(Score: 7, 1 open /" in page and page.count("Score: open / 1.0") == 2


@needs_sandbox
def test_a_second_grading_does_nothing_and_a_change_grades_one(graded, handed_in, tmp_path, capsys):
    folder, options = graded
    again = tmp_path / "again"
    shutil.copytree(handed_in, again)
    assert main(["grade", str(again), *options, "--dry-run"]) == 0
    assert "3 submissions, 0 new or changed" in capsys.readouterr().out
    path = again / "bert" / LESSON / f"{LESSON}.ipynb"
    path.write_text(path.read_text() + " ")
    (again / "dora" / LESSON).mkdir(parents=True)
    assert main(["grade", str(again), *options, "--dry-run"]) == 0
    assert "1 new or changed\n  bert" in capsys.readouterr().out
    before = {file: file.read_bytes() for file in folder.rglob("*.json")}
    assert main(["grade", "--into", str(folder)]) == 0
    assert {file: file.read_bytes() for file in folder.rglob("*.json")} == before


@needs_sandbox
def test_a_text_waits_for_a_person_and_stays_as_it_was_written(graded):
    folder, _ = graded
    written = json.loads((folder / "autograded" / "bert" / LESSON / f"{LESSON}.ipynb").read_text())
    assert any("Because of <b>seeds</b>." in "".join(cell["source"]) for cell in written["cells"])
    assert "1</b> texts to read" in (folder / "summary.html").read_text()


@needs_sandbox
def test_points_that_a_person_gave_count_in_all_totals(graded, tmp_path, capsys):
    folder = shutil.copytree(graded[0], tmp_path / "grading")
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE) as book:
        grade = book.find_grade("crowd_essay", LESSON, LESSON, "bert")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    assert main(["grade", "--into", str(folder)]) == 0
    assert "; 0 texts to read: " in capsys.readouterr().out
    totals = pd.read_csv(folder / "totals.csv").set_index("student_id")
    assert totals.loc["bert", "score"] == 5.5 and totals.loc["anna", "id"] == 1, "the roster is kept"
    page = (folder / "summary.html").read_text(encoding="utf-8")
    assert "<td>5.5</td>" in page and "eve: handed in nothing" in page and "Zoë Ruf" in page


@needs_sandbox
def test_the_sandbox_is_proved_wall_by_wall():
    held = proved(Limits())
    assert len(held) == len(proof.WALLS) + len(proof.STOPS) and "the network is out of reach" in held


def test_without_a_sandbox_the_wall_of_the_network_is_seen_to_be_open(monkeypatch):
    network = "the network is out of reach"
    monkeypatch.setattr(proof, "WALLS", {network: proof.WALLS[network]})
    monkeypatch.setattr(proof, "run_cells", lambda cells, limits, sandbox: run_cells(cells, limits, False))
    assert proof._walls(Limits()) == [(network, False)]


@needs_sandbox
def test_installed_beside_the_library_the_grader_is_covered_and_the_data_found(tmp_path, monkeypatch):
    """Without --editable, all packages lie in one folder that can be read, and the data elsewhere."""
    made = tmp_path / "course" / "data" / "mini" / "made.json"
    made.parent.mkdir(parents=True)
    made.touch()
    installed = tmp_path / "site-packages"
    for package in (course_lib, road_scenes, course_tools):
        copied = installed / package.__name__ / "__init__.py"
        copied.parent.mkdir(parents=True)
        copied.touch()
        monkeypatch.setattr(package, "__file__", str(copied))
    monkeypatch.setattr(sys, "base_prefix", str(installed))
    with monkeypatch.context() as patch:
        patch.setattr(launch, "PROJECT_ROOT", tmp_path / "course")
        view = launch.what_is_seen()
    assert view.covered == [str(copied.parent)] and view.packages == []
    inside = [str(installed / package) for package in ("course_lib", "course_tools")]
    look = f"import os\nprint([os.listdir(path) for path in (*{inside}, 'data/mini')])"
    python = replace(view, folders=[*view.folders, str(Path(sys.executable).resolve().parents[1])])
    monkeypatch.setattr(launch, "what_is_seen", lambda: python)
    ((said,),) = run_cells([proof._cell(look)], Limits(), sandbox=True)["outputs"]
    assert said["text"] == "[['__init__.py'], [], ['made.json']]\n"


def test_without_bubblewrap_nothing_is_graded_and_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="apt-get install bubblewrap"):
        proof.prove(Limits())


def test_a_wall_that_does_not_hold_stops_the_grading(monkeypatch):
    monkeypatch.setattr(proof, "_walls", lambda limits: [("the network is out of reach", False)])
    monkeypatch.setattr(proof, "_stops", list)
    monkeypatch.setattr(proof, "missing_programs", list)
    with pytest.raises(RuntimeError, match="does not hold here: the network is out of reach"):
        proof.prove(Limits())


def test_nbgraders_own_autograde_runs_nothing_without_a_result(tmp_path):
    names = {
        "student": "anna",
        "assignment": LESSON,
        "notebook": LESSON,
        "db_url": f"sqlite:///{tmp_path}/gradebook.db",
    }
    with pytest.raises(RuntimeError, match="nothing was executed here"):
        SaveResults().preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})


class Book:
    """A gradebook that takes no page with a certain word."""

    def __init__(self, word):
        self.word, self.entered = word, []

    def enter(self, result):
        if self.word in result["notebook"]:
            raise ValueError("no page")
        self.entered.append(result)


@pytest.mark.parametrize("word", ["odd", "kernelspec"])
def test_one_whose_page_cannot_be_made_is_held_and_if_nobodys_can_grading_stops(tmp_path, monkeypatch, word):
    monkeypatch.setattr(launch, "apart", lambda seconds, function, *given: function(*given))
    lesson, results, book = read_lesson(LESSON), Results(tmp_path), Book(word)
    result = not_graded("anna", lesson, "odd", sandbox=True) | {"fingerprint": "1", "exercises": []}
    results.write(result)
    if word == "kernelspec":
        with pytest.raises(ValueError, match="no page"):
            grade_command._entered(result, book, results, lesson)
        assert results.read("anna", LESSON) == result
        return
    held = grade_command._entered(result, book, results, lesson)
    assert book.entered == [held] and held["fingerprint"] != "1"
    (held,) = results
    assert {entry["reasons"][0] for entry in held["exercises"]} == {"its pages cannot be made: no page"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nowhere"], "no folder or zip of submissions at nowhere"),
        (["--lesson", "01_baseline"], "did you mean 01_baseline_scoring"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--dry-run"], "it needs SUBMISSIONS"),
        (["--roster", "nowhere"], "no roster at nowhere"),
        (["--hidden-tests", "nowhere"], "no folder of hidden tests"),
    ],
)
def test_a_wrong_option_is_explained_in_one_line(tmp_path, capsys, options, told):
    assert main(["grade", *options, "--into", str(tmp_path / "grading")]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


def test_a_dry_run_says_who_is_missing_skips_whom_it_should_and_writes_nothing(handed_in, tmp_path, capsys):
    roster = tmp_path / "roster.csv"
    roster.write_text("id,name,email\nbert,Bert Ott,b@x.example\nzoe,Zoe Ruf,z@x.example\n")
    command = ["grade", str(handed_in), "--dry-run", "--into", str(tmp_path / "grading")]
    assert main([*command, "--roster", str(roster), "--skip", "anna"]) == 0
    said = capsys.readouterr().out
    assert f"2 submissions, 2 new or changed\n  bert  {LESSON}\n  carl" in said
    assert f"not handed in, {LESSON}: Zoe Ruf\n" in said
    assert "not in the roster, or more than once: carl" in said and not (tmp_path / "grading").exists()
    assert main([*command, "--skip", "ana"]) == 2
    assert "did you mean anna?" in capsys.readouterr().err


@needs_sandbox
@pytest.mark.parametrize("chosen", [["--skip", "anna"], ["--student", "bert"]])
def test_whoever_is_not_graded_this_time_has_handed_in_all_the_same(graded, handed_in, tmp_path, chosen):
    folder, options = graded
    here = shutil.copytree(folder, tmp_path / "grading")
    assert main(["grade", str(handed_in), *options[2:], "--into", str(here), *chosen]) == 0
    assert pd.read_csv(here / "missing.csv")["name"].tolist() == ["Zoë Ruf"]
    totals = pd.read_csv(here / "totals.csv").set_index("student_id")
    assert totals.loc["anna", ["last_name", "score"]].tolist() == ["Meyer", 8]


def test_every_lesson_can_be_read_for_grading():
    assert all(read_lesson(name).exercises for name in lesson_names())
