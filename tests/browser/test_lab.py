"""A learner opens lesson 0 in JupyterLab, runs cells and sees figures."""

from playwright.sync_api import expect

TROUBLE = ".jp-NotebookPanel [data-mime-type*=stderr], .jp-NotebookPanel [data-mime-type*=error]"
LAST_OUTPUT = "mini_RoadAnomaly 30 images"


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
    expect(page.get_by_text("not attempted yet")).to_have_count(2)
    expect(page.locator(TROUBLE)).to_have_count(0)
