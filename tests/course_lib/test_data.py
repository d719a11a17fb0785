"""Reading data sets: the real layouts, every way in which a file can be wrong, what becomes of an image."""

import shutil
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from small_data import SIZES, write_benchmark, write_camvid, write_image
from torchvision import datasets

from course_lib.data import (
    BENCHMARKS,
    PROFILES,
    SEGMENTATION_SETS,
    Augmentation,
    BenchmarkImages,
    CamVid,
    Cityscapes,
    Enlarged,
    current_profile,
    find_profile,
    open_benchmarks,
    resize_image,
    resize_mask,
    resized_pair,
    to_tensor,
)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_layout_is_read(name, data_root):
    write_benchmark(data_root / "benchmarks", name)
    images = BenchmarkImages(name, root=data_root / "benchmarks")
    assert len(images) == 3
    for index, size in enumerate(SIZES):
        sample = images[index]
        assert (sample.name, sample.image.mode, sample.image.size[::-1]) == (str(index), "RGB", size)
        assert sample.target.shape == size and sample.target.unique().tolist() == [0, 1, 255]
        assert (sample.target[10:20, 20:36] == 1).all() and (sample.target[:5] == 255).all()


def test_an_enlarged_benchmark_shows_the_same_in_more_pixels(data_root):
    write_benchmark(data_root / "benchmarks", "fs_static")
    images = BenchmarkImages("fs_static", root=data_root / "benchmarks")
    larger = Enlarged(images, factor=3, most=2)
    assert (len(larger), larger.name, larger.benchmark) == (2, "fs_static", images.benchmark)
    (height, width), sample = SIZES[1], larger[1]
    assert sample.image.size[::-1] == sample.target.shape == (3 * height, 3 * width)
    assert torch.equal(sample.target[1::3, 1::3], images[1].target)
    assert (len(Enlarged(images)), len(Enlarged(images, most=9))) == (3, 3)


def test_files_come_in_numerical_order(tmp_path):
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=12)
    (folder / "images" / "._0.png").write_text("left behind by another system")
    images = BenchmarkImages("RoadAnomaly21", root=tmp_path)
    assert [path.stem for path in images.images] == [str(i) for i in range(12)]


def test_official_sizes_are_those_of_the_bundle():
    assert {name: b.official_images for name, b in BENCHMARKS.items() if not b.generated} == {
        "RoadAnomaly21": 10, "RoadObsticle21": 30, "FS_LostFound_full": 100, "fs_static": 30,
        "RoadAnomaly": 60,
    }  # fmt: skip


def test_camvid_is_read_in_train_ids(data_root):
    write_camvid(data_root / "CamVid")
    sample = CamVid("train")[0]
    assert sample.name == "0001TP_006690"
    assert sample.target[0].tolist() == [10, 2, 5, 0, 1, 8, 7, 4, 13, 11, 18, 255]


def test_unknown_names_say_what_is_known(data_root):
    with pytest.raises(ValueError, match="unknown benchmark 'Moon'; known are RoadAnomaly21, RoadObsticle21"):
        BenchmarkImages("Moon")
    with pytest.raises(ValueError, match="unknown split 'all'; known are train, val, test"):
        CamVid("all")


def test_a_missing_folder_is_named_with_the_cure(data_root):
    with pytest.raises(
        FileNotFoundError,
        match=r"no folder .*RoadAnomaly21 nor dataset_AnomalyTrack: python3 start.py fetch anomaly_track",
    ):
        BenchmarkImages("RoadAnomaly21")
    with pytest.raises(FileNotFoundError, match=r"no folder .*CamVid.val: python3 start.py fetch camvid"):
        CamVid("val")


def test_an_empty_folder_and_a_missing_mask_are_named(data_root):
    folder = write_benchmark(data_root / "benchmarks", "fs_static")
    (folder / "labels_masks" / "1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no mask for .*images.1.jpg; every image needs one"):
        BenchmarkImages("fs_static")
    for path in (folder / "images").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no images in .*fs_static, named as images/.*jpg; fetch"):
        BenchmarkImages("fs_static")
    write_camvid(data_root / "CamVid")
    (data_root / "CamVid" / "trainannot" / "0001TP_006690.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no mask for .*train.0001TP_006690.png"):
        CamVid("train")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_image(path):
    path.write_text("not a picture")


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, no_image, empty])
@pytest.mark.parametrize("part", ["images/1.webp", "labels_masks/1.png"])
def test_a_damaged_file_is_named(damage, part, data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadObsticle21")
    damage(folder / part)
    images = BenchmarkImages("RoadObsticle21")
    images[0]
    with pytest.raises(ValueError, match=rf"{part} cannot be read as an image .*; fetch it again"):
        images[1]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((10, 20), np.uint8), r"0.png is 10 x 20, its image 48 x 64 \(height x width\)"),
        (np.full((48, 64), 7, np.uint8), "0.png holds the label 7; expected only 0, 2, 255"),
        (np.full((48, 64), 1, np.uint8), "holds the label 1; expected only 0, 2, 255"),
        (np.zeros((48, 64, 3), np.uint8), "has mode RGB; a mask has one channel"),
    ],
)
def test_a_wrong_mask_is_named(mask, message, data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly")
    write_image(folder / "labels_masks" / "0.png", mask)
    with pytest.raises(ValueError, match=message):
        BenchmarkImages("RoadAnomaly")[0]


def test_an_unknown_camvid_id_is_named(data_root):
    write_camvid(data_root / "CamVid", values=[0, 12, 200])
    with pytest.raises(ValueError, match=r"0001TP_006690.png holds the label 12, 200; expected only 0, 1, 2"):
        CamVid("train")[0]


def test_palette_masks_are_read_as_numbers(data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    mask = Image.open(folder / "labels_masks" / "0.png").convert("L")
    mask.putpalette([255, 0, 0] * 256)
    mask.save(folder / "labels_masks" / "0.png")
    target = BenchmarkImages("RoadAnomaly21")[0].target
    assert target.dtype == torch.uint8 and target.unique().tolist() == [0, 1, 255]


def write_cityscapes(root, towns=("zurich", "aachen")):
    """Write one pair in each town, whose labelIds hold every class and every kind of void."""
    ids = np.array([[7, 8, 26, 33, 0, 1, 29, 255]], dtype=np.uint8).repeat(4, axis=0)
    for town in towns:
        stem = f"train/{town}/{town}_000003_000019"
        write_image(root / "leftImg8bit" / f"{stem}_leftImg8bit.png", np.zeros((4, 8, 3), dtype=np.uint8))
        write_image(root / "gtFine" / f"{stem}_gtFine_labelIds.png", ids)


def test_cityscapes_is_read_in_train_ids_and_in_order(data_root):
    write_cityscapes(data_root / "cityscapes")
    images = Cityscapes("train")
    assert [sample.name for sample in images] == ["aachen_000003_000019", "zurich_000003_000019"]
    assert images[0].target[0].tolist() == [0, 1, 13, 18, 255, 255, 255, 255]


def test_what_is_missing_of_cityscapes_is_named(data_root):
    with pytest.raises(
        FileNotFoundError,
        match=r"no folder .*cityscapes.leftImg8bit.train: python3 start.py fetch cityscapes",
    ):
        Cityscapes("train")
    with pytest.raises(ValueError, match="unknown split 'test'; known are train, val"):
        Cityscapes("test")
    write_cityscapes(data_root / "cityscapes")
    next((data_root / "cityscapes" / "gtFine").rglob("zurich*.png")).unlink()
    with pytest.raises(FileNotFoundError, match=r"no mask for .*zurich_000003_000019_leftImg8bit.png"):
        Cityscapes("train")


def test_cityscapes_is_the_layout_that_torchvision_reads(data_root):
    write_cityscapes(data_root / "cityscapes")
    ours = Cityscapes("train")
    theirs = datasets.Cityscapes(data_root / "cityscapes", "train", target_type="semantic")
    assert sorted(theirs.images) == [str(path) for path in ours.images]
    assert sorted(targets[0] for targets in theirs.targets) == [str(path) for path in ours.masks]


def test_files_that_a_system_leaves_behind_are_no_images(data_root):
    write_cityscapes(data_root / "cityscapes")
    split = data_root / "cityscapes" / "leftImg8bit" / "train"
    for path in (
        split / ".DS_Store",
        split / "zurich" / ".DS_Store",
        split / "zurich" / "._x_leftImg8bit.png",
    ):
        path.write_text("left behind")
    assert len(Cityscapes("train")) == 2


def test_every_profile_names_data_that_exists():
    for profile in PROFILES.values():
        assert profile.scenes in SEGMENTATION_SETS and len(profile.benchmarks) == 5
        assert set(profile.benchmarks) <= BENCHMARKS.keys()
    assert all(name.startswith("mini_") for name in find_profile("mini").benchmarks)
    assert find_profile("camvid").benchmarks == find_profile("cityscapes").benchmarks


def test_course_profile_chooses_the_profile(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    monkeypatch.delenv("COURSE_NETWORK", raising=False)
    assert (current_profile().name, current_profile().network) == ("mini", "erfnet")
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    monkeypatch.setenv("COURSE_NETWORK", "enet")
    assert (current_profile().name, current_profile().network) == ("camvid", "enet")
    monkeypatch.setenv("COURSE_PROFILE", "camvd")
    with pytest.raises(ValueError, match=r"unknown profile 'camvd'.*did you mean camvid"):
        current_profile()


def picture_of(mask):
    """Return a grey picture that shows the mask's values."""
    return Image.fromarray(np.repeat(mask.numpy()[..., None], 3, axis=2))


def test_images_are_resized_by_pillows_bilinear_filter():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    expected = np.asarray(image.resize((30, 20), Image.BILINEAR))
    assert np.array_equal(np.asarray(resize_image(image, (20, 30))), expected)


def test_masks_are_resized_without_new_values():
    mask = torch.tensor([[0, 255], [1, 0]], dtype=torch.uint8)
    assert resize_mask(mask, (4, 4)).tolist() == [[0, 0, 255, 255]] * 2 + [[1, 1, 0, 0]] * 2


def test_tensors_are_in_0_to_1_unless_told_otherwise():
    image = Image.fromarray(np.full((2, 3, 3), 51, dtype=np.uint8))
    assert to_tensor(image).shape == (3, 2, 3) and to_tensor(image).unique().item() == np.float32(0.2)
    assert to_tensor(image, scale=False).unique().tolist() == [51.0]
    assert type(to_tensor(image)) is torch.Tensor


def test_training_flips_and_shifts_image_and_mask_together():
    torch.manual_seed(0)
    mask = torch.randint(1, 200, (32, 64), dtype=torch.uint8)
    augment, picture = Augmentation((32, 64)), mask.expand(3, -1, -1)
    seen = set()
    for _ in range(40):
        image, target = augment(picture, mask)
        assert image.shape == (3, 32, 64) and target.shape == (32, 64)
        assert (image.dtype, target.dtype) == (torch.float32, torch.int64)
        assert type(image) is type(target) is torch.Tensor
        outside = target == 255
        shown = (image[0] * 255).round().long()
        assert torch.equal(shown[~outside], target[~outside]) and (shown[outside] == 0).all()
        assert outside.float().mean() < 0.1
        seen.add((bool(outside.any()), int(target[16, 32])))
    assert len(seen) > 10 and {moved for moved, _ in seen} == {True, False}


def test_training_resizes_both():
    mask = torch.zeros(40, 60, dtype=torch.uint8)
    image, target = resized_pair(picture_of(mask), mask, (16, 32))
    assert image.shape == (3, 16, 32) and target.shape == (16, 32)
    assert image.dtype == target.dtype == torch.uint8


@pytest.mark.parametrize(
    ("palette", "warned"),
    [
        ([255] * 3 + [0] * 3, True),
        ([200] * 3 + [10] * 3 + [255] * 3, True),
        ([0] * 3 + [255] * 3, False),
        ([255] * 3 + [255, 0, 0], False),  # red anomalies on white
        ([90] * 6, False),
    ],
)
def test_a_palette_that_contradicts_the_numbers_is_warned_of(palette, warned, data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    path = folder / "labels_masks" / "0.png"
    mask = Image.open(path).convert("L")
    mask.putpalette((palette + [90] * 768)[:768])  # void is grey
    mask.save(path)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        target = BenchmarkImages("RoadAnomaly21")[0].target
    assert target.unique().tolist() == [0, 1, 255]
    expected = "their palette draws 0 lighter than 1, but only numbers count; if light means anomaly"
    assert [expected in str(one.message) for one in told] == [True] * warned


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("labels_masks/1.png", "labels_masks/1_mask.png"),
        ("labels_masks/1.png", "labels_masks/mask_1.png"),
        ("labels_masks/1.png", "labels_masks/1.jpg"),
        ("images/1.png", "images/1.gif"),
        ("images/1.png", "images/1_leftImg8bit.png"),
    ],
)
def test_a_file_with_another_name_or_format_is_named_with_the_cure(part, found, data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    (folder / part).rename(folder / found)
    name = found.partition("/")[2]
    message = rf" 1 in .*, named images/1.png; there is {name}: rename it, or save it as png$"
    if part.startswith("labels"):
        message = (
            rf"no mask for .*/images/1.png; every image needs one, named {part}; there is {name}: rename"
        )
    if found == "images/1_leftImg8bit.png":  # an image without a mask comes first
        message = r"no mask for .*images/1_leftImg8bit.png; .* named labels_masks/1_leftImg8bit.png: add it"
    with pytest.raises(FileNotFoundError, match=message):
        BenchmarkImages("RoadAnomaly21")


def test_a_name_is_not_taken_for_a_longer_one(data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21", images=12)
    (folder / "labels_masks" / "1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"named labels_masks/1.png: add it or fetch it again"):
        BenchmarkImages("RoadAnomaly21")


@pytest.mark.parametrize(("part", "twin"), [("images/0.png", "0.jpg"), ("labels_masks/0.png", "0.PNG")])
def test_twins_are_both_named(part, twin, tmp_path):
    folder = write_benchmark(tmp_path, "RoadAnomaly21").rename(tmp_path / "mine")
    shutil.copy(folder / part, (folder / part).with_name(twin))
    with pytest.raises(ValueError, match="have one name, so which one is meant") as caught:
        BenchmarkImages(str(folder))
    assert part in str(caught.value) and twin in str(caught.value)


def test_two_towns_with_one_name_are_not_merged(data_root):
    write_cityscapes(data_root / "cityscapes")
    for path in (data_root / "cityscapes").rglob("zurich_*.png"):
        path.rename(path.with_name(path.name.replace("zurich", "aachen")))
    with pytest.raises(ValueError, match=r"aachen/aachen_.*zurich/aachen_.* have one name"):
        Cityscapes("train")


@pytest.mark.parametrize("part", ["images/1.png", "labels_masks/1.png"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "is a pointer of Git LFS, which git lfs pull",
        ),
        (b"\n<!DOCTYPE html>\n<html>", "is a web page instead"),
        (b"", "is empty"),
    ],
)
def test_what_came_instead_of_an_image_is_said(part, content, message, data_root):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    (folder / part).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{part} cannot be read as an image \(it {message}"):
        BenchmarkImages("RoadAnomaly21")[1]


@pytest.mark.parametrize("part", ["images/0.png", "labels_masks/0.png"])
def test_an_image_beyond_the_limit_is_too_large(part, data_root, monkeypatch):
    folder = write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    Image.new("L", (2001, 1000)).save(folder / part)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with pytest.raises(ValueError, match=rf"{part} is too large: shrink it to 2 million pixels or fewer$"):
        BenchmarkImages("RoadAnomaly21")[0]


def test_benchmarks_of_one_name_are_told_apart_or_refused(data_root, monkeypatch):
    for part in "ab":
        write_benchmark(data_root / part, "RoadAnomaly21").rename(data_root / part / "test")
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    monkeypatch.chdir(data_root)
    with pytest.raises(ValueError, match=r"two benchmarks are called test, of .*a/test.* and of .*b/test"):
        open_benchmarks(["./a/test", "./b/test"])
    with pytest.raises(ValueError, match="two benchmarks are called RoadAnomaly21"):
        write_benchmark(data_root / "mine", "RoadAnomaly21")
        open_benchmarks(["RoadAnomaly21", "mine/RoadAnomaly21"])
    same = ["a/test", "./a/test", f"{data_root}/a/test", "RoadAnomaly21", "./benchmarks/RoadAnomaly21"]
    assert [images.name for images in open_benchmarks(same)] == ["test", "RoadAnomaly21"]


def test_a_profile_opens_the_benchmarks_that_are_here_and_says_what_is_not(data_root, capsys):
    photos = find_profile("photos")
    with pytest.raises(FileNotFoundError, match=r"no benchmark of .* is here: .*fetch road_anomaly"):
        photos.open_benchmarks()
    write_benchmark(data_root / "benchmarks", "RoadAnomaly")
    assert [images.name for images in photos.open_benchmarks()] == ["RoadAnomaly"]
    assert "left out: RoadAnomaly21: no folder" in capsys.readouterr().out


def test_generated_scenes_stand_in_only_where_nothing_is_trained(data_root, capsys):
    assert len(find_profile("photos").labelled("val")) == len(SEGMENTATION_SETS["mini"]("val"))
    assert "Generated scenes stand in for labelled photographs: no folder" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="fetch camvid"):
        find_profile("camvid").labelled("val")
    write_camvid(data_root / "CamVid", split="val")
    assert len(find_profile("photos").labelled("val")) == 1
