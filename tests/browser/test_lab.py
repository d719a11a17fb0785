"""A learner opens lesson 0 in JupyterLab, runs cells and sees figures; the executed pages open, too."""

from small_notebooks import write_lesson

from course_tools import pages

TROUBLE = ".jp-NotebookPanel [data-mime-type*=stderr], .jp-NotebookPanel [data-mime-type*=error]"
LAST_OUTPUT = "mini_RoadAnomaly 30 images"
FIGURE = "from course_lib import plots\nplots.class_shares({'road': 99.0, 'car': 1.0}, 'Two classes')"


def test_jupyterlab_opens_on_lesson_0_which_runs_and_its_figures_have_alternative_texts(page, lab):
    page.goto(lab)  # it opens lesson 0 by itself
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text(LAST_OUTPUT).wait_for(state="attached", timeout=90_000)
    figures = page.locator(".jp-NotebookPanel .jp-OutputArea img")
    texts = [figures.nth(i).get_attribute("alt") for i in range(figures.count())]
    assert len(texts) == 3 and texts[0].startswith("Three training scenes")
    assert figures.first.evaluate("image => image.naturalWidth") > 800
    assert page.get_by_text("not attempted yet").count() == 2
    assert page.locator(TROUBLE).count() == 0


def test_an_executed_lesson_is_a_page_with_formulas_and_figures(page, tmp_path):
    lesson = pages.execute(write_lesson(tmp_path / "07_lesson.ipynb", more=(FIGURE,)))
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "07_lesson.html").write_text(pages.lesson_page(lesson), encoding="utf-8")
    (tmp_path / "index.html").write_text(pages.index_page([lesson], "mini"), encoding="utf-8")
    page.goto((tmp_path / "index.html").as_uri())
    page.get_by_role("link", name="7 A lesson").click()
    assert page.get_by_role("img", name="Two classes: road 99.0 %, car 1.0 %.").is_visible()
    formula = page.locator("math").first
    assert formula.is_visible() and formula.text_content() == "1+1=2"
    page.get_by_role("link", name="all lessons").click()
    assert page.title() == "Road anomalies: the executed lessons"
