"""The shipped CamVid network on real images: it segments what it says, and finds real anomalies."""

import pytest

from course_lib import data, evaluation, models


@pytest.fixture(scope="module")
def shipped():
    network, metadata = models.load("erfnet", models.shipped_weights("camvid", "erfnet"))
    settings = evaluation.Settings(
        size=tuple(metadata.size), known_classes=tuple(metadata.known_classes), resamples=200
    )
    return network, metadata, settings


def test_mean_iou_on_camvid_is_what_the_metadata_says(shipped, camvid):
    network, metadata, settings = shipped
    counts = evaluation.confusion(network, data.CamVid("val"), settings, progress=False)
    assert len(counts.iou()) == 11 and counts.mean_iou() >= 0.45
    assert counts.mean_iou() == pytest.approx(metadata.metrics["miou"], abs=0.002)


def test_real_anomalies_are_found_above_chance(shipped, benchmarks):
    network, metadata, settings = shipped
    images = [data.BenchmarkImages(name) for name in ("RoadAnomaly21", "RoadObsticle21")]
    rows = evaluation.evaluate(network, images, settings, progress=False)
    frame = evaluation.table(rows, metadata, "")
    assert frame["auprc_outside_chance"].all() and frame["fpr95_outside_chance"].all()
    assert set(frame["classes_in_score"]) == {11}
