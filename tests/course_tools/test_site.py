"""The site's sources: which lessons are run anew, what becomes of them, and pages that say what is true."""

import argparse
import importlib
import re
import shutil

import nbformat
import pytest
from small_data import ROOT
from small_notebooks import write_lesson

from course_lib.lesson import notebooks
from course_tools import pages, release
from course_tools.__main__ import main
from course_tools.commands import COMMANDS

PAGES = ("index.md", "faq.md")
NAMES = {name for commands in COMMANDS.values() for name in commands}
TEXTS = {name: (ROOT / "site" / name).read_text(encoding="utf-8") for name in PAGES}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Two lessons as they were released, a count of how often each is executed, and no Sphinx."""
    paths, executed, built = [], [], []
    for name in ("07_lesson", "08_more"):
        source = write_lesson(tmp_path / "solutions" / name / f"{name}.ipynb")
        paths.append(tmp_path / "notebooks" / name / f"{name}.ipynb")
        paths[-1].parent.mkdir(parents=True)
        paths[-1].write_bytes(release.student_version(source).encode())

    def execute(path, finished_cell=None):
        executed.append(path.stem)
        notebook = nbformat.read(path, as_version=4)
        return pages.Executed(path.stem, notebook, 1.0, 0.1, 2, 2, failing.get(path.stem, ""))

    failing = {}
    monkeypatch.setattr(notebooks, "lesson_files", lambda: paths)
    monkeypatch.setattr(pages, "execute", execute)
    monkeypatch.setattr(pages, "build_site", lambda *given, strict=True: built.append(given))
    monkeypatch.setattr(pages, "obstacle", lambda: "")
    monkeypatch.setattr(pages, "SOURCE", tmp_path / "site")
    return argparse.Namespace(folder=tmp_path, paths=paths, executed=executed, built=built, failing=failing)


def build(course):
    """Return the status of the command and which lessons it executed."""
    course.executed.clear()
    return main(["site", "--output", str(course.folder / "results")]), course.executed


def change(course, code):
    """Add a cell to the second lesson."""
    write_lesson(course.folder / "solutions" / "08_more" / "08_more.ipynb", more=(code,))


def test_a_lesson_is_executed_once_and_again_when_its_notebook_or_the_profile_changes(course, monkeypatch):
    assert build(course) == (0, ["07_lesson", "08_more"])
    assert build(course) == (0, [])
    change(course, "1 + 1")
    assert build(course) == (0, ["08_more"])
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    assert build(course) == (0, ["07_lesson", "08_more"])


def test_what_run_executed_is_not_executed_again(course):
    assert main(["run", "--output", str(course.folder / "results")]) == 0
    assert build(course) == (0, [])


def test_lessons_are_shown_as_they_are_released_whatever_the_builder_solved(course):
    write_lesson(course.paths[0], more=("'mine'",))
    assert main(["run", "--output", str(course.folder / "results")]) == 0
    mine = (course.folder / "results" / "lessons" / "07_lesson.ipynb").read_bytes()
    assert build(course) == (0, ["07_lesson"])
    page = (course.folder / "site" / "lessons" / "07_lesson.ipynb").read_text(encoding="utf-8")
    assert "YOUR CODE HERE" in page and "return 2 * x" not in page and "mine" not in page
    assert (course.folder / "results" / "lessons" / "07_lesson.ipynb").read_bytes() == mine, "run's own"


def test_where_there_are_no_solutions_the_notebooks_are_shown(course):
    shutil.rmtree(course.folder / "solutions")
    assert build(course) == (0, ["07_lesson", "08_more"])


@pytest.mark.parametrize("released", [True, False])
def test_code_of_checks_is_folded_and_a_released_lesson_shows_nobodys_points(tmp_path, released):
    path = write_lesson(tmp_path / "07_lesson.ipynb", more=("progress()",))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].id = "progress"
    check = notebook.cells[3]
    check.metadata["jupyter"] = {"source_hidden": True}
    check.outputs = [nbformat.v4.new_output("stream", text="twice: not attempted yet")]
    pages.write_lesson_sources({"07_lesson": notebook}, "mini", tmp_path / "site", released)
    page = nbformat.read(tmp_path / "site" / "07_lesson.ipynb", as_version=4)
    folded = [cell.id for cell in page.cells if "hide-input" in cell.metadata.get("tags", ())]
    assert folded == [check.id]
    text = nbformat.writes(page)
    assert ("not attempted" in text, "progress()" in text) == (not released, not released)


def test_a_lesson_that_stops_is_named_and_nothing_is_built(course, capsys):
    build(course)
    course.built.clear()
    course.failing["08_more"] = "Traceback\nZeroDivisionError: division by zero"
    change(course, "1 / 0")
    assert build(course) == (1, ["08_more"]) and course.built == []
    assert "08_more: STOPPED, ZeroDivisionError: division by zero" in capsys.readouterr().err
    assert not (course.folder / "results" / "released" / "08_more.ipynb").exists(), "the old one is no answer"


def test_without_sphinx_nothing_is_executed_and_one_line_says_what_to_install(course, monkeypatch, capsys):
    monkeypatch.setattr(pages, "obstacle", lambda: "pages need sphinx; install them")
    assert build(course) == (2, []) and capsys.readouterr().err == "error: pages need sphinx; install them\n"


def test_warnings_of_sphinx_are_an_error(course, monkeypatch):
    monkeypatch.setattr(pages, "build_site", lambda source, output: 1)
    assert build(course)[0] == 1


def test_the_source_of_a_page_has_a_note_links_to_pages_and_no_lesson_that_is_gone(course):
    folder = course.folder / "site" / "lessons"
    folder.mkdir(parents=True)
    (folder / "06_gone.ipynb").write_text("{}")
    build(course)
    assert sorted(path.name for path in folder.iterdir()) == ["07_lesson.ipynb", "08_more.ipynb"]
    page = nbformat.read(folder / "07_lesson.ipynb", as_version=4)
    assert "[the next](08_more.ipynb)" in page.cells[0].source
    assert "profile `mini`" in page.cells[1].source
    nbformat.validate(page)


def test_links_to_pages_lead_there_and_folded_code_stays_folded(tmp_path):
    text = "# A\n[words](../../site/glossary.md) and [more](../../site/faq.md#exercises)"
    code = nbformat.v4.new_code_cell("1", metadata={"tags": ["demo"], "jupyter": {"source_hidden": True}})
    cells = [nbformat.v4.new_markdown_cell(text), code, nbformat.v4.new_code_cell("2")]
    pages.write_lesson_sources({"07": nbformat.v4.new_notebook(cells=cells)}, "mini", tmp_path)
    written = nbformat.read(tmp_path / "07.ipynb", as_version=4).cells
    assert written[0].source == "# A\n[words](../glossary.md) and [more](../faq.md#exercises)"
    assert written[2].metadata.tags == ["demo", "hide-input"] and "tags" not in written[3].metadata


def test_formulas_in_hidden_answers_are_set_as_well(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A\n$a$"),
            nbformat.v4.new_markdown_cell("<details><summary>Answer</summary>It is $-p$.</details>\n$b$"),
        ]
    )
    pages.write_lesson_sources({"07_lesson": notebook}, "mini", tmp_path)
    written = nbformat.read(tmp_path / "07_lesson.ipynb", as_version=4)
    assert written.cells[0].source == "# A\n$a$"
    assert r'It is <span class="math">\(-p\)</span>.</details>' in written.cells[2].source
    assert written.cells[2].source.endswith("$b$")


def test_the_reference_lists_every_package_of_the_library():
    listed = re.findall(r"^   (\w+)$", (ROOT / "site" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    there = {path.stem for path in (ROOT / "course_lib").glob("[a-z]*") if path.suffix in ("", ".py")}
    assert sorted(listed) == sorted(there - {"weights"})


@pytest.mark.parametrize("name", PAGES)
def test_commands_on_a_page_exist_with_their_options(name):
    commands = re.findall(r"`(?:python3 start.py|course) ([a-z-]+)([^`]*)`", TEXTS[name])
    assert commands
    for command, options in commands:
        assert command in NAMES
        module = importlib.import_module(f"course_tools.commands.{command.replace('-', '_')}")
        known = {option for action in module.parser()._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z-]+", options)) <= known
    assert set(re.findall(r"start\.py ([a-z-]+)", TEXTS[name])) <= NAMES


def test_times_on_the_home_page_are_those_of_the_lessons():
    rows = re.findall(r"\]\(lessons/(\w+)\.ipynb\) \|.*\| (.*) \|", TEXTS["index.md"])
    assert len(rows) == len(notebooks.lesson_files())
    for name, time in rows:
        text = (ROOT / "notebooks" / name / f"{name}.ipynb").read_text(encoding="utf-8")
        said = re.search(r"\*Time: ([^.,]+)", text)[1]
        assert said.replace(" and ", " ").removesuffix(" minutes") == time.removesuffix(" minutes"), name
