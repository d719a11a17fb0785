"""Small benchmarks made on the spot, and the time of each layer of tests."""

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.data import BENCHMARKS

ROOT = Path(__file__).resolve().parent.parent
SIZES = ((48, 64), (45, 61), (64, 96))  # height, width


def pytest_configure(config):
    """On CI, data that is there but unread is a failure, not a skip."""
    unread = {"COURSE_DATA", "COURSE_REFERENCE"} - os.environ.keys()
    if os.environ.get("CI") and (ROOT.parent / "shared").is_dir() and unread:
        raise pytest.UsageError(
            f"../shared is there but {sorted(unread)} not set: tests/real would be skipped"
        )


def layer_of(nodeid: str) -> str:
    """Name the layer that a test belongs to."""
    top, *rest = nodeid.split("::")[0].split("/")
    if top == "tests":
        return rest[0] if len(rest) > 1 else "unit"
    return {"course_lib": "doctests"}.get(top, top)


def pytest_terminal_summary(terminalreporter):
    """Print tests and seconds per layer."""
    seconds, counts = defaultdict(float), defaultdict(lambda: defaultdict(int))
    for outcome in ("passed", "failed", "skipped", "error", "xfailed"):
        for report in terminalreporter.stats.get(outcome, []):
            counts[layer_of(report.nodeid)][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                seconds[layer_of(report.nodeid)] += report.duration
    terminalreporter.section("time per layer")
    for layer in sorted(counts):
        outcomes = ", ".join(f"{n} {outcome}" for outcome, n in counts[layer].items())
        terminalreporter.line(f"{layer:<10} {seconds[layer]:7.1f} s   {outcomes}")


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Save an array, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_benchmark(root: Path, name: str, images: int = 3) -> Path:
    """Write a benchmark of small random images, each with an orange square as its anomaly."""
    generator = np.random.default_rng(0)
    benchmark = BENCHMARKS[name]
    for i in range(images):
        height, width = SIZES[i % len(SIZES)]
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        mask = np.zeros((height, width), dtype=np.uint8)
        pixels[10:20, 20:36], mask[10:20, 20:36] = (240, 120, 40), benchmark.anomaly_value
        mask[:5] = 255
        write_image(root / name / "images" / f"{i}{benchmark.suffix}", pixels)
        write_image(root / name / "labels_masks" / f"{i}.png", mask)
    return root / name


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    """An empty data root that the library looks into."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path
