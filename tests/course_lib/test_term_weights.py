"""A metric against the weights of two loss terms: in order, every seed a dot, a ring where it is proven."""

import pandas as pd
import pytest
from small_runs import run

from course_lib import evaluation
from course_lib.lesson import figures

SEPARATIONS = {"1,1": 1.0, "1.6,0.4": 2.5, "0.4,1.6": 1.0}


@pytest.fixture(scope="module")
def tables():
    """Runs with three weightings, two seeds each, and their summary."""
    runs = [run(weights, seed, much) for weights, much in SEPARATIONS.items() for seed in range(2)]
    frame = pd.concat([one.frame for one in runs]).rename(columns={"training": "term_weights"})
    return frame, evaluation.compare(runs, "1,1").rename(columns={"training": "term_weights"})


@pytest.mark.parametrize("metric", ["auprc", "fpr95"])
def test_weights_are_in_order_and_every_seed_is_a_dot(tables, metric):
    runs, summary = tables
    figure = figures.term_weights(runs, summary, "msp", metric)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1 : 4", "1 : 1", "4 : 1"]
    means, dots, *_ = axis.lines
    by_weights = summary.set_index("term_weights")[metric]
    assert list(means.get_ydata()) == [by_weights[name] for name in ("0.4,1.6", "1,1", "1.6,0.4")]
    assert list(dots.get_ydata()) == runs[metric].tolist() and list(dots.get_xdata()) == [1, 1, 2, 2, 0, 0]


def test_a_ring_is_where_neither_images_nor_seeds_explain_the_difference(tables):
    runs, summary = tables
    axis = figures.term_weights(runs, summary, "msp").axes[0]
    assert list(axis.lines[2].get_xdata()) == [2]
    overlapping = summary.assign(auprc_beyond_seeds=False)
    assert list(figures.term_weights(runs, overlapping, "msp").axes[0].lines[2].get_xdata()) == []


def test_chance_mean_iou_and_words(tables):
    runs, summary = tables
    figure = figures.term_weights(runs, summary, "msp")
    *_, benchmark, miou = figure.axes
    assert benchmark.lines[-1].get_ydata()[0] == summary["chance"].iloc[0]
    assert miou.get_title() == "mean IoU, %" and len(miou.lines) == 2
    assert f"4 : 1 {summary['auprc'].max():.1f}" in figure.alt and "higher is better" in figure.alt
