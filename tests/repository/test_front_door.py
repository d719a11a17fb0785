"""What a stranger reads first is true: links, commands, times of the lessons, citation."""

import re
import shlex
from importlib.util import find_spec

import nbformat
import pytest
import yaml
from small_data import ROOT

import course_lib
from course_tools.commands import COMMANDS

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "site").glob("*.md")),
]
NAMES = [name for commands in COMMANDS.values() for name in commands]
for_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


@for_each_page
def test_links_to_files_lead_to_one(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link and not link.startswith("lessons/")]
    assert [link for link in files if not (page.parent / link).exists()] == []


@for_each_page
def test_anchors_are_headings(page):
    for link, anchor in re.findall(r"\]\(([^)#]*)#([^)]*)\)", page.read_text(encoding="utf-8")):
        text = (page.parent / link if link else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
        assert anchor in {re.sub("[,?]", "", heading.lower()).replace(" ", "-") for heading in headings}


@for_each_page
def test_commands_and_scripts_exist(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"python3 start.py ([a-z][a-z-]+)", text)
    scripts = re.findall(r"\bdata_scripts/\w+\.py|\btests/[\w/]+\.py", text)
    assert [name for name in named if name not in NAMES] == []
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_the_six_commands_of_a_contributor_can_be_given():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^\|.*\| `(.+)` \|$", text, flags=re.MULTILINE)]
    assert len(commands) == 6
    for program, first, *rest in commands:
        if program == "python3":
            assert first == "start.py" and rest[0] in NAMES
        else:
            assert (program, first) in {("ruff", "check"), ("ruff", "format")} and find_spec("ruff")


def test_the_lesson_table_has_the_time_of_every_lesson():
    rows = re.findall(r"^\| \[.+\]\((.+)\) \|.*\| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(rows) == len(list((ROOT / "notebooks").glob("[0-9]*/*.ipynb")))
    for path, time in rows:
        first = nbformat.read(ROOT / path, as_version=4).cells[0].source
        stated = re.search(r"\*Time: (.+?)[,.]", first)[1]
        assert stated.replace(" and ", " ").removesuffix(" minutes") == time.removesuffix(" minutes")


def test_the_citation_names_the_course_as_it_is():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == course_lib.__version__ and citation["license"] == "MIT"
    assert citation["authors"] == [{"name": "The course contributors"}]
    (paper,) = citation["references"]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert paper["title"] in readme and all(author["family-names"] in readme for author in paper["authors"])
