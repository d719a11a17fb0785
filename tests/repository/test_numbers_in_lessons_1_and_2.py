"""Numbers in the texts of lessons 1 and 2 are those of the tables and networks that come with the course."""

import numpy as np
import pandas as pd
import pytest
import torch
from lesson_texts import needs_solutions, text_of
from small_data import ROOT

from course_lib import calibration, data, evaluation, metrics, models
from course_lib.labels import IGNORE
from course_lib.lesson import tables

pytestmark = needs_solutions


@pytest.fixture(scope="module")
def lesson_1():
    return text_of("01_baseline_scoring")


@pytest.fixture(scope="module")
def lesson_2():
    return text_of("02_temperature_scaling")


def test_erfnets_layers_are_counted_as_lesson_1_says(lesson_1):
    shapes = models.layer_shapes(models.build("erfnet"), (128, 256))
    small = sum(shape.height in (128 // 4, 128 // 8) for shape in shapes)
    blocks = sum(shape.kind == "NonBottleneck1D" for shape in shapes)
    assert f"{small} of the {len(shapes)} layers work at a quarter or an eighth" in lesson_1
    assert f"{blocks} layers are **non-bottleneck-1D** blocks" in lesson_1


def test_the_six_pixels_get_what_lesson_1_says_with_and_without_straight_lines(lesson_1):
    values, truth = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.4, 0.1]), torch.tensor([1, 0, 1, 1, 0, 0]).bool()
    curve = metrics.exact_curve(values, truth)
    found = curve.true_positives
    precision = found / (found + curve.false_positives)
    with_lines = np.trapezoid([1, *precision], [0, *(found / 3)])
    right = metrics.average_precision(values, truth)
    assert f"the six pixels would get {with_lines:.3f} instead of {right:.3f}" in lesson_1


def test_the_papers_numbers_stand_beside_their_chance(lesson_1, lesson_2):
    chance = tables.official_prevalence()["prevalence"]["RoadAnomaly21"]
    printed = pd.concat([tables.paper_values(1), tables.paper_values(2)])
    msp = printed[(printed["score"] == "msp") & (printed["benchmark"] == "RoadAnomaly21")]["auprc"]
    assert f"Its MSP has an AuPRC of {msp.iloc[0]} % on the *real* RoadAnomaly21" in lesson_1
    assert f"The prevalence there is {chance:.2f} %" in lesson_1
    assert f"ranges from {msp.min()} to {msp.max()} on RoadAnomaly21" in lesson_2
    assert f"The prevalence there is {chance:.2f}." in lesson_2


def test_a_fitted_temperature_changes_as_little_as_lesson_2_says(lesson_2):
    frame = pd.read_csv(ROOT / "site" / "results" / "mini" / "table2.csv")
    fitted = frame[~frame["temperature"].isin([0.5, 0.75, 1, 1.1])]
    gains = fitted["auprc_difference"]
    assert len(fitted) == 5 and fitted["auprc_beyond_images"].all()
    assert f"AuPRC rises by {gains.min():.1f} to {gains.max():.1f} points" in lesson_2
    assert 0.5 < fitted["fpr95_difference"].abs().max() < 1 and "FPR95 moves by one point at most" in lesson_2
    tied = frame[(frame["benchmark"] == "mini_FS_LostFound_full") & (frame["temperature"] == 0.5)]
    assert tied["fpr95"].item() == 100 and tied["largest_tie"].item() > 50


def test_calibration_and_detection_are_two_aims_as_lesson_2_says(lesson_2):
    frame = pd.read_csv(ROOT / "site" / "results" / "camvid" / "table2.csv")
    falls = -frame[frame["temperature"] == 1.1]["fpr95_difference"]
    assert len(falls) == 5 and falls.min() > 0
    assert f"1.1 lowers FPR95 on all five sets, by {falls.min():.1f} to {falls.max():.1f} points" in lesson_2
    found = tables.measured("mini", "eiml_fl.temperatures")
    calibrated = found[(found["temperature"] == 0.196) & (found["score"] == "msp")]
    less = calibrated["auprc_beyond_images"] & (calibrated["auprc_difference"] < 0)
    assert (len(less), less.sum()) == (5, 3) and "finds *less* by MSP on three of five sets" in lesson_2


def test_bins_of_equal_size_give_what_lesson_2_says(lesson_2):
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    scene = [data.find_profile("mini").labelled("val")[0]]
    (one,) = evaluation.segmented(network, scene, evaluation.Settings.of(metadata), progress=False)
    logits, classes = calibration.known_pixels(one)
    valid = classes != IGNORE
    confidence, predicted = logits[valid].softmax(dim=1).max(dim=1)
    right = (predicted == classes[valid]).float()
    gaps = [(confidence[own] - right[own]).mean().abs() for own in confidence.argsort().tensor_split(15)]
    usual = calibration.expected_calibration_error(confidence, right.bool())
    told = f"the mean of their gaps: {100 * sum(gaps) / 15:.2f} % here, where the ECE is {100 * usual:.2f} %"
    assert told in lesson_2
    assert (
        f"{100 * (confidence > 14 / 15).float().mean():.0f} % of these pixels lie in the last of" in lesson_2
    )


def test_large_temperatures_do_what_lesson_2_says(lesson_2):
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    asked_for = evaluation.Settings.of(metadata, scores=("msp",), temperatures=(1.0, 2.0, 4.0), resamples=0)
    benchmarks = [data.BenchmarkImages(name) for name in data.find_profile("mini").benchmarks]
    rows = pd.DataFrame(evaluation.evaluate(network, benchmarks, asked_for, progress=False))
    auprc, fpr95 = (
        rows.pivot(index="benchmark", columns="temperature", values=name) for name in ("auprc", "fpr95")
    )
    gains = auprc[[2.0, 4.0]].max(axis=1) - auprc[1.0]
    assert f"by {gains.min():.0f} to {gains.max():.0f} points" in lesson_2
    assert (auprc[4.0] > auprc[1.0]).all() and "AuPRC is higher, and yet the last anomalies" in lesson_2
    rises = [fpr95.loc[f"mini_{name}"] for name in ("RoadObsticle21", "FS_LostFound_full")]
    told = " and ".join(f"from {row[1.0]:.0f} to {row[4.0]:.0f} %" for row in rises)
    assert f"on the two sets with an empty road, {told}" in lesson_2
