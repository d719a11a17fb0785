"""Calibration errors and the temperature: the reference value, cases by hand, and a dense grid as judge."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from small_data import write_camvid
from torch.nn import functional as F

from course_lib import calibration, data, evaluation, models
from course_lib.labels import IGNORE
from course_lib.lesson import figures

GOLDENS = Path(__file__).parents[1] / "goldens"
FACTS = json.loads((GOLDENS / "metrics.json").read_text())["ece"]
ARRAYS = np.load(GOLDENS / "metrics.npz")


def golden():
    return torch.from_numpy(ARRAYS["ece_logits"]), torch.from_numpy(ARRAYS["ece_labels"]).long()


def measured(logits, target):
    reliability = calibration.Reliability()
    reliability.update(logits, target)
    return reliability.compute()


def simulated(pixels=20_000, temperature=2.5, classes=5, seed=0):
    """Return logits whose best temperature is known: truth is drawn from softmax(z / temperature)."""
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(pixels, classes, generator=generator, dtype=torch.float64)
    drawn = torch.multinomial((logits / temperature).softmax(1), 1, generator=generator).squeeze(1)
    return logits, drawn


def test_errors_equal_the_reference():
    found = measured(*golden())
    assert found.ece == pytest.approx(FACTS["ece15"], abs=1e-6)
    assert found.nll == pytest.approx(FACTS["nll"], abs=1e-6)
    assert found.brier == pytest.approx(FACTS["brier_sum_over_classes"], abs=1e-6)
    assert found.accuracy == FACTS["accuracy"]
    assert found.confidence == pytest.approx(FACTS["mean_confidence"], abs=1e-6)
    logits, target = golden()
    assert measured(logits / 2, target).ece == pytest.approx(FACTS["ece15_temperature_2"], abs=1e-6)


def test_every_bin_equals_the_reference():
    bins = measured(*golden()).bins
    expected = FACTS["bins15_lower_upper_count_conf_acc_gap"]
    assert bins[0].tolist() == [row[2] for row in expected]
    for found, row in zip(bins.T.tolist(), expected, strict=True):
        if row[2]:
            assert found[1:] == pytest.approx(row[3:5], abs=1e-6)
        else:
            assert all(map(math.isnan, found[1:]))


def test_two_pixels_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.6, 0.4]]).log()
    found = measured(logits, torch.tensor([0, 1]))
    # the first: (1 - .8)^2 + .2^2; the second: .6^2 + (1 - .4)^2
    assert found.brier == pytest.approx((0.08 + 0.72) / 2, abs=1e-6)
    assert found.ece == pytest.approx((0.2 + 0.6) / 2, abs=1e-6)
    assert found.nll == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2, abs=1e-6)
    assert (found.accuracy, found.pixels) == (0.5, 2)


def test_void_counts_nowhere_and_images_may_come_in_any_parts():
    logits, target = torch.randn(3, 4, 6, 5), torch.randint(0, 4, (3, 6, 5))
    target[:, 0] = IGNORE
    whole = measured(logits, target)
    reliability = calibration.Reliability()
    reliability.update(logits[:1], target[:1])
    reliability.update(logits[1:], target[1:])
    parts = reliability.compute()
    assert parts.pixels == whole.pixels == 3 * 5 * 5
    for name in ("nll", "ece", "adaptive_ece", "brier", "accuracy", "confidence"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))
    changed = logits.clone()
    changed.movedim(1, -1)[target == IGNORE] = 50
    assert measured(changed, target).nll == pytest.approx(whole.nll)


def test_the_adaptive_error_is_near_that_of_sorted_pixels():
    logits, target = simulated()
    confidence, predicted = logits.float().softmax(1).max(1)
    order = confidence.argsort(descending=True)
    gaps = [
        (confidence[part].mean() - (predicted == target)[part].double().mean()).abs() * len(part) / len(order)
        for part in order.tensor_split(calibration.BINS)
    ]
    assert measured(logits, target).adaptive_ece == pytest.approx(sum(gaps).item(), abs=2e-3)


def test_a_calibrated_network_has_small_errors_and_a_sharpened_one_large_ones():
    logits, target = simulated()
    good, sharp = measured(logits / 2.5, target), measured(logits, target)
    assert good.ece < 0.02 and good.adaptive_ece < 0.02
    assert sharp.ece > 0.1 and sharp.confidence > sharp.accuracy + 0.1 and sharp.brier > good.brier


def test_diagrams_show_accuracy_and_gap_of_each_bin():
    logits, target = simulated()
    found = {"T = 1": measured(logits, target), "T = 2.5": measured(logits / 2.5, target)}
    figure = figures.reliability_diagrams(found, "simulated")
    diagram = figure.axes[0]
    accuracy, gap = diagram.containers
    bins = found["T = 1"].bins
    assert [bar.get_height() for bar in accuracy] == pytest.approx((100 * bins[2]).tolist(), nan_ok=True)
    tops = [bar.get_y() + bar.get_height() for bar in gap]
    assert tops == pytest.approx((100 * bins[1]).tolist(), nan_ok=True)
    assert all(bar.get_hatch() and bar.get_facecolor()[3] == 0 for bar in gap), "it hides no accuracy"
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"accuracy", "gap between accuracy and mean confidence", "perfectly calibrated"} == set(named)
    assert figure.axes[2].get_yscale() == "log" and "log scale" in figure.axes[2].get_ylabel()
    assert f"ECE {100 * found['T = 2.5'].ece:.1f} %" in figure.axes[1].get_title()
    assert "simulated. T = 1: mean confidence" in figure.alt


@pytest.mark.parametrize("factor", [0.01, 0.1, 1, 10, 100])
def test_the_temperature_is_where_a_dense_grid_has_its_minimum(factor):
    logits, target = simulated()
    found = calibration.fit_temperature(factor * logits, target)
    grid = factor * torch.arange(2.3, 2.7, 0.001, dtype=torch.float64)
    losses = torch.stack([F.cross_entropy(factor * logits / t, target) for t in grid])
    assert found.temperature == pytest.approx(grid[losses.argmin()].item(), abs=1e-3 * factor)
    assert found.nll_after == pytest.approx(losses.min().item(), abs=1e-6)
    assert found.nll_after <= found.nll_before


def test_where_every_pixel_is_right_the_lowest_temperature_wins_and_where_all_are_wrong_the_highest():
    logits = torch.tensor([[1.0, 0.0], [2.0, 1.0]])
    low, high = (calibration.fit_temperature(logits, torch.tensor(t)) for t in ([0, 0], [1, 1]))
    assert (low.temperature, high.temperature) == (pytest.approx(1e-3), pytest.approx(1e3))
    assert low.nll_after < low.nll_before and high.nll_after < high.nll_before


@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (torch.zeros(2, 3), torch.tensor([0, 3]), "targets are channels, 0 to 2, or 255; got 3"),
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.long), r"need targets \(N, ...\) for logits"),
        (torch.tensor([[0.0, math.inf]]), torch.tensor([0]), "logits are not finite"),
    ],
)
def test_what_does_not_fit_is_refused(logits, target, message):
    with pytest.raises(ValueError, match=message):
        calibration.Reliability().update(logits, target)


def test_nothing_to_measure_is_said():
    with pytest.raises(ValueError, match="no valid pixel to measure"):
        measured(torch.zeros(1, 3), torch.tensor([IGNORE]))
    with pytest.raises(ValueError, match="need finite logits of one pixel or more"):
        calibration.fit_temperature(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))


def test_pixels_are_drawn_alike_from_all_images_and_only_of_known_classes(data_root):
    write_camvid(data_root / "CamVid")
    for part in ("", "annot"):
        (data_root / "CamVid" / f"train{part}").rename(data_root / "CamVid" / f"val{part}")
    samples = data.CamVid("val")
    settings = evaluation.Settings(size=(16, 24), known_classes=(0, 2, 13))
    torch.manual_seed(0)
    network = models.build("erfnet")
    logits, target = calibration.sample_pixels(network, samples, settings, pixels=12, progress=False)
    assert logits.shape == (12, 3) and set(target.tolist()) <= {0, 1, 2}
    again, _ = calibration.sample_pixels(network, samples, settings, pixels=12, progress=False)
    other, _ = calibration.sample_pixels(network, samples, settings, pixels=12, seed=1, progress=False)
    assert torch.equal(logits, again) and not torch.equal(logits, other)
    (one,) = evaluation.segmented(network, samples, settings, progress=False)
    everything, places = calibration.known_pixels(one)
    assert len(everything) == 120 and (places == IGNORE).sum() == 90


def test_ece_of_arrays_is_that_of_the_stream():
    logits, target = golden()
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    found = calibration.expected_calibration_error(confidence, predicted == target)
    assert found == pytest.approx(FACTS["ece15"], abs=1e-6)


def test_ece_on_a_case_solved_by_hand():
    confidence, right = torch.tensor([0.3, 0.5, 0.7, 0.9]), torch.tensor([True, False, True, True])
    # (0, 1/2] holds 0.3 and 0.5: mean 0.4, accuracy 0.5; above: mean 0.8, accuracy 1
    assert calibration.expected_calibration_error(confidence, right, 2) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([0.5], [1], "need a bool for each of"),
        ([0.5, 0.6], [True], r"need a bool for each of \(2,\), at least one, got torch.bool of \(1,\)"),
        ([], [], "need a bool for each of"),
        ([1.5], [True], "probabilities in"),
        ([float("nan")], [True], "probabilities in"),
    ],
)
def test_ece_refuses_what_is_no_confidence(confidence, right, message):
    with pytest.raises(ValueError, match=message):
        calibration.expected_calibration_error(torch.tensor(confidence), torch.tensor(right))
