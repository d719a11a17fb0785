"""Tables for documents hold the same numbers as those on the screen."""

import pytest
from test_reports import frame

from course_lib.lesson import tables

TWO = frame({}, {"benchmark": "fs_static", "chance": 1.37, "auprc": 1.2, "auprc_outside_chance": False})


@pytest.fixture
def table():
    return tables.paper_table(TWO)


def test_markdown_has_a_column_per_benchmark_and_says_which_numbers_these_are(table):
    lines = tables.to_markdown(table).splitlines()
    assert lines[0] == "|  | RoadAnomaly21 | fs_static |"
    assert lines[3] == "| MSP | 30.0 [22, 38] / 62.5 [50, 70] | 1.20~ [22, 38] / 62.5 [50, 70] |"
    assert lines[5].startswith("AuPRC ↑ / FPR95 ↓. ERFNet")


def test_markdown_has_a_column_of_mean_iou_where_networks_differ():
    both = frame(
        {"miou": 70.0, "classes_in_miou": 19}, {"training": "ln", "miou": 60.0, "classes_in_miou": 19}
    )
    lines = tables.to_markdown(tables.paper_table(both)).splitlines()
    assert lines[0] == "|  | mIoU ↑ | RoadAnomaly21 |"
    assert lines[3].startswith("| CE, MSP | 70.0 | 30.0")


def test_latex_has_as_many_columns_as_it_announces(table):
    text = tables.to_latex(table)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert r"\begin{tabular}{lrrrr}" in text
    assert [row.count("&") for row in rows[1:]] == [4, 4, 4]
    assert r"fs\_static" in text and r"1.20$\sim$" in text and "95 \\%" in text


def test_tables_of_other_metrics_keep_their_names():
    cells = [tables.Cell(value) for value in (1.0, 2.0, 30.0)]
    table = tables.PaperTable(("one",), {"MSP": cells}, "", metrics=("sIoU ↑", "PPV ↑", "F1 ↑"))
    assert "| MSP | 1.00 / 2.00 / 30.0 |" in tables.to_markdown(table)
    assert r"\multicolumn{3}{c}{one}" in tables.to_latex(table)
    assert 'colspan="3"' in table._repr_html_()
    assert "sIoU" in table.to_text()


def test_the_papers_rows_stand_below_ours_where_all_images_are_here():
    part = TWO.assign(images=[10, 12], images_of=[10, 30])
    table = tables.with_published(tables.paper_table(part), part, 1)
    printed = [label for label in table.rows if label.startswith("printed: ")]
    assert printed == ["printed: MSP", "printed: MaxEntropy", "printed: MaxLogit"]
    assert [cell and str(cell) for cell in table.rows["printed: MSP"]] == ["14.6", "95.1", None, None]
    assert "protocol paper" in table.caption


def test_no_published_number_stands_beside_part_of_a_set_or_generated_images():
    for other in ({"images": 9}, {"benchmark": "mini_RoadAnomaly21", "images": 30, "images_of": 30}):
        found = frame(other)
        table = tables.paper_table(found)
        assert tables.with_published(table, found, 3) == table
