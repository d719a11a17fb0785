"""Exact metrics: by hand, against the goldens, against scikit-learn on cases that nobody thought of."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from course_lib import metrics
from course_lib.metrics import auroc, average_precision, fpr_at_tpr

GOLDENS = Path(__file__).parents[1] / "goldens"
PIXEL_GOLDENS = json.loads((GOLDENS / "metrics.json").read_text())["pixel"]
DEFINED = [name for name, case in PIXEL_GOLDENS.items() if case["n_pos"] and case["n_neg"]]
UNDEFINED = [name for name in PIXEL_GOLDENS if name not in DEFINED]


def golden_pixels(name):
    """Return the valid scores of a case and which are anomalous, its images pooled."""
    arrays = np.load(GOLDENS / "metrics.npz")
    keys = [
        k.removeprefix("scores_") for k in arrays if k == f"scores_{name}" or k.startswith(f"scores_{name}__")
    ]
    scores = torch.cat([torch.from_numpy(arrays[f"scores_{k}"]).flatten() for k in keys])
    labels = torch.cat([torch.from_numpy(arrays[f"labels_{k}"]).flatten() for k in keys])
    return scores[labels != 255], labels[labels != 255] == 1


def test_fpr_at_tpr_on_a_case_solved_by_hand():
    scores = torch.tensor([5.0, 4.0, 3.0, 3.0, 1.0])
    is_anomaly = torch.tensor([True, False, True, False, False])
    # All anomalies need threshold 3; two of the three normal pixels reach it.
    assert fpr_at_tpr(scores, is_anomaly) == pytest.approx(2 / 3)


def test_average_precision_and_auroc_on_a_case_solved_by_hand():
    scores = torch.tensor([5.0, 4.0, 3.0, 3.0, 1.0])
    is_anomaly = torch.tensor([True, False, True, False, False])
    # Precision 1 at the first anomaly; at threshold 3, two of four flagged pixels are anomalous.
    assert average_precision(scores, is_anomaly) == pytest.approx((1 + 2 / 4) / 2)
    # Of six pairs the anomaly wins 3 + 1, and ties once.
    assert auroc(scores, is_anomaly) == pytest.approx(4.5 / 6)


def test_needed_share_of_anomalies_is_not_lost_to_rounding():
    # 0.55 x 100 is 55.00000000000001 in floating point; the 55th anomaly is enough.
    scores = torch.cat([torch.arange(200.0, 100.0, -1), torch.tensor([145.5])])
    is_anomaly = torch.arange(101) < 100
    assert fpr_at_tpr(scores, is_anomaly, tpr=0.55) == 0.0


@pytest.mark.parametrize(("fpr", "expected"), [(0, 8), (0.1, 8), (0.25, 6), (0.36, 6), (0.375, 5), (0.99, 1)])
def test_a_threshold_by_hand_leaves_at_most_the_asked_share_above_it(fpr, expected):
    scores = torch.tensor([[3.0, 8.0, 1.0, 7.0], [5.0, 2.0, 6.0, 4.0]])
    assert metrics.threshold_at_fpr(scores, fpr) == expected


def test_no_pixel_of_a_threshold_is_lost_to_rounding():
    # 0.29 x 100 is 28.999999999999996 in floating point; 29 pixels may lie above
    assert metrics.threshold_at_fpr(torch.arange(100.0), 0.29) == 70


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.sampled_from([0, 1 / 8, 1 / 4, 1 / 2, 7 / 8]))
def test_a_threshold_is_the_lowest_score_that_keeps_the_rate(values, fpr):
    scores = torch.tensor(values, dtype=torch.float32)
    kept = [value for value in values if (scores > value).double().mean() <= fpr]
    assert metrics.threshold_at_fpr(scores, fpr) == min(kept)


@pytest.mark.parametrize("fpr", [-0.1, 1.0])
def test_a_false_positive_rate_out_of_range_is_refused(fpr):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        metrics.threshold_at_fpr(torch.ones(3), fpr)


@pytest.mark.parametrize("scores", [torch.ones(0), torch.tensor([1.0, torch.nan])])
def test_a_threshold_of_no_number_is_refused(scores):
    with pytest.raises(ValueError, match="need scores that are numbers"):
        metrics.threshold_at_fpr(scores, 0.1)


@pytest.mark.parametrize("name", DEFINED)
def test_metrics_equal_the_goldens(name):
    scores, is_anomaly = golden_pixels(name)
    expected = PIXEL_GOLDENS[name]
    found = average_precision(scores, is_anomaly), fpr_at_tpr(scores, is_anomaly), auroc(scores, is_anomaly)
    names = "auprc_sklearn_average_precision", "fpr95_first_threshold_tpr_ge_95", "auroc_sklearn"
    assert found == pytest.approx([expected[name] for name in names], rel=1e-9)
    chord = fpr_at_tpr(scores, is_anomaly, convention="chord")
    assert chord == pytest.approx(expected["fpr95_ood_metrics_0_2_9"], rel=1e-9)


@pytest.mark.parametrize("name", UNDEFINED)
@pytest.mark.parametrize("metric", [average_precision, fpr_at_tpr, auroc])
def test_one_class_alone_gives_a_clear_answer(name, metric):
    scores, is_anomaly = golden_pixels(name)
    counts = int(is_anomaly.sum()), int((~is_anomaly).sum())
    with pytest.raises(ValueError, match=f"need both classes, got {counts[0]} anomalous, {counts[1]} normal"):
        metric(scores, is_anomaly)


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
tied = st.sampled_from([0.0, -0.0, 0.5, 1.0, -3.0])
infinite = st.sampled_from([float("inf"), float("-inf"), 0.0])


@settings(deadline=None, max_examples=300)
@given(data=st.data(), elements=st.sampled_from([finite, tied, infinite, finite | infinite, st.just(0.25)]))
def test_metrics_agree_with_scikit_learn(data, elements):
    scores = data.draw(hnp.arrays(np.float32, st.integers(2, 60), elements=elements))
    is_anomaly = data.draw(hnp.arrays(bool, scores.shape))
    is_anomaly[0], is_anomaly[1] = True, False
    ranks = np.unique(scores, return_inverse=True)[
        1
    ]  # scikit-learn takes no infinities; only the order counts
    fpr, tpr, _ = roc_curve(is_anomaly, ranks, drop_intermediate=False)
    ours = torch.from_numpy(scores), torch.from_numpy(is_anomaly)
    assert average_precision(*ours) == pytest.approx(average_precision_score(is_anomaly, ranks), rel=1e-9)
    assert fpr_at_tpr(*ours) == pytest.approx(fpr[tpr >= 0.95][0], rel=1e-9)
    assert auroc(*ours) == pytest.approx(roc_auc_score(is_anomaly, ranks), rel=1e-9)


@pytest.mark.parametrize(
    ("scores", "mask", "options", "message"),
    [
        ([1.0, 2.0], torch.tensor([0, 1]), {}, r"need a bool mask of \(2,\), got torch.int64 of \(2,\)"),
        ([1.0, 2.0], torch.tensor([True]), {}, r"got torch.bool of \(1,\)"),
        ([1.0, float("nan")], torch.tensor([True, False]), {}, "scores must not be NaN, got 1 of 2"),
        ([1.0, 2.0], torch.tensor([True, False]), {"tpr": 0.0}, r"tpr must be in \(0, 1\], got 0.0"),
        ([1.0, 2.0], torch.tensor([True, False]), {"tpr": 95}, r"tpr must be in \(0, 1\], got 95"),
        ([1.0, 2.0], torch.tensor([True, False]), {"convention": "kind"}, "unknown convention 'kind'"),
    ],
)
def test_bad_arguments_raise(scores, mask, options, message):
    with pytest.raises(ValueError, match=message):
        fpr_at_tpr(torch.tensor(scores), mask, **options)


@pytest.mark.parametrize(
    "use",
    [
        lambda scores, mask: average_precision(torch.tensor(scores), np.array(mask)),
        lambda scores, mask: fpr_at_tpr(np.array(scores), torch.tensor(mask)),
        lambda scores, mask: auroc(scores, mask),
        lambda scores, mask: metrics.detections(np.array(scores), np.array(mask), 0.5),
        lambda scores, mask: metrics.StreamingMetrics().update(np.array(scores), np.array(mask)),
        lambda scores, mask: metrics.Confusion().update(np.array(mask), np.array(mask)),
        lambda scores, mask: metrics.components(torch.tensor([scores]), np.array([mask]), 0.5),
        lambda scores, mask: metrics.prevalence(np.array(mask)),
    ],
)
def test_anything_but_tensors_is_refused_with_the_cure(use):
    with pytest.raises(ValueError, match=r"need tensors, got .*(ndarray|list).*; torch.as_tensor makes one"):
        use([0.1, 0.9], [False, True])
