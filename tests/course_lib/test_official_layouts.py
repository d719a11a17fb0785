"""The layouts in which owners publish their benchmarks give what the course's bundle gives."""

import shutil

import pandas as pd
import pytest
import torch
from small_archives import official_copy
from small_data import write_benchmark

from course_lib import evaluation, models
from course_lib.data import OFFICIAL, BenchmarkImages

SETTINGS = evaluation.Settings(size=(32, 64), resamples=40)


@pytest.fixture(params=OFFICIAL)
def both(request, tmp_path):
    """A benchmark in both layouts: the same pictures, 12 so that 10 comes after 9."""
    write_benchmark(tmp_path / "bundle", request.param, images=12)
    official_copy(tmp_path / "bundle", request.param, tmp_path / "official")
    return [BenchmarkImages(request.param, tmp_path / name) for name in ("bundle", "official")]


def test_the_same_images_come_in_the_same_order(both):
    bundle, official = both
    assert len(bundle) == len(official) == 12
    for ours, theirs in zip(bundle, official, strict=True):
        assert ours.image.tobytes() == theirs.image.tobytes() and torch.equal(ours.target, theirs.target)
    assert len({sample.name for sample in official}) == 12


def test_the_tables_are_the_same(both):
    torch.manual_seed(0)
    network = models.build("enet").eval()
    rows = [evaluation.evaluate(network, [images], SETTINGS, progress=False) for images in both]
    tables = [evaluation.table(found, models.Metadata(), "") for found in rows]
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["images"].unique().tolist() == [12]


def test_the_bundle_is_preferred(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly", images=2)
    official_copy(tmp_path, "RoadAnomaly", tmp_path)
    assert "RoadAnomaly_jpg" not in str(BenchmarkImages("RoadAnomaly", tmp_path).images[0])


def test_what_a_killed_run_left_is_not_read(tmp_path):
    write_benchmark(tmp_path / "bundle", "FS_LostFound_full")
    official_copy(tmp_path / "bundle", "FS_LostFound_full", tmp_path)
    masks = tmp_path / "fishyscapes_lostandfound"
    shutil.copytree(masks, masks / ".unpacking-x.zip-1")
    assert all(".unpacking" not in str(path) for path in BenchmarkImages("FS_LostFound_full", tmp_path).masks)


@pytest.mark.parametrize(
    ("name", "lost", "message"),
    [
        ("RoadAnomaly", "**/labels_semantic.png", "no mask for .*animals.*.jpg; every image needs one"),
        ("RoadAnomaly21", "**/validation0001.jpg", "no image validation0001 in .*dataset_AnomalyTrack"),
        ("RoadObsticle21", "**/*_labels_semantic.png", "no masks for the images in .*dataset_ObstacleTrack"),
        ("FS_LostFound_full", "**/*000001_leftImg8bit.png", "no image 04_Maurener_Weg_8_000000_000001 in"),
        ("FS_LostFound_full", "**/*_labels.png", "no masks for the images in .*lostandfound"),
    ],
)
def test_what_is_missing_of_an_official_layout_is_named(tmp_path, name, lost, message):
    write_benchmark(tmp_path / "bundle", name)
    official_copy(tmp_path / "bundle", name, tmp_path / "official")
    for path in list((tmp_path / "official").glob(lost)):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=message):
        BenchmarkImages(name, tmp_path / "official")
