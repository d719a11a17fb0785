"""The generated data on disk: whole or absent, read back as it was drawn."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from small_data import ROOT

import road_scenes
from course_lib import data, labels
from course_lib.data import mini


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A handful of scenes, in a place of their own."""
    towns = {"train": {"here": 2, "there": 1}, "val": {"elsewhere": 1}}
    monkeypatch.setattr(mini, "FOLDER", tmp_path / "data" / "mini")
    monkeypatch.setattr(mini, "TOWNS", towns)
    monkeypatch.setattr(mini, "GENERATED_IMAGES", 2)
    monkeypatch.setattr(mini, "RECIPE", {"version": 0, "towns": towns})
    return tmp_path / "data" / "mini"


def test_scenes_are_read_back_by_the_cityscapes_reader_as_drawn(small):
    train = data.SEGMENTATION_SETS["mini"]("train")
    assert len(train) == 3 and len(data.SEGMENTATION_SETS["mini"]("val")) == 1
    for index, sample in enumerate(train):
        drawn = road_scenes.draw(index)
        assert np.array_equal(np.asarray(sample.image), drawn.image)
        assert np.array_equal(sample.target.numpy(), drawn.target)
    assert train[2].name == "there_000000_000000"
    layout = small / "cityscapes" / "gtFine" / "train" / "here" / "here_000001_000000_gtFine_labelIds.png"
    assert np.isin(np.asarray(Image.open(layout)), [0, *labels.LABEL_IDS]).all()


@pytest.mark.parametrize("kind", road_scenes.KINDS)
def test_generated_benchmarks_have_the_formats_and_quirks_of_the_public_ones(small, kind):
    images = data.BenchmarkImages(f"mini_{kind}")
    public, generated = data.BENCHMARKS[kind], data.BENCHMARKS[f"mini_{kind}"]
    assert generated.generated and not public.generated and generated.official_images == 30
    assert {path.suffix for path in images.images} == {public.suffix} == {generated.suffix}
    raw = np.unique(np.asarray(Image.open(images.masks[0])))
    assert set(raw) <= {0, public.anomaly_value, 255} and public.anomaly_value in raw
    drawn = road_scenes.draw_anomaly(kind, 0)
    assert np.array_equal(images[0].target.numpy(), drawn.target)
    assert np.abs(np.asarray(images[0].image).astype(int) - drawn.image).mean() < 6  # jpg and webp are lossy


def test_it_is_drawn_once_and_again_when_the_scenes_change(small, monkeypatch):
    path = data.mini_root() / mini.MARKER
    first = path.stat().st_mtime_ns
    assert data.mini_root() == small and path.stat().st_mtime_ns == first
    monkeypatch.setattr(mini, "RECIPE", {"version": 1})
    data.mini_root()
    assert path.stat().st_mtime_ns != first and json.loads(path.read_text()) == {"version": 1}


def test_an_interrupted_drawing_leaves_nothing_behind(small, monkeypatch):
    monkeypatch.setattr(road_scenes, "draw_anomaly", lambda kind, seed: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        data.mini_root()
    assert [path.name for path in small.parent.iterdir()] == [".mini.lock"]


def test_a_damaged_marker_means_drawing_again(small):
    path = data.mini_root() / mini.MARKER
    path.write_text("")
    data.mini_root()
    assert json.loads(path.read_text())["version"] == 0


def test_old_data_is_there_until_new_data_is_whole(small, monkeypatch):
    data.mini_root()
    monkeypatch.setattr(mini, "RECIPE", {"version": 1})
    monkeypatch.setattr(road_scenes, "draw_anomaly", lambda kind, seed: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        data.mini_root()
    assert json.loads((small / mini.MARKER).read_text())["version"] == 0


def test_a_folder_with_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("three years of work")
    with pytest.raises(ValueError, match="holds something else than generated data; choose another folder"):
        data.make_mini(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "three years of work"


def script(*options):
    command = [sys.executable, "data_scripts/make_mini.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_script_explains_itself_and_touches_nothing_in_a_dry_run(tmp_path):
    assert "usage: make_mini.py" in script("--help").stdout
    result = script("--root", str(tmp_path / "mini"), "--dry-run")
    assert result.returncode == 0 and result.stdout.startswith("would draw the mini data into")
    assert not (tmp_path / "mini").exists()


def test_the_script_says_in_one_line_why_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    for folder in (tmp_path / "file" / "mini", tmp_path / "full"):
        result = script("--root", str(folder))
        assert (
            result.returncode == 2
            and result.stderr.startswith("error: ")
            and "Traceback" not in result.stderr
        )
