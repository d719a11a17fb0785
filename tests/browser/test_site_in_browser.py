"""The course's site, built and crawled: nothing is broken, foreign, raw, too wide, too pale or speechless."""

import contextlib
import shutil

import nbformat
import pytest
from crawl import BROKEN, CUT, PALE, WIDE, broken_links, crawl, serve
from playwright.sync_api import TimeoutError, expect
from small_data import ROOT
from small_notebooks import write_lesson

from course_lib.lesson import notebooks
from course_tools import pages

EXPLORER = """
from ipywidgets import IntSlider
from course_lib.lesson import figures, widgets

def view(value):
    return widgets.View(figures.DescribedFigure(f"value {value}", 1, 1, quick=True), {"value": str(value)})

widgets.Explorer("test", {"value": IntSlider(7, 0, 9, description="value")}, view)
"""
pytestmark = [  # of Sphinx and its extensions, about each other
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as it is in the repository: the lessons without outputs, and a small one as it ran."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "site", folder / "site", ignore=shutil.ignore_patterns("lessons", "api"))
    shown = {path.stem: nbformat.read(path, as_version=4) for path in notebooks.lesson_files()}
    ran = pages.execute(write_lesson(folder / "08_more.ipynb", more=(EXPLORER, "1 / 0")))
    assert "ZeroDivisionError" in ran.error, "all before it ran"
    shown["08_more"] = pages.without_widgets(ran.notebook)
    pages.write_lesson_sources(shown, "mini", folder / "site" / "lessons")
    assert pages.build_site(folder / "site", folder / "results" / "site") == 0, "Sphinx warns of nothing"
    (folder / "results" / "index.html").write_text(pages.index_page([ran], "mini"), encoding="utf-8")
    return folder / "results" / "site"


@pytest.fixture(scope="module")
def notes(site, browser):
    """What a browser notes on every page of the site, by its name."""
    server, address = serve(site)
    try:
        noted = crawl(browser, address, measured)
    finally:
        server.shutdown()
    links = broken_links(noted, address, lambda name: (site / (name or "index.html")).is_file())
    by_name = {here.removeprefix(address): notes for here, notes in noted.items()}
    by_name["index.html"]["broken_links"] = links
    return by_name


def measured(page):
    """Return how wide a page is and what is cut on a phone and on a desk; too pale texts, light and dark."""
    found = {"wide": {}, "pale": {}, "broken_names": [], "cut_code": []}
    page.add_style_tag(content="* { transition: none !important }")  # colours change at once
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        found["pale"][theme] = page.evaluate(PALE)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        with contextlib.suppress(TimeoutError):  # the theme's scripts may still be moving things
            page.wait_for_function(f"({WIDE})() <= 0", timeout=30_000)
        found["wide"][size["width"]] = page.evaluate(WIDE)
        found["broken_names"] += page.evaluate(BROKEN)
        found["cut_code"] += page.evaluate(CUT)
    return found


def bad(notes, key):
    """Return what was noted under a key where it is not empty."""
    return {name: noted[key] for name, noted in notes.items() if noted[key]}


def test_every_page_can_be_reached_from_the_home_page(notes, site):
    there = {str(path.relative_to(site)) for path in site.rglob("*.html") if "_static" not in path.parts}
    assert there == notes.keys()
    assert {"index.html", "faq.html", "api/course_lib.metrics.html", "lessons/08_more.html"} <= there


def test_no_link_and_no_anchor_is_broken(notes):
    assert notes["index.html"]["broken_links"] == []


def test_no_page_has_an_error_or_asks_another_host(notes):
    assert bad(notes, "troubles") == {}


def test_formulas_are_set_and_none_is_raw(notes):
    assert bad(notes, "not_set") == {}
    assert sum(noted["formulas"] for noted in notes.values()) > 40
    assert [name for name, noted in notes.items() if "$" in noted["text"] or "\\(" in noted["text"]] == []


def test_no_page_moves_sideways_on_a_phone_or_a_desk(notes):
    wide = {name: noted["wide"] for name, noted in notes.items() if max(noted["wide"].values()) > 0}
    assert wide == {}


def test_names_of_the_library_are_not_broken_inside_and_long_lines_of_code_wrap(notes):
    assert bad(notes, "broken_names") == bad(notes, "cut_code") == {}


def test_the_home_page_shows_on_a_phone_what_to_do_and_what_is_found(browser, site):
    page = browser.new_page(viewport=PHONE)
    page.goto((site / "index.html").as_uri())
    names = page.locator(".buttons a").all_inner_texts()
    assert names == ["Start", *["Try it in your browser"] * (site / "try_it.html").is_file(), "Results"]
    widths = page.eval_on_selector_all(".what-works img", "pictures => pictures.map(one => one.clientWidth)")
    assert len(widths) == 3 and min(widths) > 300
    page.close()


def test_the_first_column_of_a_wide_table_stays(browser, site):
    page = browser.new_page(viewport=PHONE)
    page.goto((site / "results" / "mini" / "README.html").as_uri())
    table = page.locator("section#table-1-anomaly-scores-of-erfnet .pst-scrollable-table-container")
    before = table.locator("td").first.bounding_box()["x"]
    assert table.evaluate("box => { box.scrollLeft = 400; return box.scrollLeft }") == 400
    assert table.locator("td").first.bounding_box()["x"] == pytest.approx(before, abs=2)
    page.close()


def test_texts_and_code_have_contrast_light_and_dark(notes):
    pale = {(name, theme): texts for name, noted in notes.items() for theme, texts in noted["pale"].items()}
    assert {where: texts for where, texts in pale.items() if texts} == {}


def test_pictures_are_there_and_have_words(notes):
    assert bad(notes, "without_alt") == bad(notes, "broken_pictures") == {}


def test_the_search_finds_a_page(browser, site):
    server, address = serve(site)
    page = browser.new_page()
    page.goto(f"{address}search.html?q=prevalence")
    page.locator("#search-results").get_by_role("link", name="0 Start here").first.wait_for()
    page.close()
    server.shutdown()


def test_an_explorer_is_a_picture_with_its_controls_and_numbers(browser, site):
    page = browser.new_page()
    page.goto((site / "lessons" / "08_more.html").as_uri())
    expect(page.get_by_role("img", name="value 7")).to_be_visible()
    expect(page.get_by_text("In JupyterLab its controls move")).to_be_visible()
    expect(page.locator("[aria-label=test]")).to_contain_text("value 7")
    expect(page.get_by_text("ZeroDivisionError").first).to_be_visible()
    page.close()


def test_what_run_shows_first_leads_to_the_lessons(page, site):
    page.goto((site.parent / "index.html").as_uri())
    assert page.title() == "Road anomalies: the executed lessons"
    expect(page.get_by_text("STOPPED, ZeroDivisionError: division by zero")).to_be_visible()
    page.get_by_role("link", name="7 A lesson").click()
    expect(page.get_by_role("img", name="value 7")).to_be_visible()
