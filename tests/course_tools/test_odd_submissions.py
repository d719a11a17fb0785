"""One class with every odd submission in it: each gets what it should, and nobody is touched by another."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest
from bs4 import BeautifulSoup
from odd_submissions import CLASS, SOLVED, handed_in, lesson, with_answers
from sandbox_here import needs_sandbox

from course_tools.__main__ import main
from course_tools.grading import gradebook, launch
from course_tools.grading import lesson as reading
from course_tools.grading.batch import graders
from course_tools.grading.lesson import read_lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job

pytestmark = needs_sandbox
NAME, TASKS = "07_odd", ("msp", "keep", "thrice")
INTRUDER = """
import os, socket, sys
there = [os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names]
there = [path for path in there if "fontlist" not in path]
for path in there:
    for way in (open, lambda path: socket.socket(socket.AF_UNIX).connect(path)):
        try:
            way(path)
            print("REACHED", path)
        except OSError:
            print("refused")
"""
"""What another user of the machine may try with the kernels that run."""


class Neighbour(threading.Thread):
    """Looks at the grader while it works: for ports that wait, and, as another user, for a way in."""

    def __init__(self, temporary):
        super().__init__()
        self.temporary, self.ends = Path(temporary), threading.Event()
        self.looks, self.ports, self.said = 0, set(), ""

    def run(self):
        while not self.ends.wait(0.5):
            if len(launch.WORKERS) < 2:  # the proof of the sandbox listens, to see that nobody comes
                continue
            processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
            for process in processes:
                try:
                    opened = process.net_connections("inet")
                except psutil.Error:
                    continue
                self.ports |= {
                    (one.laddr, str(process)) for one in opened if one.status == psutil.CONN_LISTEN
                }
            self.looks += len(processes) > 3
            if os.geteuid() == 0 and not self.said and list(self.temporary.glob("grading-*/socket*")):
                python = shutil.which("python3", path="/usr/bin:/bin")
                command = [python, "-IS", "-c", INTRUDER, self.temporary]
                done = subprocess.run(command, user=65534, cwd="/", capture_output=True, text=True)
                self.said = done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with the one lesson, in place of ours."""
    root = tmp_path_factory.mktemp("course")
    path = root / "solutions" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(lesson(), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_lesson, "__defaults__", (None, root))
        patch.setattr(reading, "PROJECT_ROOT", root)
        patch.setattr(gradebook, "PROJECT_ROOT", root)
        yield root


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory, own_temporary):
    """The folder of the grading of the whole class, and who looked on."""
    handed, into = tmp_path_factory.mktemp("handed_in"), tmp_path_factory.mktemp("grading")
    released = read_lesson(NAME).released
    for learner in CLASS:
        path = handed / learner / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(handed_in(released, learner))
    Path(own_temporary).chmod(0o755)  # so that what is inside has to protect itself
    neighbour = Neighbour(own_temporary)
    neighbour.start()
    try:
        assert main(["grade", str(handed), "--into", str(into), "--jobs", "2"]) == 0
    finally:
        neighbour.ends.set()
        neighbour.join()
    return into, neighbour


@pytest.fixture(scope="module")
def table(graded):
    """A row per learner and exercise; names as the class has them."""
    table = pd.read_csv(graded[0] / "exercises.csv", encoding="utf-8-sig").fillna({"reasons": ""})
    return table.set_index(["student", "exercise"])


def folder_of(learner, table):
    """Return the name that the grader gives a learner."""
    safe = learner.replace(" ", "-").replace("<", "-").replace(",", "-").replace("/", "-").strip("-@")
    return next(name for name in table.index.unique("student") if name.startswith(safe))


@pytest.mark.parametrize("learner", CLASS)
def test_each_learner_gets_what_the_work_is_worth(table, learner):
    _, expected, reason = CLASS[learner]
    rows = table.loc[folder_of(learner, table)].loc[list(TASKS)]
    for points, right, state in zip(rows["points"], expected, rows["state"], strict=True):
        assert right is ... or (pd.isna(points) and state == "held" if right is None else points == right)
    assert reason in " ".join(rows["reasons"]) and (reason or set(rows["reasons"]) == {""})


def test_a_changed_demo_cell_gives_its_definitions_and_is_named(graded):
    assert "only definitions and imports were run" in (graded[0] / "summary.html").read_text()


def test_what_a_stub_earned_is_suggested_and_other_code_is_named(table):
    row = table.loc[(folder_of("stubs that earn", table), "msp")]
    assert row["suggested"] == 1 and "mentions Check" in row["reasons"]


def test_the_summary_stays_small_and_shows_every_name(graded, table):
    page = (graded[0] / "summary.html").read_text(encoding="utf-8")
    names = [folder_of(learner, table) for learner in ("王芳", "@anna", "all", "honest")]
    assert len(page) < 300_000 and all(f"<th>{name}</th>" in page for name in names)


def test_no_name_or_reason_is_a_formula(graded):
    lines = (graded[0] / "exercises.csv").read_text(encoding="utf-8-sig").splitlines()
    assert any(line.startswith("anna-") for line in lines)
    assert not any(line.startswith(("@", "=", "+", "-")) for line in lines)


def page_of(graded, table, learner):
    """Return the feedback page of a learner."""
    path = graded[0] / "feedback" / folder_of(learner, table).lstrip("'") / NAME / f"{NAME}.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_a_pasted_picture_is_in_the_feedback_and_other_attachments_are_not(graded, table):
    pasted, other = (page_of(graded, table, name) for name in ("pasted picture", "other attachments"))
    assert any(img["src"].startswith("data:image/png;base64,iVBOR") for img in pasted.find_all("img"))
    assert not [img for img in other.find_all("img") if not img["src"].startswith("https://c.d/")]


def test_nothing_active_or_remote_survives_into_feedback(graded, table):
    page, plain = page_of(graded, table, "active texts"), page_of(graded, table, "honest")
    for tag in ("script", "iframe", "form", "input", "svg", "style", "meta", "link", "math", "img"):
        assert len(page.find_all(tag)) == len(plain.find_all(tag)), tag
    assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    links = {link.get("href", "") for link in page.find_all("a")}
    assert all(link.startswith(("http://x", "https://c.d", "#")) or not link for link in links)


def test_details_and_badges_of_the_lesson_are_rendered(graded, table):
    page = page_of(graded, table, "honest")
    assert page.find("details").find("img")["src"] == "https://c.d/e.svg"


def test_no_port_is_open_while_grading_here(graded):
    assert graded[1].looks > 5 and not graded[1].ports


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
def test_another_user_reaches_no_kernel(graded):
    assert "refused" in graded[1].said and "REACHED" not in graded[1].said


def test_private_cases_are_told_as_passed_or_not_and_nothing_of_them_is_shown(course, tmp_path):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "thrice.py").write_text('check.case("mine", lambda: thrice(424242), 1272726)')
    found = read_lesson(NAME, tmp_path)
    jobs = []
    for way, body in {"prints": "return 3 * x", "raises": "raise ValueError(seen[0][-150:])"}.items():
        written = nbformat.from_dict(json.loads(json.dumps(found.released)))
        leak = f"seen = []\ndef thrice(x):\n    seen.append(get_ipython().user_ns['In'][-1])\n    {body}"
        with_answers(written, SOLVED | {"thrice": leak})
        written.cells.append(nbformat.v4.new_code_cell("print(seen, In)"))
        jobs.append(Job(way, NAME, nbformat.writes(written).encode()))
    with graders(2, "", Limits(), sandbox=True) as grading:
        keys = grading.answer_keys({NAME: found})
        results = {job.student: result for job, result in grading.grade_all(jobs, {NAME: found}, keys)}
    for way, report in {"prints": "✓ hidden mine", "raises": "mine: a hidden case does not hold"}.items():
        (entry,) = [entry for entry in results[way]["exercises"] if entry["exercise"] == "thrice"]
        assert "424242" not in results[way]["notebook"] + str(results[way]["exercises"])
        assert "def thrice" in results[way]["notebook"] and report in entry["report"]
        assert entry["cases"]["mine"] is (way == "prints")
