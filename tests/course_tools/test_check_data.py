"""check-data says of each profile what is whole, incomplete, corrupt or missing, and what mends it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_archives import official_copy, write_cityscapes
from small_data import write_benchmark, write_camvid

from course_lib.data import BENCHMARKS, OFFICIAL, PROFILES, mini
from course_tools import dataset_check, downloads
from course_tools.__main__ import main
from course_tools.downloads import Record

REAL = PROFILES["cityscapes"].benchmarks


@pytest.fixture
def whole(data_root, monkeypatch):
    """Small data for all public sets, and the small numbers that they then have."""
    for name in REAL:
        write_benchmark(data_root / "benchmarks", name)
        monkeypatch.setitem(BENCHMARKS, name, replace(BENCHMARKS[name], official_images=3))
    for split in ("train", "val"):
        write_camvid(data_root / "CamVid", split=split)
    write_cityscapes(data_root / "cityscapes")
    small = {"camvid": {"train": 1, "val": 1}, "cityscapes": {"train": 2, "val": 1}}
    monkeypatch.setattr(dataset_check, "SPLITS", small)
    return data_root


def looked(capsys, *options):
    """Return the exit status and the lines that were printed."""
    status = main(["check-data", *options])
    return status, [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("options", [(), ("--thorough",)])
@pytest.mark.parametrize("profile", ["camvid", "cityscapes"])
def test_a_whole_tree_is_whole(whole, capsys, profile, options):
    status, lines = looked(capsys, "--profile", profile, *options)
    sets = lines[1 : lines.index("public weights, which are extra")]
    assert status == 0 and len(sets) == 2 + 5
    assert all(line.startswith("✓") and "whole" in line for line in sets)


def test_an_empty_one_is_missing_with_the_commands(data_root, capsys):
    status, lines = looked(capsys, "--profile", "cityscapes")
    assert status == 1 and lines[1].startswith("· Cityscapes train missing 0 of 2975 images")
    assert lines.count("→ python3 start.py fetch cityscapes") == 2
    for source in ("anomaly_track", "obstacle_track", "fishyscapes_lost_and_found", "road_anomaly"):
        assert f"→ python3 start.py fetch {source}" in lines
    assert "→ python3 start.py fetch fishyscapes_static --dry-run" in lines


@pytest.mark.parametrize("name", REAL)
def test_a_partial_one_is_incomplete(whole, capsys, name):
    for kind, suffix in (("images", BENCHMARKS[name].suffix), ("labels_masks", ".png")):
        (whole / "benchmarks" / name / kind / f"2{suffix}").unlink()
    status, lines = looked(capsys, "--profile", "camvid")
    at = next(i for i, line in enumerate(lines) if line.startswith(f"✗ {name} incomplete 2 of 3 images"))
    assert status == 1 and lines[at + 1].startswith(f"→ move {whole}/benchmarks/{name} away, then python3")
    assert sum(line.startswith("✓") for line in lines) == 6


def test_a_mask_without_image_is_incomplete_and_named(whole, capsys):
    (whole / "CamVid" / "valannot" / "0001TP_006690.png").unlink()
    status, lines = looked(capsys, "--profile", "camvid")
    assert status == 1 and "✗ CamVid val incomplete 0 of 1 images" in lines
    assert any("0001TP_006690.png" in line for line in lines)


@pytest.mark.parametrize("name", REAL)
def test_a_cut_file_is_corrupt_and_named(whole, capsys, name):
    path = next((whole / "benchmarks" / name / "images").iterdir())
    path.write_bytes(path.read_bytes()[:-80])
    status, lines = looked(capsys, "--profile", "cityscapes")
    assert status == 1 and any(line.startswith(f"✗ {name} corrupt 3 of 3") for line in lines)
    assert f"{path} is cut short, no image, or cannot be read" in lines


def test_only_a_thorough_look_finds_a_flipped_byte_and_a_wrong_label(whole, capsys):
    mask = whole / "benchmarks" / "RoadAnomaly21" / "labels_masks" / "0.png"
    Image.new("L", Image.open(mask).size, 7).save(mask)
    assert looked(capsys, "--profile", "camvid")[0] == 0
    status, lines = looked(capsys, "--profile", "camvid", "--thorough")
    assert status == 1 and any("0.png holds the label 7; expected only 0, 1, 255" in line for line in lines)


def test_many_problems_are_counted(whole, capsys):
    for path in (whole / "benchmarks" / "fs_static" / "images").iterdir():
        path.write_bytes(b"")
    for path in (whole / "benchmarks" / "fs_static" / "labels_masks").iterdir():
        path.write_bytes(b"no image")
    assert "and 3 more" in looked(capsys, "--profile", "camvid")[1]


def test_official_layouts_are_looked_over_too(whole, capsys):
    for name in OFFICIAL:
        official_copy(whole / "benchmarks", name, whole / "benchmarks")
        (whole / "benchmarks" / name).rename(whole / name)
    status, lines = looked(capsys, "--profile", "camvid", "--thorough")
    sets = lines[1 : lines.index("public weights, which are extra")]
    assert status == 0 and all(line.startswith("✓") for line in sets)


def test_a_fetched_file_that_is_gone_brings_the_command_without_more(whole, capsys):
    official_copy(whole / "benchmarks", "RoadAnomaly", whole / "benchmarks")
    (whole / "benchmarks" / "RoadAnomaly").rename(whole / "RoadAnomaly")
    record = Record(downloads.find_source("road_anomaly"), whole)
    record.finish([path for path in (whole / "benchmarks" / "RoadAnomaly_jpg").rglob("*") if path.is_file()])
    assert looked(capsys, "--profile", "camvid")[0] == 0
    gone = next((whole / "benchmarks" / "RoadAnomaly_jpg").rglob("labels_semantic_color.png"))
    gone.unlink()
    status, lines = looked(capsys, "--profile", "camvid")
    at = next(i for i, line in enumerate(lines) if line.startswith("✗ RoadAnomaly incomplete"))
    assert status == 1 and "1 fetched file(s) gone or changed" in lines[at + 1]
    assert lines[at + 2] == "→ python3 start.py fetch road_anomaly"
    assert not record.is_whole() and not record.in_the_way()


def test_a_damaged_record_counts_as_begun(data_root):
    record = Record(downloads.find_source("camvid"), data_root)
    (data_root / "CamVid").mkdir()
    assert not record.in_the_way(), "an empty folder is nobody's"
    (data_root / "CamVid" / "train.txt").write_text("")
    assert record.in_the_way() == ["CamVid"]
    for content in ("{", "[]", json.dumps({"files": {"a": "x"}})):
        record.path.parent.mkdir(exist_ok=True)
        record.path.write_text(content)
        assert record.sizes() == {} and not record.in_the_way() and not record.is_whole()


def test_mini_is_looked_over(capsys):
    mini.mini_root()
    status, lines = looked(capsys, "--profile", "mini")
    assert status == 0 and len(lines) == 8


def test_a_broken_link_is_one_problem_among_others(whole, capsys):
    path = whole / "benchmarks" / "RoadAnomaly21" / "images" / "1.png"
    path.unlink()
    path.symlink_to(whole / "nowhere")
    status, lines = looked(capsys, "--profile", "camvid")
    assert status == 1 and f"{path} is cut short, no image, or cannot be read" in lines
    assert any(line.startswith("✓ RoadAnomaly ") for line in lines), "the sets behind it are looked over"


def test_cures_lead_out_of_every_state(whole, capsys):
    image = whole / "CamVid" / "train" / "0001TP_006690.png"
    image.write_bytes(b"")
    assert "→ python3 start.py fetch camvid --force" in looked(capsys, "--profile", "camvid")[1]
    record = Record(downloads.find_source("camvid"), whole)
    record.finish([path for path in (whole / "CamVid").rglob("*.png")])
    lines = looked(capsys, "--profile", "camvid")[1]
    assert "→ delete what is damaged, then python3 start.py fetch camvid" in lines
    record.begin()
    assert "→ python3 start.py fetch camvid" in looked(capsys, "--profile", "camvid")[1]


def test_public_weights_are_looked_at_but_do_not_count(whole, capsys):
    (whole / "weights").mkdir()
    (whole / "weights" / "enet_cityscapes.pth").write_text("not these")
    status, lines = looked(capsys, "--profile", "camvid")
    assert status == 0 and "✗ weights/enet_cityscapes.pth unknown" in lines
    assert "→ python3 start.py fetch enet_weights --force" in lines
    assert "· weights/erfnet_pretrained.pth missing" in lines


@pytest.mark.parametrize(
    ("numbers", "noticed"),
    [
        ((0, 1, 2, 8, 10, 13, 255), True),  # train ids of a street
        ((0, 0, 2, 2, 255), True),
        ((7, 8, 11, 21, 23, 26, 0), False),  # label ids of the same
        ((0, 7, 11, 11), False),  # a small data set of somebody's own
        ((0, 0, 0, 0, 26), False),  # much void, and a car
    ],
)
def test_train_ids_in_the_place_of_label_ids_are_noticed(whole, capsys, numbers, noticed):
    for path in (whole / "cityscapes" / "gtFine").rglob("*_labelIds.png"):
        size = Image.open(path).size
        Image.fromarray(np.resize(np.array(numbers, dtype=np.uint8), size[::-1])).save(path)
    status, lines = looked(capsys, "--profile", "cityscapes", "--thorough")
    told = [line for line in lines if "look like train ids: expected the label ids of Cityscapes" in line]
    assert (status, len(told)) == ((1, 2) if noticed else (0, 0))


def test_twins_do_not_stop_the_look_at_the_rest(whole, capsys):
    image = whole / "benchmarks" / "RoadAnomaly21" / "labels_masks" / "0.png"
    image.with_name("0.PNG").write_bytes(image.read_bytes())
    status, lines = looked(capsys, "--profile", "camvid")
    assert status == 1 and any(
        "0.PNG have one name" in line or "0.png have one name" in line for line in lines
    )
    assert any(line.startswith("✓ RoadAnomaly ") for line in lines)


def test_what_is_drawn_is_cured_without_scripts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mini, "FOLDER", tmp_path / "mini")
    status, lines = looked(capsys, "--profile", "mini")
    cure = f"→ delete {tmp_path}/mini, if it is there; lessons and commands draw it on their next use"
    assert status == 1 and lines.count(cure) == 7
