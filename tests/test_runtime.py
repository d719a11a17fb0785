"""Folders, devices and seeds."""

import os
import platform
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_lib import runtime


def test_the_data_root_is_in_the_project_unless_the_environment_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert runtime.data_root() == runtime.PROJECT_ROOT / "data"
    monkeypatch.setenv("COURSE_DATA", "../elsewhere")
    assert runtime.data_root() == runtime.PROJECT_ROOT / "../elsewhere"
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert runtime.data_root() == tmp_path


def test_auto_finds_a_device_that_computes():
    assert torch.ones(2, device=runtime.choose_device()).sum() == 2
    assert runtime.choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:77", "toaster"])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(ValueError, match=f"device '{name}' cannot be used here .*; try auto or cpu"):
        runtime.choose_device(name)


def test_the_same_seed_gives_the_same_numbers():
    def draw():
        runtime.seed_everything(3)
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw() == draw()


def test_versions_and_hardware_name_what_a_reader_needs():
    assert runtime.package_versions()["torch"] == torch.__version__.split("+")[0]
    assert {"system", "cores", "device"} <= runtime.hardware(torch.device("cpu")).keys()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    runtime.write_atomically(tmp_path / "a", b"old")

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"No space left on device.; the previous one is kept: free some space"):
        runtime.write_atomically(tmp_path / "a", b"new")
    with pytest.raises(OSError, match="nothing was saved"):
        runtime.write_atomically(tmp_path / "b", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_environment_check_says_what_a_lesson_runs_on(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    shown = repr(runtime.check_environment())
    assert f"✓ Python {platform.python_version()}, torch" in shown and "profile mini: generated data" in shown
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    assert f"profile camvid: data sets in {runtime.data_root()}" in repr(runtime.check_environment())


def test_the_environment_check_stops_where_lessons_could_not_work(monkeypatch):
    monkeypatch.setattr(runtime, "LEAST_FREE_GB", 1e9)
    with pytest.raises(OSError, match=r"only .* GB of disk are free in .*; free 1000000000.0 GB"):
        runtime.check_environment()
    monkeypatch.setattr(runtime, "OLDEST_PYTHON", (4, 0))
    with pytest.raises(RuntimeError, match=r"is too old; set up with python3 start.py lab"):
        runtime.check_environment()


def test_the_peak_of_memory_is_that_of_this_process_not_of_the_one_that_started_it():
    small = "from course_lib.runtime import peak_memory; print(peak_memory())"
    fill = "import subprocess, sys; kept = b'x' * (2 * 10**9); "
    large = f"{fill}subprocess.run([sys.executable, '-c', {small!r}])"
    done = subprocess.run([sys.executable, "-c", large], capture_output=True, text=True, check=True)
    assert 0.05 < float(done.stdout) < 1.5
    assert runtime.peak_memory() > 0.05
