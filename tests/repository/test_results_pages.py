"""Published results: what a command wrote, no image of a data set, the same numbers everywhere."""

import re

import pandas as pd
import pytest
from small_data import ROOT

from course_lib.lesson import tables
from course_lib.lesson.tables.paper_values import MEASURED

RESULTS = ROOT / "site" / "results"
PROFILES = ("mini", "camvid", "photos")
ALWAYS = ("figure2", "figure3", "figure4", "each_image")
FIGURES = {
    "mini": (*ALWAYS, "term_weights", "temperatures"),
    "camvid": ALWAYS,
    "photos": ("each_image", "accuracy_and_time"),
}
WITHOUT_TRAINING = ("table1", "table2", "table3", "objects")
TRAINED = (*WITHOUT_TRAINING, "table4", "table4_seeds")
TABLES = {"mini": TRAINED, "camvid": TRAINED, "photos": WITHOUT_TRAINING}


@pytest.mark.parametrize("profile", PROFILES)
def test_all_tables_and_figures_are_there_but_no_image_of_a_data_set(profile):
    names = {path.name for path in (RESULTS / profile).iterdir()}
    assert {f"{table}.{suffix}" for table in TABLES[profile] for suffix in ("csv", "md", "tex")} <= names
    assert {name for name in names if name.endswith(".png")} == {f"{name}.png" for name in FIGURES[profile]}
    assert sum(path.stat().st_size for path in (RESULTS / profile).iterdir()) < 700_000


@pytest.mark.parametrize("profile", PROFILES)
def test_a_page_holds_its_tables_and_links_to_what_is_there(profile):
    text = (RESULTS / profile / "README.md").read_text(encoding="utf-8")
    for table in TABLES[profile]:
        assert (RESULTS / profile / f"{table}.md").read_text(encoding="utf-8").strip() in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all((RESULTS / profile / link).is_file() for link in links)
    assert not re.search(r"/(work|home|root|tmp)/", text), "a path of somebody's machine"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("table", ["table1", "table3"])
def test_a_printed_table_shows_the_numbers_of_its_csv(profile, table):
    frame = pd.read_csv(RESULTS / profile / f"{table}.csv")
    text = (RESULTS / profile / f"{table}.md").read_text(encoding="utf-8")
    for row in frame.itertuples():
        assert f"{row.auprc:.{2 if row.auprc < 10 else 1}f}" in text, (row.score, row.benchmark)
    assert frame[["auprc_low", "auprc_difference_low"]].notna().all(axis=None)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_page_begins_with_what_was_found_in_numbers_of_its_tables(profile):
    text = (RESULTS / profile / "README.md").read_text(encoding="utf-8")
    found = (RESULTS / profile / "findings.md").read_text(encoding="utf-8").strip()
    _, first, second, *_ = text.split("\n## ")
    assert first == f"What we found\n\n{found}\n" and second.startswith("Table 1")
    numbers = re.findall(r"\d+\.\d+", found)
    tables = "\n".join(path.read_text(encoding="utf-8") for path in (RESULTS / profile).glob("table*.md"))
    assert (
        len(numbers) > 5
        and [one for one in numbers if not re.search(rf"(?<![\d.]){one}(?!\d)", tables)] == []
    )


def test_the_readme_shows_what_was_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- (site/results/\S+\.md) -->\n((?:\|.*\n)+)", readme)
    assert shown
    for path, table in shown:
        assert table in (ROOT / path).read_text(encoding="utf-8")


def test_published_numbers_stand_only_beside_whole_official_sets():
    assert "printed" not in (RESULTS / "mini" / "README.md").read_text(encoding="utf-8")
    table = (RESULTS / "camvid" / "table3.md").read_text(encoding="utf-8")
    header = next(line for line in table.splitlines() if line.startswith("|  |")).split(" | ")
    cells = next(line for line in table.splitlines() if "printed: ENet" in line).split(" | ")
    without = {name for name, cell in zip(header, cells, strict=True) if "- / -" in cell}
    assert {name.strip(" |") for name in without} == {"FS_LostFound_full", "RoadAnomaly"}


@pytest.mark.parametrize("profile", ["camvid", "mini"])
def test_the_page_of_what_works_shows_its_tables_and_what_the_lesson_reads(profile):
    folder = RESULTS / "what_works"
    text = (folder / "README.md").read_text(encoding="utf-8")
    summary = pd.read_csv(folder / f"{profile}_summary.csv")
    rungs = list(dict.fromkeys(zip(summary["network"], summary["step"], strict=True)))
    assert tables.to_markdown(tables.ladder(summary, rungs)) in text
    pd.testing.assert_frame_equal(summary, pd.read_csv(MEASURED / f"{profile}_what_works.summary.csv"))
    for row in pd.read_csv(folder / f"{profile}_hindsight.csv").itertuples():
        assert f"| {row.final:.1f} | {row.value:.1f}: {row.opponent} ({row.seeds}) |" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all((folder / link).is_file() for link in links)


def test_what_works_begins_with_what_was_found_in_numbers_of_its_tables():
    folder = RESULTS / "what_works"
    found = (folder / "findings.md").read_text(encoding="utf-8").strip()
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# What works\n\n## What we found\n\n{found}\n")
    numbers, rest = re.findall(r"\d+\.\d+", found), text.split("\n## ", 2)[2]
    assert len(numbers) > 5
    assert [one for one in numbers if not re.search(rf"(?<![\d.]){one}(?!\d)", rest)] == []
