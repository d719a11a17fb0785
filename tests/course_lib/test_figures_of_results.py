"""Figures of lessons 3, 4 and 6: where void is, differences from a baseline, intervals, draws in pairs."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgba
from PIL import Image

from course_lib import data, training
from course_lib.evaluation import Segmented
from course_lib.labels import IGNORE, VOID
from course_lib.lesson import figures, tables
from course_lib.lesson.figures import images as of_images


def test_each_kind_of_place_of_void_has_a_colour_and_is_counted():
    target = torch.zeros(16, 32, dtype=torch.uint8)
    target[:4] = IGNORE
    predicted = torch.zeros(16, 32, dtype=torch.int64)
    predicted[2:5] = VOID
    sample = data.Sample("street", Image.new("RGB", (32, 16)), target)
    figure = figures.void_places([Segmented(sample, predicted, torch.zeros(20, 16, 32), tuple(range(19)))])
    shown = figure.axes[1].images[0]
    assert np.unique(shown.get_array()).tolist() == [0, 1, 2, 3] and shown.get_clim() == (0, 3)
    colours = [shown.cmap(shown.norm(value)) for value in range(4)]
    assert colours == [to_rgba(colour) for colour in of_images.PLACE_COLOURS.colors]
    assert "not predicted 64, predicted, but no void 32, void, and predicted 64" in figure.alt


@pytest.fixture(scope="module")
def summary():
    return tables.measured("mini", "losses.summary")


def test_the_map_of_differences_has_marks_and_blue_is_better_in_both_metrics(summary):
    figure = figures.differences(summary)
    auprc, fpr95 = figure.axes[0], figure.axes[3]
    assert [auprc.get_title(), fpr95.get_title()] == ["MSP, AuPRC ↑", "MSP, FPR95 ↓"]
    texts = [text.get_text() for text in auprc.texts]
    rows = summary[(summary["score"] == "msp") & (summary["training"] != "ce")]
    assert len(texts) == len(rows) == 35
    assert texts[26] == "+16▲" and rows.iloc[26]["auprc_difference"] == pytest.approx(16.3, abs=0.1)
    for axis, sign, metric in ((auprc, 1, "auprc"), (fpr95, -1, "fpr95")):
        drawn = np.asarray(axis.images[0].get_array()).flatten()
        assert drawn == pytest.approx(sign * rows[f"{metric}_difference"].to_numpy())
        red, _, blue, _ = axis.images[0].cmap(axis.images[0].norm(20))
        assert blue > red
    assert "MSP, AuPRC ↑: 9 better, 5 worse" in figure.alt


def test_folded_tables_open_below_their_names(summary):
    table = tables.paper_table(summary[summary["score"] == "msp"])
    folded = tables.FoldedTables({"Table 4 <MSP>": table})
    html = folded._repr_html_()
    assert html.startswith("<details><summary>Table 4 &lt;MSP&gt;</summary><figure") and "EIML" in html
    assert repr(folded) == f"Table 4 <MSP>\n{table.to_text()}"


def test_widths_of_subsets_stand_beside_the_curve_of_the_square_root():
    widths = {4: torch.tensor([0.1, 0.3, 0.2, float("nan")]), 16: torch.tensor([0.1])}
    axis = figures.interval_widths(widths).axes[0]
    dots, median, *_ = axis.lines
    assert sorted(dots.get_ydata()) == pytest.approx([10, 20, 30]) and median.get_ydata() == pytest.approx(
        [20]
    )
    (curve,) = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert curve.get_ydata()[[0, -1]] == pytest.approx([20, 10])


def test_draws_in_pairs_are_told_with_their_difference():
    baseline = torch.linspace(0.2, 0.6, 1001, dtype=torch.float64)
    figure = figures.paired_draws(baseline + 0.05, baseline, ("mine", "theirs"))
    assert "mine 26 to 64 %; theirs 21 to 59 %; difference 5.0 to 5.0 points" in figure.alt
    assert figure.axes[0].lines[0].get_ydata()[0] == pytest.approx(25)


def test_the_colours_of_the_plane_span_the_scores_of_the_points():
    points = training.plane_points()
    network = training.train_on_plane("ce", points, steps=20)
    drawn = figures.plane_scores({"ce": network}, points, "max_logit").axes[0].images[0]
    values, _ = training.score_plane_points(network, points, "max_logit")
    low, high = drawn.get_clim()
    inside = ((values >= low) & (values <= high)).double().mean()
    assert 0.9 < inside < 1 and high < drawn.get_array().max()


def test_the_truth_that_counts_is_shown_beside_the_scores():
    target = torch.zeros(16, 32, dtype=torch.uint8)
    target[4:8], target[:2] = 1, IGNORE
    sample = data.Sample("7", Image.new("RGB", (32, 16)), target)
    figure = figures.protocol_panels(sample, torch.rand(16, 32), 30.0, 50.0, 10.0)
    titles = [axis.get_title() for axis in figure.axes[:3]]
    assert titles == ["image 7", "the truth that counts", "score, light: anomalous"]
    assert set(np.unique(figure.axes[1].images[0].get_array())) == {0, 1, 2}
    assert [bar.get_width() for bar in figure.axes[3].patches] == [50, 30]


def test_series_keep_their_order_in_the_map(summary):
    shuffled = pd.concat([summary[summary["training"] != "ln"], summary[summary["training"] == "ln"]])
    labels = [label.get_text() for label in figures.differences(shuffled).axes[0].get_yticklabels()]
    assert labels[-1] == "LN" and labels[0] == "LN + CE"
