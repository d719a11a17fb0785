"""Sharing a benchmark, being interrupted, reading ahead: the table is the same, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch
from small_data import write_benchmark

from course_lib import data, evaluation, models
from course_lib.evaluation import SoFar, Unfinished, parts, reading

SETTINGS = evaluation.Settings(size=(32, 64), resamples=50, scores=("msp", "max_logit", "energy"))
COMMAND = [sys.executable, "-m", "course_tools", "evaluate", "--model", "enet", "--training", "void"]


@pytest.fixture
def images(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly21")
    return data.BenchmarkImages("RoadAnomaly21", root=tmp_path)


@pytest.fixture
def network():
    torch.manual_seed(3)
    return models.build("enet").eval()


def evaluated(network, images, settings=SETTINGS, **options):
    rows = evaluation.evaluate(network, [images], settings, progress=False, **options)
    return evaluation.table(rows, models.Metadata(model="enet"), "enet.pth")


def test_two_processes_give_the_table_of_one(network, images):
    expected = evaluated(network, images)
    pd.testing.assert_frame_equal(
        evaluated(network, images, replace(SETTINGS, processes=2)), expected, check_exact=True
    )


def test_a_damaged_image_in_another_process_is_named(network, images):
    images.images[1].write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1\.png cannot be read as an image"):
        evaluated(network, images, replace(SETTINGS, processes=2))


def test_a_process_that_dies_is_one_clear_error(network, images, monkeypatch):
    monkeypatch.setattr(parts, "_work", _die)
    with pytest.raises(ChildProcessError, match=r"one of 2 processes died.*try fewer"):
        evaluated(network, images, replace(SETTINGS, processes=2))


def _die(images, run):
    os._exit(1)


@pytest.mark.parametrize("idle", [0, 1, 3])
def test_reading_ahead_keeps_the_order(images, monkeypatch, idle):
    monkeypatch.setattr(reading, "idle_cores", lambda device: idle)
    wanted = [range(0, 2), range(2, 3)]
    read = list(reading.read_runs(images, wanted, SETTINGS, pictures=False))
    assert [[one.name for one in run] for run in read] == [["0", "1"], ["2"]]
    assert all(one.picture is None for run in read for one in run)


def test_a_reader_that_is_given_up_stops(images, monkeypatch):
    monkeypatch.setattr(reading, "idle_cores", lambda device: 1)
    first = next(reading.read_runs(images, [range(0, 1)] * 500, SETTINGS, pictures=True))
    assert first[0].picture is not None  # and this test ends, since nobody reads the other 499


def test_cores_that_compute_do_not_read(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert reading.idle_cores(torch.device("cpu")) == 0
    assert reading.idle_cores(torch.device("cuda")) == reading.MOST_READERS
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert reading.idle_cores(torch.device("cpu")) == 1


class Stopped(Exception):
    """In the place of a Ctrl-C."""


@pytest.mark.parametrize("stop_at", [1, 2])
def test_what_was_interrupted_goes_on_at_the_image_where_it_stopped(
    network, images, tmp_path, monkeypatch, stop_at
):
    monkeypatch.setattr(reading, "BATCH_PIXELS", 32 * 64)  # one image at a time
    expected, place = evaluated(network, images), Unfinished(tmp_path / "unfinished", {"a": 1})
    read, prepare = [], reading.prepare

    def stop_after(images, index, settings, pictures):
        if len(read) == stop_at:
            raise Stopped
        read.append(index)
        return prepare(images, index, settings, pictures)

    monkeypatch.setattr(reading, "prepare", stop_after)
    with pytest.raises(Stopped):
        evaluated(network, images, unfinished=place)
    stop_at = 3
    pd.testing.assert_frame_equal(evaluated(network, images, unfinished=place), expected, check_exact=True)
    assert read == [0, 1, 2]


def test_only_the_same_evaluation_of_the_same_files_is_taken_up(network, images, tmp_path):
    folder = tmp_path / "unfinished"
    evaluated(network, images, unfinished=Unfinished(folder, {"a": 1}))
    assert Unfinished(folder, {"a": 1}).read(images).runs > 0
    assert Unfinished(folder, {"a": 2}).read(images) == SoFar()
    os.utime(images.images[0], (1, 1))
    assert Unfinished(folder, {"a": 1}).read(images) == SoFar()


def test_a_torn_file_is_not_believed(network, images, tmp_path):
    place = Unfinished(tmp_path / "unfinished", {})
    evaluated(network, images, unfinished=place)
    (path,) = place.folder.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert place.read(images) == SoFar()


def test_a_place_that_cannot_be_written_does_not_end_an_evaluation(network, images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    frame = evaluated(network, images, unfinished=Unfinished(tmp_path / "file" / "below", {}))
    assert len(frame) == 3


def test_saving_takes_a_small_share_of_the_time(network, images, tmp_path):
    place = Unfinished(tmp_path / "unfinished", {})
    place.write(images, SoFar(1))
    place.cost = 10
    place.write(images, SoFar(2))
    assert place.read(images).runs == 1
    place.write(images, SoFar(3), last=True)
    assert place.read(images).runs == 3


def test_half_an_addition_is_never_saved(images, tmp_path):
    place, so_far = Unfinished(tmp_path / "unfinished", {}), SoFar(1)
    with pytest.raises(AttributeError):
        so_far.add(None)
    place.write(images, so_far, last=True)
    assert place.read(images) == SoFar()


def test_without_intervals_memory_does_not_grow_with_the_images(network, images):
    kept = evaluation.measure(network, images, replace(SETTINGS, resamples=0), progress=False)
    streamed = kept["msp", 1.0]
    assert list(streamed.images.values()) == [None] * 3
    with pytest.raises(ValueError, match="no intervals without summaries"):
        streamed.intervals()
    assert evaluated(network, images, replace(SETTINGS, resamples=0))["auprc_low"].isna().all()


@pytest.mark.parametrize("model", models.NETWORKS)
def test_fast_changes_the_table_by_rounding_only(images, model):
    torch.manual_seed(3)
    network = models.build(model)
    plain, fast = (evaluated(network, images, replace(SETTINGS, speed=speed)) for speed in ("plain", "fast"))
    assert fast["auprc"].tolist() == pytest.approx(plain["auprc"].tolist(), abs=0.05)
    assert fast["speed"].unique().tolist() == ["fast"]


def test_killed_and_called_again_the_command_gives_the_same_table(tmp_path):
    write_benchmark(tmp_path / "data" / "benchmarks", "RoadAnomaly21", images=24)
    environment = os.environ | {"COURSE_DATA": str(tmp_path / "data"), "PYTHONWARNINGS": "ignore"}
    options = ["--benchmarks", "RoadAnomaly21", "--size", "128", "256", "--bootstrap", "100", "--output"]

    def start(output):
        return subprocess.Popen(
            [*COMMAND, *options, str(output)], env=environment, stdout=subprocess.PIPE, text=True
        )

    whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    start(whole).communicate()
    running = start(killed)
    state = tmp_path / "killed.unfinished" / "RoadAnomaly21.pt"
    while not state.exists():
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not killed.exists()
    told, _ = start(killed).communicate()
    assert "Going on where this evaluation was interrupted, in RoadAnomaly21" in told
    assert killed.read_bytes() == whole.read_bytes() and not state.parent.exists()
