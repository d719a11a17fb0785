"""A sweep of six runs that take seconds, on data that is made on the spot."""

from pathlib import Path

import pytest
import torch
from small_data import write_benchmark, write_street

from course_lib import models

CPU = torch.device("cpu")
RUNS = 6
EPOCHS = 4
SMALL = f"""
[all]
profile = "camvid"
size = [16, 24]
batch = 3
epochs = {EPOCHS}
learning_rate = 1e-3
"""
GRID = 'training = "eiml_fl"\n[grid]\nterm_weights = [[1, 2], [2, 1]]\nseed = [0, 1, 2]\n'


def write_data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write data of profile camvid, for this process and for all that it starts; return the folder."""
    write_street(folder / "data" / "CamVid")
    write_benchmark(folder / "data" / "benchmarks", "fs_static")
    monkeypatch.setenv("COURSE_DATA", str(folder / "data"))
    monkeypatch.setattr(models.shipped, "RESULTS", folder / "results")
    return folder


def written(folder: Path, text: str = SMALL + GRID) -> Path:
    """Write the file of a sweep."""
    (folder / "small.toml").write_text(text)
    return folder / "small.toml"
