"""Fishyscapes' public overlays, laid over the images of Cityscapes that they were made for."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from course_lib.data.files import read_image, read_mask
from course_lib.labels import IGNORE
from course_lib.runtime import COMMAND


def lay_over_cityscapes(root: Path) -> str:
    """Make a benchmark folder of the overlays and Cityscapes' validation images; it appears when it is whole.

    Args:
        root: of all data sets, with the overlays and, below ``cityscapes``, the validation images.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: if an overlay does not fit its image.
        OSError: if the result cannot be written.
    """
    folder, result = root / "benchmarks" / "fishyscapes_overlays_v3", root / "benchmarks" / "fs_web_v3"
    if result.is_dir():
        return f"{result}: there"
    photographs = {}
    for path in sorted(folder.rglob("[!.]*_rgb.npz")):  # such as 0000_frankfurt_000001_046504_rgb.npz
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # of an unpacking that was killed
        name = path.name.removesuffix("_rgb.npz").partition("_")[2]
        town = root / "cityscapes" / "leftImg8bit" / "val" / name.partition("_")[0]
        photographs[path] = town / f"{name}_leftImg8bit.png"
    if not photographs:
        return f"no overlays *_rgb.npz in {folder}: has their layout changed?"
    if missing := [path for path in photographs.values() if not path.is_file()]:
        return (
            f"{len(missing)} of {len(photographs)} images of Cityscapes val are not in {root}, so nothing "
            f"was laid over them: {COMMAND} fetch cityscapes, then this command again"
        )
    with tempfile.TemporaryDirectory(prefix=".overlays-", dir=root) as temporary:
        new = Path(temporary) / result.name
        (new / "images").mkdir(parents=True)
        (new / "labels_masks").mkdir()
        pairs = tqdm(photographs.items(), desc="laying over Cityscapes", unit="image")
        for number, (overlay, photograph) in enumerate(pairs):
            image, mask = _laid_over(overlay, photograph)
            Image.fromarray(image).save(new / "images" / f"{number}.png")
            Image.fromarray(mask).save(new / "labels_masks" / f"{number}.png")
        new.rename(result)
    return f"{result}: {len(photographs)} images; evaluate --benchmarks {result}"


def _laid_over(overlay: Path, photograph: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the image, uint8 (H, W, 3), and its mask of 0 normal, 1 anomaly, 255 void, uint8 (H, W)."""
    below = np.asarray(read_image(photograph)).astype(int)
    try:
        with np.load(overlay) as content:  # plain numbers; it refuses anything else
            added = content["rgb"].astype(int)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile):
        raise ValueError(
            f"{overlay} holds no array named rgb, or is damaged; this course has never seen the file: fetch "
            "it again, and if that changes nothing, please report it"
        ) from None
    labels = read_mask(overlay.with_name(overlay.name.replace("_rgb.npz", "_labels.png"))).numpy()
    if added.shape != below.shape or labels.shape != below.shape[:2]:
        raise ValueError(f"{overlay} is {added.shape}, its image {below.shape}: they do not belong together")
    mask = np.where(labels != 0, IGNORE, 0)
    mask[(added != 0).any(axis=2)] = 1
    return np.clip(below + added, 0, 255).astype(np.uint8), mask.astype(np.uint8)
