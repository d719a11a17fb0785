"""Small data sets in the real layouts, made on the spot."""

import signal
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from course_lib import training
from course_lib.data import BENCHMARKS

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((48, 64), (45, 61), (64, 96))  # height, width


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


def write_camvid(root, values=range(12), split="train"):
    """Write one CamVid pair of the ids ``values`` side by side."""
    mask = np.tile(np.array(list(values), dtype=np.uint8), (10, 1))
    write_image(root / split / "0001TP_006690.png", np.zeros((*mask.shape, 3), dtype=np.uint8))
    write_image(root / f"{split}annot" / "0001TP_006690.png", mask)


def write_street(root, images=(("train", 7), ("val", 2))):
    """Write CamVid pairs that can be learnt: a building above, a road below, a car in between."""
    generator = np.random.default_rng(0)
    colours = {1: (150, 90, 70), 3: (90, 90, 95), 8: (200, 30, 40)}  # building, road, car in CamVid's ids
    for split, count in images:
        for i in range(count):
            mask = np.full((32, 48), 1, dtype=np.uint8)
            mask[16:], mask[:2] = 3, 11
            left = generator.integers(0, 30)
            mask[12:22, left : left + 16] = 8
            pixels = generator.integers(0, 20, (32, 48, 3)).astype(np.uint8)
            for label, colour in colours.items():
                pixels[mask == label] += np.array(colour, dtype=np.uint8)
            write_image(root / split / f"{i}.png", pixels)
            write_image(root / f"{split}annot" / f"{i}.png", mask)


def street_settings(model="erfnet", **chosen):
    """Settings of a run on ``write_street`` that takes a second."""
    small = {"size": (16, 24), "batch": 3, "epochs": 2, "learning_rate": 1e-3}
    return training.settings_for("camvid", model, torch.device("cpu"), **(small | chosen))


def stop_after(step, monkeypatch):
    """Send a signal in the middle of a run."""
    take = training.Trainer.step

    def counted(run, images, targets):
        values = take(run, images, targets)
        if run.done == step:
            signal.raise_signal(signal.SIGTERM)
        return values

    monkeypatch.setattr(training.Trainer, "step", counted)
