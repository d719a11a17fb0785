"""Trainings side by side, in a table and in figures: marks, dots, chance, words."""

import pandas as pd
import pytest
from small_runs import run

from course_lib import evaluation, training
from course_lib.lesson import figures, tables
from course_lib.lesson.figures import trainings

SEPARATIONS = {"1,1": 1.0, "1.6,0.4": 2.5, "0.4,1.6": 1.0}
"""Of the anomalies, by the weights of two terms."""


@pytest.fixture
def runs():
    chosen = [("ce", seed, 1.0) for seed in range(3)] + [
        ("eiml_fl", 3, 2.5),
        ("eiml_fl", 4, 2.5),
        ("ln", 6, 0),
    ]
    return [run(training, seed, separation) for training, seed, separation in chosen]


@pytest.fixture
def frame(runs):
    return pd.concat([one.frame for one in runs])


def test_the_table_marks_what_images_and_seeds_cannot_explain(runs):
    table = tables.paper_table(evaluation.compare(runs, "ce"))
    assert list(table.rows) == ["chance", "CE, MSP", "EIML + FL, MSP", "LN, MSP"]
    marks = {label: [cell.mark for cell in cells] for label, cells in table.rows.items()}
    assert marks["CE, MSP"] == ["", ""] and marks["EIML + FL, MSP"] == ["▲", "▲"]
    assert marks["LN, MSP"] == ["~▼", "~▼"]
    assert table.miou == pytest.approx({"CE, MSP": 61, "EIML + FL, MSP": 63.5, "LN, MSP": 66})
    assert (
        "ERFNet, 20 epochs. CE: mean of 3 seeds; EIML + FL: mean of 2 seeds; LN: one seed." in table.caption
    )
    assert "▲ better, ▼ worse than CE" in table.caption


def test_overlapping_seeds_take_the_mark_away():
    runs = [run("ce", 0, 1.0), run("ce", 1, 2.5), run("ln", 2, 2.0), run("ln", 3, 2.6)]
    summary = evaluation.compare(runs, "ce")
    assert summary.iloc[1]["auprc_beyond_images"]
    assert [cell.mark for cell in tables.paper_table(summary).rows["LN, MSP"]] == ["", ""]


def test_a_table_of_single_runs_has_no_such_marks(runs):
    table = tables.paper_table(pd.concat([runs[0].frame, runs[5].frame]))
    assert "▲" not in table.to_text() and "better" not in table.caption


def test_dots_are_the_seeds_lines_the_intervals_and_chance_is_there(runs, frame):
    summary = evaluation.compare(runs, "ce")
    figure = figures.training_dots(frame, summary, "msp")
    (axis,) = figure.axes
    at_chance, *drawn = axis.lines
    assert at_chance.get_xdata()[0] == frame["chance"].iloc[0]
    lines, dots = drawn[::2], drawn[1::2]
    expected = [group["auprc"].tolist() for _, group in frame.groupby("training", sort=False)]
    assert [list(dot.get_xdata()) for dot in dots] == expected
    ends = summary[["auprc_low", "auprc_high"]].to_numpy().tolist()
    assert [list(line.get_xdata()) for line in lines] == ends
    assert [label.get_text() for label in axis.get_yticklabels()] == ["CE", "EIML + FL", "LN"]
    assert f"CE {summary['auprc'].iloc[0]:.1f}" in figure.alt and "RoadAnomaly21" in figure.alt


def test_the_trade_off_has_one_dot_per_run(frame):
    figure = figures.trade_off(frame)
    (axis,) = figure.axes
    *dots, chance = axis.lines
    assert [len(dot.get_xdata()) for dot in dots] == [3, 2, 1]
    assert list(dots[0].get_xdata()) == pytest.approx([60, 61, 62])
    assert chance.get_ydata()[0] == frame["chance"].iloc[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["CE", "EIML + FL", "LN"]
    assert "EIML + FL: mean IoU 63.5" in figure.alt


def test_the_trade_off_needs_the_mean_iou(frame):
    with pytest.raises(ValueError, match="need the mean IoU of every run"):
        figures.trade_off(frame.assign(miou=None))


def test_a_training_keeps_its_colour(frame):
    assert trainings.TRAINING_COLOURS.keys() == training.TRAININGS.keys()
    whole, part = figures.trade_off(frame), figures.trade_off(frame[frame["training"] == "ln"])
    assert whole.axes[0].lines[2].get_color() == part.axes[0].lines[0].get_color()


@pytest.fixture(scope="module")
def weighted():
    """Runs with three weightings, two seeds each, and their summary."""
    runs = [run(weights, seed, much) for weights, much in SEPARATIONS.items() for seed in range(2)]
    frame = pd.concat([one.frame for one in runs]).rename(columns={"training": "term_weights"})
    return frame, evaluation.compare(runs, "1,1").rename(columns={"training": "term_weights"})


def test_weights_are_in_order_and_every_seed_is_a_dot(weighted):
    runs, summary = weighted
    figure = figures.term_weights(runs, summary, "msp")
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1 : 4", "1 : 1", "4 : 1"]
    means, dots, *_ = axis.lines
    by_weights = summary.set_index("term_weights")["auprc"]
    assert list(means.get_ydata()) == [by_weights[name] for name in ("0.4,1.6", "1,1", "1.6,0.4")]
    seeds = runs["auprc"].tolist()
    assert list(dots.get_ydata()) == [*seeds[4:], *seeds[:4]]
    assert list(dots.get_xdata()) == [0, 0, 1, 1, 2, 2]


def test_a_ring_is_where_neither_images_nor_seeds_explain_the_difference(weighted):
    runs, summary = weighted
    axis = figures.term_weights(runs, summary, "msp").axes[0]
    assert list(axis.lines[2].get_xdata()) == [2]
    overlapping = summary.assign(auprc_beyond_seeds=False)
    assert list(figures.term_weights(runs, overlapping, "msp").axes[0].lines[2].get_xdata()) == []


def test_chance_mean_iou_and_words(weighted):
    runs, summary = weighted
    figure = figures.term_weights(runs, summary, "msp")
    *_, benchmark, miou = figure.axes
    assert benchmark.lines[-1].get_ydata()[0] == summary["chance"].iloc[0]
    assert miou.get_title() == "mean IoU, %" and len(miou.lines) == 2
    assert f"4 : 1 {summary['auprc'].max():.1f}" in figure.alt and "higher is better" in figure.alt
