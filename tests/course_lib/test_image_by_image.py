"""Image by image: exact metrics of each one, and its objects at the threshold with the best pixel F1."""

import numpy as np
import pytest
import torch
from small_data import write_benchmark, write_image

from course_lib import data, evaluation, metrics, models
from course_lib.metrics import ANOMALY_TRACK, OBSTACLE_TRACK, combine, components

SETTINGS = evaluation.Settings(size=(32, 64))
OBJECTS = evaluation.Settings(("max_logit",), size=(48, 64), resamples=0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.build("erfnet").eval()


@pytest.fixture
def images(tmp_path):
    """A benchmark of four images; the last one holds no anomaly."""
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=4)
    mask = data.BenchmarkImages("RoadAnomaly21", tmp_path)[3].target
    write_image(folder / "labels_masks" / "3.png", torch.where(mask == 1, 0, mask).numpy())
    return data.BenchmarkImages("RoadAnomaly21", tmp_path)


def test_each_image_has_the_exact_metrics(network, images):
    frame = evaluation.per_image(network, images, SETTINGS, progress=False)
    assert sorted(frame["index"].unique()) == [0, 1, 2], "nothing to find in the last one"
    one = evaluation.scored_images(network, images, SETTINGS, [1])[0]
    valid = one.target != 255
    expected = metrics.average_precision(one.maps["msp", 1.0][valid], one.target[valid] == 1)
    row = frame[(frame["index"] == 1) & (frame["score"] == "msp")].iloc[0]
    assert row["auprc"] == pytest.approx(100 * expected) and row["image"] == one.name
    assert row["prevalence"] == pytest.approx(100 * metrics.prevalence(one.target))


def test_images_that_the_protocol_leaves_out_are_missing(network, images):
    settings = evaluation.Settings(protocol="peer")
    shown = evaluation.scored_images(network, images, settings, [3, 0])
    assert [one.name for one in shown] == ["0"]


@pytest.mark.parametrize(
    "name, track", [("RoadAnomaly21", ANOMALY_TRACK), ("RoadObsticle21", OBSTACLE_TRACK)]
)
def test_rows_equal_what_is_counted_by_hand(tmp_path, network, name, track):
    images = data.BenchmarkImages(name, write_benchmark(tmp_path, name).parent)
    (row,) = evaluation.component_rows(network, images, OBJECTS, progress=False)
    scored = evaluation.examples(network, images, OBJECTS, len(images))
    found = []
    for one in scored:
        scores, target = one.maps["max_logit", 1.0], one.target
        just_below = np.nextafter(np.float32(row["threshold"]), np.float32(-np.inf)).item()
        found.append(components(scores, target, just_below, track.scaled_to(target.numel())))
    expected = combine(found)
    assert row["true_components"] == expected.true_components == len(images)
    assert row["predicted_components"] == expected.predicted_components
    assert row["siou"] == pytest.approx(100 * expected.siou)
    assert row["f1"] == pytest.approx(100 * expected.f1)


def test_sizes_shrink_with_the_mask_and_never_grow():
    assert ANOMALY_TRACK.scaled_to(128 * 256) == type(ANOMALY_TRACK)(4, 18)
    assert ANOMALY_TRACK.scaled_to(1080 * 1920) == ANOMALY_TRACK
    assert OBSTACLE_TRACK.scaled_to(10) == type(ANOMALY_TRACK)(1, 1)
