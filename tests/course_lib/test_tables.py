"""The paper's table carries chance, intervals, marks and how it was made, on the screen and in documents."""

import pandas as pd
import pytest
from small_data import write_benchmark

from course_lib import data, evaluation, models
from course_lib.evaluation import COLUMNS
from course_lib.lesson import tables

ROW = dict.fromkeys(COLUMNS) | {
    "model": "erfnet", "training": "ce", "weights": "some", "score": "msp", "temperature": 1.0,
    "benchmark": "RoadAnomaly21", "height": 128, "width": 256,
    "protocol": "benchmark", "images": 10, "images_of": 10, "chance": 14.81,
    "auprc": 30.04, "auprc_low": 22.4, "auprc_high": 37.6, "auprc_outside_chance": True,
    "fpr95": 62.5, "fpr95_low": 50.0, "fpr95_high": 70.0, "fpr95_outside_chance": True, "largest_tie": 0.0,
}  # fmt: skip


def frame(*changes):
    """Return a tidy table with one row per change."""
    return pd.DataFrame([ROW | change for change in changes], columns=COLUMNS)


def cells(table, label):
    """Return the printed cells of a row."""
    return [None if cell is None else str(cell) for cell in table.rows[label]]


def test_chance_comes_first_and_numbers_have_intervals():
    table = tables.paper_table(frame({}, {"benchmark": "fs_static", "chance": 1.37, "images_of": 10}))
    assert list(table.rows) == ["chance", "MSP"]
    assert cells(table, "chance") == ["14.8", "95.0", "1.37", "95.0"]
    assert cells(table, "MSP")[:2] == ["30.0 [22, 38]", "62.5 [50, 70]"]
    assert table.benchmarks == ("RoadAnomaly21", "fs_static")


@pytest.mark.parametrize(
    "change, printed",
    [
        ({"auprc_outside_chance": False}, "30.0~ [22, 38]"),
        ({"auprc": 10.0}, "10.0! [22, 38]"),
        ({"auprc": 0.54, "auprc_low": 0.36, "auprc_high": 1.2, "chance": 0.25}, "0.54 [0.4, 1.2]"),
        ({"auprc_low": None, "auprc_high": None, "auprc_outside_chance": None}, "30.0"),
    ],
)
def test_marks_say_what_chance_explains(change, printed):
    assert cells(tables.paper_table(frame(change)), "MSP")[0] == printed


def test_a_high_fpr95_is_worse_than_chance():
    assert cells(tables.paper_table(frame({"fpr95": 98.0})), "MSP")[1] == "98.0! [50, 70]"


@pytest.mark.parametrize(
    "score, temperature, label",
    [
        ("max_logit", 1.0, "MaxLogit"),
        ("msp", 0.5, "MSP (t = 0.5)"),
        ("constant", 1.0, "a constant score"),
        ("position:max_entropy", 1.0, "position only, MaxEntropy"),
    ],
)
def test_rows_are_named_as_in_papers(score, temperature, label):
    table = tables.paper_table(frame({"score": score, "temperature": temperature}))
    assert list(table.rows) == ["chance", label]


def test_several_networks_are_named_with_their_mean_iou():
    enet = {"model": "enet", "weights": "e", "miou": 65.0, "classes_in_miou": 19}
    erfnet = {"miou": 70.24, "classes_in_miou": 19}
    table = tables.paper_table(
        frame(erfnet, erfnet | {"score": "constant"}, enet, enet | {"score": "constant"})
    )
    assert list(table.rows) == ["chance", "ERFNet, MSP", "a constant score", "ENet, MSP"]
    assert table.miou == {"ERFNet, MSP": 70.24, "ENet, MSP": 65.0}
    assert "ERFNet (some), ENet (e). Mean IoU over 19 classes." in table.caption
    for text in (table.to_text(), table._repr_html_()):
        assert "mIoU" in text and "70.2" in text and "65.0" in text


def test_a_control_is_put_together_from_all_networks():
    enet = {"model": "enet", "weights": "e", "miou": 65.0, "classes_in_miou": 11}
    static = {"benchmark": "fs_static", "chance": 1.37}
    constant = {"score": "constant", "auprc": 14.9}
    table = tables.paper_table(
        frame({"miou": None}, enet, constant, enet | static, enet | static | constant | {"auprc": 1.4})
    )
    assert cells(table, "a constant score")[::2] == ["14.9 [22, 38]", "1.40 [22, 38]"]
    assert "Mean IoU over 11 classes" in table.caption and table.miou == {"ENet, MSP": 65.0}


def test_trainings_of_one_network_are_told_apart():
    void = {"training": "void", "weights": "v"}
    table = tables.paper_table(frame({}, void, void | {"score": "void"}))
    assert (
        list(table.rows) == ["chance", "CE, MSP", "CE with void, MSP", "CE with void, Void"]
        and not table.miou
    )


def test_a_nearly_constant_score_is_named():
    table = tables.paper_table(frame({"score": "void", "largest_tie": 98.76}))
    assert cells(table, "Void") == ["30.0= [22, 38]", "62.5= [50, 70]"]
    assert "= nearly constant: one score on 98.7 % of the pixels or more" in table.caption
    told_apart = tables.paper_table(frame({"score": "void", "largest_tie": 94.9}))
    assert "=" not in cells(told_apart, "Void")[0] and "nearly constant" not in told_apart.caption


def test_a_missing_measurement_is_a_dash():
    table = tables.paper_table(frame({}, {"score": "void", "benchmark": "fs_static"}))
    assert cells(table, "Void")[:2] == [None, None]
    assert "<td>-</td>" in table._repr_html_()


def test_the_caption_says_how_the_numbers_came_about():
    whole = tables.paper_table(frame({"miou": 72.2, "classes_in_miou": 19})).caption
    assert "Mean IoU 72.2 over 19 classes" in whole and "10 images each" in whole
    assert "Protocol benchmark: images in [0, 1]" in whole and "~ within chance" in whole
    part = tables.paper_table(frame({"images": 7})).caption
    assert "7 of 10 images in RoadAnomaly21" in part and "not comparable with published numbers" in part
    generated = tables.paper_table(frame({"images": 7, "benchmark": "mini_RoadAnomaly21"})).caption
    assert "published" not in generated


@pytest.mark.parametrize(
    "changes, problem",
    [
        (({}, {"protocol": "peer"}), r"one protocol, got \['benchmark', 'peer'\]"),
        (({}, {"weights": "other", "score": "void"}), r"other \(.*\) is a second erfnet of training ce"),
        (
            ({}, {"profile": "camvid", "score": "void"}),
            "profile camvid, .* is a second erfnet of training ce",
        ),
        (({}, {"height": 512, "score": "void"}), "512 x 256.* is a second erfnet of training ce"),
        (({"score": "colour"}, {"score": "colour", "model": "enet", "auprc": 9.0}), "a score stands twice"),
        (({}, {}), "a score stands twice"),
        (({}, {"score": "void", "images": 3}), "RoadAnomaly21 has rows with different images"),
        (({}, {"score": "void", "chance": 3.0}), "RoadAnomaly21 has rows with different chance"),
        ((), "need rows"),
    ],
)
def test_rows_that_do_not_belong_together_are_refused(changes, problem):
    with pytest.raises(ValueError, match=problem):
        tables.paper_table(frame(*changes))


def test_every_form_shows_the_same_numbers():
    table = tables.paper_table(frame({}))
    for text in (table.to_text(), repr(table), table._repr_html_()):
        for part in ("RoadAnomaly21", "14.8", "30.0", "[22, 38]", "62.5", "percent"):
            assert part in text


def test_the_table_of_an_evaluation_can_be_arranged(small_evaluation):
    rows, metadata = small_evaluation
    table = tables.paper_table(evaluation.table(rows, metadata, "x.safetensors", (0.5, 19)))
    assert list(table.rows) == ["chance", "MSP", "MaxLogit", "MaxEntropy", "a constant score"]
    assert all(cell is not None for row in table.rows.values() for cell in row)


@pytest.fixture
def small_evaluation(tmp_path):
    """Evaluate an untrained network on a small benchmark."""
    write_benchmark(tmp_path, "RoadAnomaly21")
    settings = evaluation.Settings(size=(32, 64), resamples=50)
    images = [data.BenchmarkImages("RoadAnomaly21", tmp_path)]
    network, controls = models.build("erfnet"), evaluation.Controls()
    return evaluation.evaluate(network, images, settings, controls, progress=False), models.Metadata()


TWO = frame({}, {"benchmark": "fs_static", "chance": 1.37, "auprc": 1.2, "auprc_outside_chance": False})


@pytest.fixture
def two():
    return tables.paper_table(TWO)


def test_markdown_has_a_column_per_benchmark_and_says_which_numbers_these_are(two):
    lines = tables.to_markdown(two).splitlines()
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


def test_latex_has_as_many_columns_as_it_announces(two):
    text = tables.to_latex(two)
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
