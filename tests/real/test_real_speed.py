"""Faster ways give the same answers on real images with weights that somebody trained."""

from dataclasses import replace

import pytest

from course_lib import data, evaluation, inference, models

SETTINGS = evaluation.Settings(resamples=0)


@pytest.fixture(scope="module")
def network(weights):
    return models.load("enet", weights / "enet_cityscapes_ce_peer.pth")[0].eval()


@pytest.fixture(scope="module")
def anomalies(benchmarks):
    return data.BenchmarkImages("RoadAnomaly21", root=benchmarks)


def numbers(network, images, settings):
    rows = evaluation.evaluate(network, [images], settings, progress=False)
    return {row["score"]: (row["auprc"], row["fpr95"], row["auroc"], row["largest_tie"]) for row in rows}


def test_fast_agrees_on_999_of_1000_pixels_and_to_a_twentieth_of_a_point(network, anomalies):
    pictures = (data.to_tensor(data.resize_image(anomalies[i].image, SETTINGS.size))[None] for i in (0, 4))
    assert inference.agreement(network, inference.accelerate(network), pictures).argmax > 0.999
    plain, fast = (numbers(network, anomalies, replace(SETTINGS, speed=speed)) for speed in ("plain", "fast"))
    for score, found in plain.items():
        assert fast[score][0] == pytest.approx(found[0], abs=0.05)
