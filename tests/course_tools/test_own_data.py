"""What the page on own data says works, command by command."""

import re
import shlex
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_data import ROOT, write_benchmark, write_image

from course_lib import models
from course_lib.data import BenchmarkImages
from course_lib.lesson import figures
from course_tools.__main__ import main

PAGE = (ROOT / "site" / "own_data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python3 start.py (.+)$", PAGE, flags=re.MULTILINE)
(CODE,) = re.findall(r"```python\n(.+?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder in which the page's commands are given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=3).rename(tmp_path / "my_benchmark")
    for number, name in enumerate(("gate.jpg", "hill.webp", "lane.PNG")):
        image, mask = folder / "images" / f"{number}.png", folder / "labels_masks" / f"{number}.png"
        with Image.open(image) as picture:
            picture.save(folder / "images" / name)
        image.unlink()
        mask.rename(folder / "labels_masks" / f"{name.partition('.')[0]}.png")
    for name in ("a.jpg", "b.png"):
        write_image(tmp_path / "photographs" / name, np.full((90, 160, 3), 90, dtype=np.uint8))
    return tmp_path


def test_the_commands_of_the_page_work(mine, capsys):
    assert [shlex.split(command)[0] for command in COMMANDS] == ["score", "evaluate"]
    assert [main(shlex.split(command)) for command in COMMANDS] == [0, 0]
    assert sorted(path.name for path in (mine / "results/photographs").iterdir()) == [
        "a_scores.png",
        "b_scores.png",
    ]
    rows = pd.read_csv(mine / "results" / "mine.csv")
    assert set(rows["benchmark"]) == {"my_benchmark"} and (rows["images"] == rows["images_of"]).all()
    assert (mine / "results" / "mine.png").stat().st_size > 10_000
    assert "not comparable with published" not in capsys.readouterr().out


def test_the_code_of_the_page_gives_the_numbers_of_the_command(mine):
    main(shlex.split(COMMANDS[1]))
    space = {}
    exec(CODE, space)
    table = pd.read_csv(mine / "results" / "mine.csv")
    assert [row["auprc"] for row in space["rows"]] == pytest.approx(list(table["auprc"]))


def test_own_images_are_in_order_and_named(mine):
    images = BenchmarkImages("./my_benchmark")
    assert (images.name, [sample.name for sample in images]) == ("my_benchmark", ["gate", "hill", "lane"])


def test_a_known_benchmark_elsewhere_keeps_its_quirks(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly")
    assert BenchmarkImages(str(tmp_path / "RoadAnomaly"))[0].target.unique().tolist() == [0, 1, 255]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("score nothing.jpg", "error: no file or folder nothing.jpg: name png, jpg, webp, tif or bmp files"),
        (
            "score results",
            "error: the folder results holds no picture: png, jpg, webp, tif or bmp files are taken",
        ),
        ("score twins", "error: twins/a.jpg and twins/a.tif have one name; rename one"),
        ("score photographs --score void", "error: the void score needs 20 outputs, these weights have 19"),
        ("score photographs --into photographs", "error: photographs holds the pictures; choose another"),
        (
            "evaluate --benchmarks ./nowhere",
            "nowhere: a benchmark of your own is a folder that holds images and labels_masks",
        ),
        ("evaluate --benchmarks my_benchmark", "the folder is named with a slash: ./my_benchmark"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(mine, capsys, arguments, message):
    (mine / "twins").mkdir()
    for name in ("a.jpg", "a.tif"):
        (mine / "twins" / name).write_text("no picture")
    assert main(shlex.split(arguments)) == 2
    assert message in capsys.readouterr().err


def test_a_bad_picture_does_not_stop_the_others(mine, capsys):
    (mine / "photographs" / "broken.png").write_text("no picture")
    (mine / "photographs" / "._a.jpg").write_text("left behind by another system")
    assert main(shlex.split("score photographs --into results/p --score msp")) == 1
    said = capsys.readouterr()
    assert "2 picture(s) with their scores" in said.out and "broken.png cannot be read" in said.err


def test_a_photograph_is_turned_upright(mine, monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (160, 90)).save(mine / "turned.jpg", exif=exif)
    seen = []
    panels = figures.score_panels
    monkeypatch.setattr(
        figures, "score_panels", lambda *a, **b: seen.append(a[0][0].image) or panels(*a, **b)
    )
    assert main(shlex.split("score turned.jpg --into results/p --score msp")) == 0
    assert seen[0].size == (90, 160)


def test_tif_and_bmp_are_scored_and_what_is_not_is_named(mine, capsys):
    for name in ("c.tif", "d.BMP"):
        write_image(mine / "photographs" / name, np.full((90, 160, 3), 90, dtype=np.uint8))
    for name in ("e.heic", "notes.txt"):
        (mine / "photographs" / name).write_text("something else")
    assert main(shlex.split("score photographs --into results/p --score msp")) == 0
    said = capsys.readouterr()
    assert "4 picture(s) with their scores" in said.out
    assert "not looked at: 2 files that are not png, jpg, webp, tif or bmp: e.heic, notes.txt" in said.err


@pytest.mark.parametrize(
    ("photograph", "options", "seen"),
    [
        ((480, 360), "", (176, 240)),  # the shape of the training images
        ((360, 480), "", (240, 176)),
        ((1600, 900), "", (152, 272)),
        ((3000, 10), "", (8, 3560)),  # a line
        ((360, 480), "--size 64 128", (64, 128)),
        ((360, 480), "--speed fast", (240, 176)),
    ],
)
def test_a_photograph_keeps_its_shape_and_the_size_is_said(mine, capsys, photograph, options, seen):
    Image.new("RGB", photograph).save(mine / "street.jpg")
    assert main(shlex.split(f"score street.jpg --into results/p --score msp {options}")) == 0
    said = f"1 of them seen by the network at {seen[0]} x {seen[1]} pixels (height x width)"
    assert said in capsys.readouterr().out


def test_inverted_masks_and_palettes_are_one_warning_each(mine, capsys):
    for path in (mine / "my_benchmark" / "labels_masks").iterdir():
        mask = np.array(Image.open(path))
        mask[mask < 2] = 1 - mask[mask < 2]
        inverted = Image.fromarray(mask).convert("L")
        inverted.putpalette([255] * 3 + [0] * 3)
        inverted.save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(shlex.split(COMMANDS[1])) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert len(told) == 2 and "draws 0 lighter than 1" in told[0] and "% of the pixels are" in told[1]


@pytest.mark.parametrize("command", ["evaluate", "compare {0} {0}"])
def test_two_benchmarks_of_one_name_are_refused(mine, capsys, command):
    for part in ("a", "b"):
        shutil.copytree(mine / "my_benchmark", mine / part / "test")
    weights = models.shipped_weights("camvid", "erfnet")
    assert main(shlex.split(f"{command.format(weights)} --benchmarks ./a/test ./b/test")) == 2
    assert "error: two benchmarks are called test" in capsys.readouterr().err or command != "evaluate"
