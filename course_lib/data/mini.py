"""The generated data of profile ``mini`` on disk: scenes in the Cityscapes layout, and five benchmarks."""

import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image
from tqdm.auto import tqdm

import road_scenes
from course_lib.data.benchmarks import BENCHMARKS, GENERATED_IMAGES, GENERATED_PREFIX
from course_lib.labels import IGNORE, LABEL_IDS
from course_lib.runtime import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "data" / "mini"
"""Where the generated data is, whatever ``COURSE_DATA`` says."""

MARKER = "made.json"
"""In the folder, written last: what the data was made from."""

TOWNS = {"train": {"ashwick": 134, "birkholm": 133, "corvale": 133}, "val": {"dunmere": 100}}
"""How many scenes each made-up town of a split has."""

VERSION = 2
"""Raise it whenever the scenes draw something else; shipped weights were trained on this version."""

RECIPE = {"version": VERSION, "towns": TOWNS, "benchmark_images": GENERATED_IMAGES}
"""What the folder was made from; another recipe means that it is drawn again."""


def mini_root() -> Path:
    """Return the folder of the generated data, drawn first (with a progress bar) if it is missing or stale.

    Raises:
        OSError: if it cannot be written; nothing half-made is left.
    """
    if is_current(FOLDER):
        return FOLDER
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER.with_name(".mini.lock")):  # two notebooks may start at once
        if not is_current(FOLDER):
            make_mini(FOLDER)
    return FOLDER


def is_current(folder: Path) -> bool:
    """Tell whether a folder holds the whole data, drawn by this version of the scenes."""
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8")) == RECIPE
    except (OSError, ValueError):
        return False


def make_mini(folder: Path) -> None:
    """Draw everything into ``folder``, replacing what is there; it appears only when it is whole.

    Raises:
        ValueError: if the folder holds something else; it is not touched.
        OSError: if it cannot be written; what was there before is then still there.
    """
    if folder.exists() and not (folder / MARKER).is_file() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds something else than generated data; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mini_", dir=folder.parent) as temporary:
        new = Path(temporary) / "mini"
        for draw, image, mask, values in tqdm(_drawings(new), desc="drawing the mini data", unit="image"):
            scene = draw()
            for path, pixels in ((image, scene.image), (mask, values[scene.target])):
                path.parent.mkdir(parents=True, exist_ok=True)
                # of jpg and webp: artefacts as in photographs, but no blocks
                Image.fromarray(pixels).save(path, **({} if path.suffix == ".png" else {"quality": 92}))
        (new / MARKER).write_text(json.dumps(RECIPE), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        new.rename(folder)


def _drawings(folder: Path) -> list[tuple]:
    """Return how to draw each picture, where image and mask go, and what the mask holds for each target."""
    drawings = []
    values = np.zeros(IGNORE + 1, dtype=np.uint8)  # 0 is void in Cityscapes' labelIds
    values[: len(LABEL_IDS)] = LABEL_IDS
    root = folder / "cityscapes"
    for split, towns in TOWNS.items():
        names = [
            f"{town}/{town}_{index:06d}_000000" for town, count in towns.items() for index in range(count)
        ]
        for seed, name in enumerate(names, start={"train": 0, "val": 100_000}[split]):
            image = root / "leftImg8bit" / split / f"{name}_leftImg8bit.png"
            mask = root / "gtFine" / split / f"{name}_gtFine_labelIds.png"
            drawings.append((partial(road_scenes.draw, seed), image, mask, values))
    for kind in road_scenes.KINDS:  # with the formats and values of the public benchmarks
        name = GENERATED_PREFIX + kind
        root = folder / "benchmarks" / name
        values = np.full(IGNORE + 1, IGNORE, dtype=np.uint8)
        values[:2] = 0, BENCHMARKS[name].anomaly_value
        for index in range(GENERATED_IMAGES):
            image = root / "images" / f"{index}{BENCHMARKS[name].suffix}"
            mask = root / "labels_masks" / f"{index}.png"
            drawings.append((partial(road_scenes.draw_anomaly, kind, index), image, mask, values))
    return drawings
