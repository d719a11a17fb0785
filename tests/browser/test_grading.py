"""From a lesson solved in JupyterLab to points that a person gives in Formgrader."""

import nbformat
import pandas as pd
from class_of_students import notebook
from lesson_cells import exercises
from sandbox_here import needs_sandbox
from small_data import ROOT

from course_lib.__main__ import main
from course_lib.grading import read_lesson

LESSON = "04_training_losses"
MATHJAX = "window.MathJax = new Proxy(() => {}, {get: () => window.MathJax, apply: () => window.MathJax})"
"""In place of what nbgrader's pages load from the network to set formulas."""
TEXT = "Because seeds differ more than losses do."


def hand_in(folder):
    """Write a submission with right answers and a text."""
    tasks = exercises(ROOT / "solutions" / LESSON / f"{LESSON}.ipynb")
    written = notebook(read_lesson(LESSON), {task.name: task.answer for task in tasks})
    next(cell for cell in written.cells if "essay" in str(cell.metadata)).source = TEXT
    path = folder / "anna" / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(written, path)


@needs_sandbox
def test_formgrader_shows_a_submission_and_takes_points_that_are_exported(page, course, tmp_path):
    address, folder = course
    hand_in(tmp_path / "submissions")
    page.route("**/mathjax/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
    into = ["--into", str(folder / "grading")]
    assert main(["grade", str(tmp_path / "submissions"), *into]) == 0
    page.goto(f"{address}/formgrader/gradebook")
    page.get_by_role("link", name=LESSON).click()
    page.get_by_role("link", name=LESSON).last.click()
    page.get_by_role("link", name="Submission #1").click()
    page.get_by_text(TEXT).wait_for()
    assert page.get_by_text("focal_loss: 2 of 2 points").is_visible()
    boxes = page.locator("input.score")
    assert boxes.count() == 5
    with page.expect_response(lambda response: response.request.method == "PUT" and response.ok):
        boxes.last.fill("1.5")
        boxes.last.blur()
    assert main(["grade", *into]) == 0
    totals = pd.read_csv(folder / "grading" / "totals.csv").iloc[0]
    assert (totals["student_id"], totals["raw_score"], totals["max_score"]) == ("anna", 9.5, 10)
    page.goto((folder / "grading" / "feedback" / "anna" / LESSON / f"{LESSON}.html").as_uri())
    assert page.get_by_text("Score: 9.5 / 10").first.is_visible()
