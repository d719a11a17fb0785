"""Objects of a network on a benchmark, at the threshold with the best pixel F1."""

import numpy as np
import pytest
import torch
from small_data import write_benchmark

from course_lib import data, evaluation, models
from course_lib.metrics import ANOMALY_TRACK, OBSTACLE_TRACK, combine, components

SETTINGS = evaluation.Settings(("max_logit",), size=(48, 64), resamples=0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.build("erfnet").eval()


@pytest.mark.parametrize(
    "name, track", [("RoadAnomaly21", ANOMALY_TRACK), ("RoadObsticle21", OBSTACLE_TRACK)]
)
def test_rows_equal_what_is_counted_by_hand(tmp_path, network, name, track):
    images = data.BenchmarkImages(name, write_benchmark(tmp_path, name).parent)
    (row,) = evaluation.component_rows(network, images, SETTINGS, progress=False)
    scored = evaluation.examples(network, images, SETTINGS, len(images))
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
