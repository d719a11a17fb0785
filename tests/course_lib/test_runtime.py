"""Folders, devices and seeds."""

import os
import platform
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from small_data import ROOT

from course_lib import data, runtime


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
    machine = runtime.hardware(torch.device("cpu"))
    assert {"system", "cores", "device"} <= machine.keys() and machine["processor"]


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


def test_the_hash_of_a_file_is_that_of_its_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")  # the example of FIPS 180-2
    assert runtime.sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_the_environment_check_says_what_a_lesson_runs_on(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    shown = repr(runtime.check_environment())
    assert f"✓ Python {platform.python_version()}, torch" in shown and "profile mini: generated data" in shown
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    assert f"profile camvid: data sets in {runtime.data_root()}" in repr(runtime.check_environment())


@pytest.mark.parametrize(
    ("setting", "value", "error", "message"),
    [
        (
            "LEAST_FREE_GB",
            1e9,
            OSError,
            r"only .* GB of disk are free in .*, the lessons need 10+\.0: delete",
        ),
        (
            "OLDEST_PYTHON",
            (4, 0),
            RuntimeError,
            r"is too old, 4\.0 or newer is needed: install .* start\.py lab",
        ),
    ],
)
def test_the_environment_check_stops_where_lessons_could_not_work(
    monkeypatch, setting, value, error, message
):
    monkeypatch.setattr(runtime, setting, value)
    with pytest.raises(error, match=message):
        runtime.check_environment()


def test_without_a_gpu_the_environment_check_says_that_none_is_needed(monkeypatch):
    monkeypatch.setattr(runtime, "accelerator", lambda: None)
    found = runtime.check_environment()
    assert "no GPU is needed" in repr(found) and "GPU" not in "".join(found.advice)


@pytest.mark.parametrize(("kind", "more"), [("cuda", ""), ("mps", "if it lacks an operation: --device cpu")])
def test_a_gpu_is_said_to_serve_commands_not_lessons(monkeypatch, kind, more):
    monkeypatch.setattr(runtime, "accelerator", lambda: kind)
    monkeypatch.setattr(runtime, "unusable", lambda device: "")
    fact = runtime.check_environment().facts[1]
    assert fact.startswith("lessons compute on the processor") and f"use the GPU ({kind})" in fact
    assert more in fact and ("--device" in fact) == bool(more)


def test_a_gpu_that_torch_cannot_use_is_left_alone_and_named(monkeypatch):
    monkeypatch.setattr(runtime, "accelerator", lambda: "cuda:77")
    assert runtime.choose_device() == torch.device("cpu")
    (advice,) = [line for line in runtime.check_environment().advice if "GPU" in line]
    assert advice.startswith("torch cannot use the GPU (") and advice.endswith("until its driver is renewed")


def test_little_memory_is_noticed(monkeypatch):
    monkeypatch.setattr(runtime, "LESSON_GB", 1e6)
    assert "a lesson may need 1000000.0: shut other notebooks down" in repr(runtime.check_environment())
    monkeypatch.setattr(runtime, "LESSON_GB", 0)
    assert "memory" not in repr(runtime.check_environment())


@pytest.mark.parametrize(
    ("system", "length", "noticed"), [("nt", 80, True), ("nt", 79, False), ("posix", 80, False)]
)
def test_a_path_too_long_for_windows_is_noticed(monkeypatch, system, length, noticed):
    monkeypatch.setattr(runtime, "PROJECT_ROOT", "x" * length)
    with monkeypatch.context() as patch:
        patch.setattr(runtime.os, "name", system)
        found = runtime._long_path()
    assert ("C:\\course" in found) == noticed == (f"path of {length} characters" in found)


def test_the_peak_of_memory_is_that_of_this_process_not_of_the_one_that_started_it():
    small = "from course_lib.runtime import peak_memory; print(peak_memory())"
    fill = "import subprocess, sys; kept = b'x' * 10**9; "
    large = f"{fill}subprocess.run([sys.executable, '-c', {small!r}])"
    done = subprocess.run([sys.executable, "-c", large], capture_output=True, text=True, check=True)
    assert 0.05 < float(done.stdout) < 0.9
    assert runtime.peak_memory() > 0.05


@pytest.mark.parametrize("around", ['"{}"', "'{}'", "{} ", ' "{}" '])
def test_quotes_and_blanks_around_a_variable_do_not_count(around, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", around.format(tmp_path))
    assert runtime.data_root() == tmp_path
    monkeypatch.setenv("COURSE_PROFILE", around.format("camvid"))
    assert data.current_profile().name == "camvid"


def test_quotes_around_nothing_are_nothing(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", '""')
    assert runtime.data_root() == runtime.PROJECT_ROOT / "data"


CURES = {
    "data.CamVid('train')": "course fetch camvid fetches it",
    "data.BenchmarkImages('RoadAnomaly21')": "course fetch anomaly_track fetches it",
    "data.BenchmarkImages('mini_fs_static', Path('none/benchmarks'))": "delete none, and the next use",
    "models.shipped_weights('mini', 'erfnet', 'no')": "course train --profile mini",
    "calibration.read_temperature(Path('x.safetensors'))": "run course calibrate --weights x",
}
ALL_OF_THEM = """
import sys
from pathlib import Path
from course_lib import calibration, data, models
for call in sys.argv[1:]:
    try:
        eval(call)
    except Exception as error:
        print(" ".join(str(error).split()))
"""


def test_cures_work_where_the_library_came_alone(tmp_path):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    for name in ("course_lib", "road_scenes"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("*.safetensors"))
    done = subprocess.run(
        [sys.executable, "-c", ALL_OF_THEM, *CURES],
        env={**os.environ, "PYTHONPATH": str(packages), "COURSE_DATA": "nowhere"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == len(CURES) and "start.py" not in done.stdout, done.stderr
    assert all(cure in line for cure, line in zip(CURES.values(), said, strict=True)), said
