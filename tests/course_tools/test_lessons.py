"""Lessons run headless: every result is on a page, and what fails is shown where it failed."""

import copy
import dataclasses
import os
import re
import subprocess
import sys
import time

import pytest
from nbformat.v4 import new_output
from small_data import ROOT
from small_notebooks import CHECK, ESSAY, write_lesson

from course_lib.lesson import notebooks
from course_tools import pages
from course_tools.__main__ import main

DESCRIBED = "from course_lib import plots\nplots.class_shares({'road': 99.0, 'car': 1.0}, 'A <figure>')"


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
    assert 0.1 < lesson.peak_gb < 2 and lesson.seconds > 1
    assert cells == 6, "five cells and the memory probe, for the progress bar"


def test_a_page_needs_no_network_and_has_formulas_links_and_described_figures(executed):
    page = pages.lesson_page(executed[0])
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "<math" in page and "$1" not in page
    assert 'href="08_more.html"' in page
    assert 'alt="A &lt;figure&gt;: road 99.0 %, car 1.0 %."' in page
    assert "twice: 2 of 2 points" in page
    assert "3/3" not in page, "no frozen progress bars"


def test_a_formula_that_cannot_be_translated_and_a_missing_heading_stop_nothing(executed):
    notebook = copy.deepcopy(executed[0].notebook)
    notebook.cells[0].source = "$x_{$"
    lesson = dataclasses.replace(executed[0], notebook=notebook)
    assert lesson.title == "07_lesson"
    assert "<code>x_{</code>" in pages.lesson_page(lesson)


def test_only_our_figures_are_copied_into_the_index(executed):
    notebook = copy.deepcopy(executed[0].notebook)
    html = '<img src=x onerror="alert(1)">'
    notebook.cells[4].outputs = [new_output("display_data", data={"text/html": html})]
    assert "<img" not in pages.index_page([dataclasses.replace(executed[0], notebook=notebook)], "mini")


def test_the_index_shows_every_lesson_with_its_picture(executed):
    index = pages.index_page([executed[0]], "mini")
    assert 'href="lessons/07_lesson.html"' in index and "<img alt=" in index
    assert re.search(r"ran in \d+ s, \d\.\d GB of memory; 2 of 2 points", index)


def test_a_failing_cell_is_shown_and_does_not_stop_the_other_lessons(tmp_path, monkeypatch, capsys):
    broken = write_lesson(tmp_path / "07_broken" / "07_broken.ipynb", more=("1 / 0", "print('never')"))
    good = write_lesson(tmp_path / "08_good" / "08_good.ipynb")
    monkeypatch.setattr(notebooks, "lesson_files", lambda: [broken, good])
    before = broken.read_bytes()
    assert main(["run", "--output", str(tmp_path / "results")]) == 1
    shown = capsys.readouterr().out
    assert "07_broken: STOPPED, ZeroDivisionError: division by zero" in shown
    assert "08_good: ran in" in shown
    assert "ZeroDivisionError" in (tmp_path / "results/lessons/07_broken.html").read_text()
    assert 'class="failed"' in (tmp_path / "results/index.html").read_text()
    assert broken.read_bytes() == before


def test_a_hanging_cell_and_a_dead_kernel_are_errors(tmp_path, monkeypatch):
    path = tmp_path / "lesson.ipynb"
    assert "died" in pages.execute(write_lesson(path, more=("import os; os._exit(1)",))).error.lower()
    monkeypatch.setattr(pages.execution, "LONGEST_CELL", 3)
    started = time.monotonic()
    assert "time" in pages.execute(write_lesson(path, more=("while True: pass",))).error.lower()
    assert time.monotonic() - started < 30


@pytest.fixture
def nbval_status(tmp_path):
    """Run nbval on an unsolved lesson with a given check cell; return the exit status."""
    stub = "def twice(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}

    def run(check):
        path = write_lesson(tmp_path / "lesson.ipynb", stub, check)
        command = [
            sys.executable,
            *f"-m pytest --nbval -p unsolved -c {ROOT / 'pyproject.toml'}".split(),
            path,
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode

    return run


def test_an_unsolved_check_that_fails_open_is_noticed(nbval_status):
    """The plugin ``unsolved`` makes the nbval run a test that nothing is earned for nothing."""
    assert nbval_status(CHECK) == 0
    assert nbval_status(CHECK.replace("check.points()", "print(check.points())")) == 1
    assert nbval_status(CHECK.replace("check.points()", "1.0")) == 1
