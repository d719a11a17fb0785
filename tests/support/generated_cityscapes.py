"""A tree as of Cityscapes and the five benchmarks, 1024 x 2048, of enlarged drawings: for paths and memory.

By hand: ``python tests/support/generated_cityscapes.py FOLDER``, then set ``COURSE_DATA=FOLDER``.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import road_scenes
from course_lib.data import BENCHMARKS
from course_lib.labels import IGNORE, LABEL_IDS

SIZE = (2048, 1024)  # width, height, as Pillow has it
TOWNS = {"train": "aachen", "val": "frankfurt"}


def write_tree(root: Path, train: int = 6, val: int = 2, images: int = 3, names=road_scenes.KINDS) -> Path:
    """Write so many images of each split and of each benchmark."""
    label_ids = np.zeros(256, dtype=np.uint8)  # void is 0, unlabelled
    label_ids[: len(LABEL_IDS)] = LABEL_IDS
    for split, count in (("train", train), ("val", val)):
        for i in range(count):
            scene, stem = road_scenes.draw(i), f"{split}/{TOWNS[split]}/{TOWNS[split]}_{i:06d}_000019"
            image = root / "cityscapes" / "leftImg8bit" / f"{stem}_leftImg8bit.png"
            mask = root / "cityscapes" / "gtFine" / f"{stem}_gtFine_labelIds.png"
            _save(image, mask, scene, label_ids)
    for name in names:
        values = np.full(256, IGNORE, dtype=np.uint8)
        values[:2] = 0, BENCHMARKS[name].anomaly_value
        folder = root / "benchmarks" / name
        for i in range(images):
            image = folder / "images" / f"{i}{BENCHMARKS[name].suffix}"
            _save(image, folder / "labels_masks" / f"{i}.png", road_scenes.draw_anomaly(name, i), values)
    return root


def _save(image: Path, mask: Path, scene: road_scenes.Scene, values: np.ndarray) -> None:
    for path, pixels, kind in (
        (image, scene.image, Image.Resampling.BICUBIC),
        (mask, values[scene.target], Image.Resampling.NEAREST),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize(SIZE, kind).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    print(write_tree(parser.parse_args().folder))
