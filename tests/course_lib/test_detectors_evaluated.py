"""A detector takes the place of a network in evaluation: one score, under its name, also in pairs."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from small_data import write_benchmark
from small_detectors import METADATA, SIZE, Halving, fitted
from torch.nn import functional as F

from course_lib import data, evaluation, metrics
from course_lib.detectors import Recipe, ScorePart
from course_lib.lesson import figures

ENTROPY = Recipe("entropy_alone", (ScorePart("max_entropy"),))
SETTINGS = evaluation.Settings.of(METADATA, resamples=40)


@pytest.fixture
def images(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly21")
    return data.BenchmarkImages("RoadAnomaly21", root=tmp_path)


def evaluated(subject, images, settings=SETTINGS, metadata=METADATA):
    rows = evaluation.evaluate(subject, [images], settings, progress=False)
    return evaluation.network_result(rows, metadata, "halving.safetensors")


def test_a_detector_has_one_row_a_benchmark_with_the_numbers_of_the_plain_way(images):
    detector = fitted("neighbours_and_entropy")
    kept, truth = [], []
    for sample in images:
        with torch.no_grad():
            scores = detector(data.to_tensor(data.resize_image(sample.image, SIZE))[None])
        scores = F.interpolate(scores[None], sample.target.shape, mode="bilinear")[0, 0]
        kept.append(scores[sample.target != 255])
        truth.append(sample.target[sample.target != 255] == 1)
    chosen = replace(SETTINGS, temperatures=(0.5, 2.0))  # of scores of logits, which are not asked for
    (row,) = evaluated(detector, images, chosen).frame.to_dict("records")
    assert (row["score"], row["temperature"], row["classes_in_score"]) == ("neighbours_and_entropy", 1, 4)
    expected = metrics.average_precision(torch.cat(kept), torch.cat(truth))
    assert row["auprc"] == pytest.approx(100 * expected) and row["auprc_low"] <= row["auprc"]
    assert not detector.training and not detector.network.training


def test_one_part_alone_has_the_numbers_of_its_score(images):
    network = Halving().eval()
    plain = evaluated(network, images).frame.set_index("score").loc["max_entropy"]
    row = evaluated(fitted(ENTROPY, network), images).frame.iloc[0]
    for name in ("auprc", "fpr95", "auroc"):
        assert row[name] == pytest.approx(plain[name], abs=1e-3)


def test_maps_of_single_images_come_from_the_detector(images):
    detector, key = fitted("neighbours"), ("neighbours", 1.0)
    (scored,) = evaluation.scored_images(detector, images, SETTINGS, [1])
    assert scored.maps.keys() == {key} and scored.maps[key].shape == scored.target.shape
    with evaluation.ready(detector, SETTINGS):
        photograph = evaluation.scored_photograph(detector, "a", images[0].image, (40, 70), SETTINGS)
    assert photograph.maps.keys() == {key} and photograph.maps[key].shape == (40, 70)
    assert evaluation.mean_score_maps(detector, images, SETTINGS, progress=False)[key].shape == SIZE
    rows = evaluation.per_image(detector, images, SETTINGS, progress=False)
    assert rows["score"].tolist() == ["neighbours"] * 3 and rows["auprc"].between(0, 100).all()
    (row,) = evaluation.component_rows(detector, images, SETTINGS, progress=False)
    assert row["score"] == "neighbours"
    assert "neighbours" in figures.score_panels([scored]).alt


def test_the_position_only_control_stands_beside_a_detector(images):
    detector = fitted("smoothed_entropy")
    controls = evaluation.Controls(evaluation.mean_score_maps(detector, images, SETTINGS, progress=False))
    rows = evaluation.evaluate(detector, [images], SETTINGS, controls, progress=False)
    assert [row["score"] for row in rows] == ["smoothed_entropy", "position:smoothed_entropy", "constant"]


def test_fast_changes_a_detectors_numbers_by_rounding_only(images):
    detector = fitted("neighbours_16_32_and_entropy")
    plain, fast = (
        evaluated(detector, images, replace(SETTINGS, speed=speed)).frame.iloc[0]
        for speed in ("plain", "fast")
    )
    assert fast["auprc"] == pytest.approx(plain["auprc"], abs=0.05) and fast["speed"] == "fast"
    with pytest.raises(ValueError, match="a detector runs neither compiled nor as a CUDA graph"):
        evaluated(detector, images, replace(SETTINGS, speed="compiled"))


def test_raw_images_are_let_in_by_their_protocol_alone(images):
    detector = fitted("smoothed_entropy")
    evaluated(detector, images, replace(SETTINGS, protocol="paper"))
    assert detector.checks_range and detector.network.checks_range


def test_nan_and_a_network_that_fails_are_named_as_ever(images):
    detector = fitted("smoothed_entropy")
    torch.nn.init.constant_(detector.network.last.bias, float("nan"))
    with pytest.raises(ValueError, match=r"image 'RoadAnomaly21/0': .* scores are NaN"):
        evaluated(detector, images)
    detector.network.features = lambda images: images.view(-1, 7)
    with pytest.raises(ValueError, match=r"the network failed on an image of 64 x 96 on cpu"):
        evaluated(detector, images)


def test_a_detector_and_the_scores_of_its_network_are_compared_in_pairs(images):
    network = Halving().eval()
    rows = evaluation.evaluate(network, [images], SETTINGS, progress=False)
    rows += evaluation.evaluate(fitted(ENTROPY, network), [images], SETTINGS, progress=False)
    result = evaluation.network_result(rows, METADATA, "halving.safetensors")
    table = evaluation.against_score(result, "max_entropy").set_index("score")
    assert table.loc["entropy_alone", "auprc_difference"] == pytest.approx(0, abs=1e-3)
    assert not table.loc["entropy_alone", "auprc_beyond_images"]


def test_comparisons_set_a_detector_beside_each_score_of_the_baseline(images):
    network, detector = Halving().eval(), fitted(ENTROPY)
    results = [evaluated(network, images), evaluated(detector, images, metadata=detector.metadata)]
    table = evaluation.compare(results, "ce")
    assert table["training"].tolist() == ["ce"] * 3 + ["ce+entropy_alone"] * 3
    assert table["score"].tolist() == ["msp", "max_logit", "max_entropy"] + ["entropy_alone"] * 3
    assert table["score_of_baseline"].tolist() == ["msp", "max_logit", "max_entropy"] * 2
    entropy = table.set_index(["score", "score_of_baseline"])["auprc_difference"]["entropy_alone"]
    single = {row["score"]: row["auprc"] for row in results[0].frame.to_dict("records")}
    for score, difference in entropy.items():
        assert difference == pytest.approx(results[1].frame["auprc"][0] - single[score])
    turned = evaluation.compare(results, "ce+entropy_alone")
    assert turned["auprc_difference"].tolist()[:3] == pytest.approx((-entropy).tolist())
    assert turned["auprc_difference"].tolist()[3:] == [0] and pd.isna(turned["auprc_beyond_seeds"]).all()
