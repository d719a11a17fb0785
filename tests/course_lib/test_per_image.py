"""Each image alone is measured as the exact metrics do it."""

import pytest
import torch
from small_data import write_benchmark, write_image

from course_lib import data, evaluation, metrics, models

SETTINGS = evaluation.Settings(size=(32, 64))
ROUNDING = 1e-3
"""In points: images of one size pass the network together or alone, and a last bit swaps near ties."""


@pytest.fixture
def images(tmp_path):
    """A benchmark of four images; the last one holds no anomaly."""
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=4)
    mask = data.BenchmarkImages("RoadAnomaly21", tmp_path)[3].target
    write_image(folder / "labels_masks" / "3.png", torch.where(mask == 1, 0, mask).numpy())
    return data.BenchmarkImages("RoadAnomaly21", tmp_path)


def test_each_image_has_the_exact_metrics(images):
    torch.manual_seed(0)
    network = models.build("erfnet")
    frame = evaluation.per_image(network, images, SETTINGS, progress=False)
    assert sorted(frame["index"].unique()) == [0, 1, 2], "nothing to find in the last one"
    one = evaluation.scored_images(network, images, SETTINGS, [1])[0]
    valid = one.target != 255
    expected = metrics.average_precision(one.maps["msp", 1.0][valid], one.target[valid] == 1)
    row = frame[(frame["index"] == 1) & (frame["score"] == "msp")].iloc[0]
    assert row["auprc"] == pytest.approx(100 * expected, abs=ROUNDING) and row["image"] == one.name
    assert row["prevalence"] == pytest.approx(100 * metrics.prevalence(one.target))


def test_images_that_the_protocol_leaves_out_are_missing(images):
    settings = evaluation.Settings(protocol="peer")
    shown = evaluation.scored_images(models.build("erfnet"), images, settings, [3, 0])
    assert [one.name for one in shown] == ["0"]
