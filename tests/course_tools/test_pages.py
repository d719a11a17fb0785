"""Lessons run headless: every result is kept, and what fails is shown where it failed."""

import argparse
import copy
import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest
from small_data import ROOT
from small_notebooks import CHECK, ESSAY, write_lesson

from course_lib.lesson import notebooks
from course_tools import pages
from course_tools.__main__ import main
from course_tools.commands import run

DESCRIBED = (
    "from course_lib.lesson import figures\nfigures.class_shares({'road': 99.0, 'car': 1.0}, 'A <figure>')"
)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A solved lesson with a figure, a progress bar and an answer in words, after its run."""
    path = tmp_path_factory.mktemp("lesson") / "07_lesson.ipynb"
    bar = "from tqdm.auto import tqdm\nlist(tqdm(range(3)))"
    cells: list[int] = []
    lesson = pages.execute(
        write_lesson(path, more=(DESCRIBED, bar), essays=(ESSAY,)), lambda: cells.append(1)
    )
    return lesson, len(cells)


def test_a_lesson_reports_points_time_and_memory(executed):
    lesson, cells = executed
    assert (lesson.title, lesson.error) == ("7 A lesson", "")
    assert (lesson.points, lesson.most_points) == (2, 2), "without those that a person gives"
    assert 0.1 < lesson.peak_gb < 2 and lesson.seconds > 0
    assert cells == 6, "five cells and the memory probe, for the progress bar"


def test_where_nothing_moves_figures_stay_and_progress_bars_go(executed):
    shown = json.dumps(pages.without_widgets(executed[0].notebook))
    assert "A &lt;figure&gt;" in shown and "twice: 2 of 2 points" in shown
    assert "3/3" in json.dumps(executed[0].notebook) and "3/3" not in shown


def test_the_index_leads_to_every_lesson_and_says_how_it_went(executed):
    broken = dataclasses.replace(executed[0], name="08_more", error="Traceback\nValueError: <no>")
    index = pages.index_page([executed[0], broken], "mini")
    assert '<a href="site/lessons/07_lesson.html">7 A lesson</a>: ran in ' in index
    assert re.search(r"ran in \d+\.\d s, \d\.\d\d GB of memory; 2 of 2 points", index)
    assert "STOPPED, ValueError: &lt;no&gt;" in index and "http" not in index


def test_a_lesson_without_a_heading_has_its_name_for_a_title(executed):
    notebook = copy.deepcopy(executed[0].notebook)
    notebook.cells[0].source = "text"
    assert dataclasses.replace(executed[0], notebook=notebook).title == "07_lesson"


@pytest.fixture
def two_lessons(tmp_path, monkeypatch):
    """A broken lesson and a good one, and what is to be built of them instead of the building."""
    broken = write_lesson(tmp_path / "07_broken" / "07_broken.ipynb", more=("1 / 0", "print('never')"))
    good = write_lesson(tmp_path / "08_good" / "08_good.ipynb")
    built = []
    monkeypatch.setattr(notebooks, "lesson_files", lambda: [broken, good])
    monkeypatch.setattr(pages, "SOURCE", tmp_path / "site")
    monkeypatch.setattr(pages, "obstacle", lambda: "")
    monkeypatch.setattr(pages, "build_site", lambda *given, strict: built.append((*given, strict)))
    return argparse.Namespace(folder=tmp_path, broken=broken, built=built)


def test_a_failing_cell_is_shown_and_does_not_stop_the_other_lessons(two_lessons, capsys):
    folder, before = two_lessons.folder, two_lessons.broken.read_bytes()
    assert main(["run", "--output", str(folder / "results")]) == 1
    shown = capsys.readouterr().out
    assert "07_broken: STOPPED, ZeroDivisionError: division by zero" in shown
    assert "08_good: ran in" in shown
    assert two_lessons.built == [(folder / "site", folder / "results" / "site", False)]
    assert "ZeroDivisionError" in (folder / "site/lessons/07_broken.ipynb").read_text()
    assert "STOPPED" in (folder / "results/index.html").read_text()
    assert two_lessons.broken.read_bytes() == before


@pytest.mark.parametrize("others, warns", [(0.0, False), (1.5, True)])
def test_run_warns_where_other_programs_compute(two_lessons, monkeypatch, capsys, others, warns):
    monkeypatch.setattr(notebooks, "lesson_files", list)
    monkeypatch.setattr(run.profiling, "load", lambda: run.profiling.Load(others, threads=2, cores=2))
    main(["run", "--output", str(two_lessons.folder / "results")])
    shown = capsys.readouterr().out
    assert run.USUALLY in shown and ("other programs keep 1.5 of 2 cores busy" in shown) == warns


def test_the_readme_says_how_long_a_run_takes_as_the_command_does():
    assert f"`run` takes {run.USUALLY}" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_without_sphinx_the_lessons_run_and_one_line_says_what_is_missing(two_lessons, monkeypatch, capsys):
    monkeypatch.setattr(pages, "obstacle", lambda: "pages need sphinx")
    assert main(["run", "--output", str(two_lessons.folder / "results")]) == 1
    assert "pages need sphinx. The lessons as they ran are in" in capsys.readouterr().out
    assert (two_lessons.folder / "results/lessons/08_good.ipynb").is_file() and two_lessons.built == []


def test_a_hanging_cell_and_a_dead_kernel_are_errors(tmp_path, monkeypatch):
    path = tmp_path / "lesson.ipynb"
    assert "died" in pages.execute(write_lesson(path, more=("import os; os._exit(1)",))).error.lower()
    monkeypatch.setattr(pages, "LONGEST_CELL", 3)
    assert "time" in pages.execute(write_lesson(path, more=("while True: pass",))).error.lower()


def test_an_unsolved_check_that_fails_open_is_noticed(tmp_path):
    """The plugin ``unsolved`` makes the nbval run a test that nothing is earned for nothing."""
    stub = "def twice(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    for name, last in {"right": "check.points()", "none": "print(check.points())", "gift": "1.0"}.items():
        write_lesson(tmp_path / f"{name}.ipynb", stub, CHECK.replace("check.points()", last))
    options = f"-m pytest --nbval -p unsolved -c {ROOT / 'pyproject.toml'} -rf"
    done = subprocess.run(
        [sys.executable, *options.split(), tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    failed = re.findall(r"^FAILED .*?(\w+)\.ipynb", done.stdout, re.MULTILINE)
    assert sorted(failed) == ["gift", "none"], done.stdout + done.stderr
