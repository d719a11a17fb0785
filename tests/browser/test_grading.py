"""From a lesson solved in JupyterLab to points that a person gives in Formgrader."""

import nbformat
import pandas as pd
from lesson_cells import exercises
from playwright.sync_api import expect
from sandbox_here import needs_sandbox
from small_data import ROOT
from small_notebooks import ANSWER, ESSAY, answered, teach_only

from course_lib.lesson import notebooks
from course_tools import release
from course_tools.__main__ import main
from course_tools.grading.lesson import read_lesson

LESSON, SHORT = "07_small", "00_start_here"
MATHJAX = "window.MathJax = new Proxy(() => {}, {get: () => window.MathJax, apply: () => window.MathJax})"
"""In place of what nbgrader's pages load from the network to set formulas."""
TEXT = "Because seeds differ more than losses do."


def hand_in(folder):
    """Write a submission of the small lesson, with the right answer and a text."""
    written = answered(read_lesson(LESSON), {"twice": ANSWER})
    next(cell for cell in written.cells if "essay" in str(cell.metadata)).source = TEXT
    path = folder / "anna" / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(written, path)


@needs_sandbox
def test_formgrader_shows_a_submission_and_takes_points_that_are_exported(
    page, course, tmp_path, monkeypatch
):
    address, folder = course
    teach_only(LESSON, folder, monkeypatch, essays=(ESSAY,))
    hand_in(tmp_path / "submissions")
    page.route("**/mathjax/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
    into = ["--into", str(folder / "grading")]
    assert main(["grade", str(tmp_path / "submissions"), *into]) == 0
    page.goto(f"{address}/formgrader/gradebook")
    page.get_by_role("link", name=LESSON).click()
    page.get_by_role("link", name=LESSON).last.click()
    page.get_by_role("link", name="Submission #1").click()
    page.get_by_text(TEXT).wait_for()
    expect(page.get_by_text("twice: 2 of 2 points")).to_be_visible()
    boxes = page.locator("input.score")
    expect(boxes).to_have_count(2)
    page.wait_for_load_state("networkidle")  # the page asks for the grades before it listens to the boxes
    with page.expect_response(lambda response: response.request.method == "PUT" and response.ok):
        boxes.last.fill("1.5")
        boxes.last.blur()
    assert main(["grade", *into]) == 0
    totals = pd.read_csv(folder / "grading" / "totals.csv").iloc[0]
    assert (totals["student_id"], totals["score"], totals["max_score"]) == ("anna", 3.5, 4)
    page.goto((folder / "grading" / "feedback" / "anna" / LESSON / f"{LESSON}.html").as_uri())
    expect(page.get_by_text("Score: 3.5 / 4").first).to_be_visible()


@needs_sandbox
def test_a_lesson_goes_round_from_release_to_feedback(page, course, tmp_path, monkeypatch):
    address, folder = course
    path = folder / "notebooks" / SHORT / f"{SHORT}.ipynb"
    path.unlink()
    for target, text in release.outdated(folder).items():
        release.write(target, text)
    solve_in_jupyterlab(page, f"{address}/lab/tree/notebooks/{SHORT}/{SHORT}.ipynb", "class_share", path)
    monkeypatch.setattr(notebooks.lesson_files, "__defaults__", (folder,))
    packed = tmp_path / "moodle" / "Anna Meyer_123_assignsubmission_file_" / "submission.zip"
    assert main(["submit", "--output", str(packed)]) == 0
    assert main(["grade", str(tmp_path / "moodle"), "--into", str(folder / "grading")]) == 0
    table = pd.read_csv(folder / "grading" / "exercises.csv").set_index("exercise")
    assert table["points"].to_dict() == {"class_share": 1, "prevalence": 0}
    page.route("**/mathjax/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
    page.goto((folder / "grading" / "feedback" / "Anna-Meyer-123" / SHORT / f"{SHORT}.html").as_uri())
    expect(page.get_by_text("class_share: 1 of 1 point")).to_be_visible()
    expect(page.get_by_text("Score: 1.0 / 2").first).to_be_visible()


def solve_in_jupyterlab(page, address, name, path):
    """Write the right answer into a cell, run the lesson, and save it."""
    task = next(
        task for task in exercises(ROOT / "solutions" / SHORT / f"{SHORT}.ipynb") if task.name == name
    )
    page.goto(address)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.locator(".jp-CodeCell .cm-content").filter(has_text=f"def {name}(").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(task.answer)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text(f"{name}: 1 of 1 point").wait_for(state="attached", timeout=90_000)
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    assert task.answer in nbformat.read(path, as_version=4).cells[_at(path, name)].source


def _at(path, name):
    """Return where the answer cell of an exercise is."""
    cells = nbformat.read(path, as_version=4).cells
    return next(
        n
        for n, cell in enumerate(cells)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{name}_answer"
    )
