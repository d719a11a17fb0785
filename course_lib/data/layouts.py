"""Where the images and masks of a benchmark are: in the course's bundle, or as their owners publish them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from course_lib.data.benchmarks import Benchmark
from course_lib.data.files import files_below, list_files

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LOST_AND_FOUND_NUMBER = re.compile(r"^\d{4}_")
"""What Fishyscapes writes before the name that Lost and Found gave an image."""

Pairs = list[tuple[Path, Path]]
"""Images, each with its mask."""


@dataclass(frozen=True)
class Official:
    """A benchmark as its owners publish it."""

    folder: str
    """Below the folder of all benchmarks."""
    pairs: Callable[[Path], Pairs]


def find_pairs(name: str, benchmark: Benchmark, root: Path) -> Pairs:
    """Return the images of a benchmark with their masks, in order.

    Args:
        name: of the benchmark, which is that of its folder in the bundle.
        benchmark: what distinguishes it.
        root: the folder of all benchmarks.

    Raises:
        FileNotFoundError: if there is neither the bundle's folder nor the official one, or a file is missing.
    """
    official = OFFICIAL.get(name)
    if official and not (root / name).is_dir() and (root / official.folder).is_dir():
        return official.pairs(root / official.folder)
    if not (root / name).is_dir():
        raise FileNotFoundError(_cure(name, benchmark, root))
    return _bundle(root / name, (benchmark.suffix,) if benchmark.suffix else IMAGE_SUFFIXES)


def _cure(name: str, benchmark: Benchmark, root: Path) -> str:
    """Say which folder is missing, and where it comes from."""
    official = OFFICIAL.get(name)
    if not benchmark.script:
        return (
            f"no folder {root / name}: a benchmark of your own is a folder that holds images and labels_masks"
            "; see site/own_data.md"
        )
    tells = "fetches it" if official or benchmark.generated else "--dry-run says where to get it"
    return (
        f"no folder {root / name}{f' nor {official.folder}' if official else ''}: python "
        f"data_scripts/{benchmark.script} {tells}, or point COURSE_DATA at the folder that holds {root.name}"
    )


def _bundle(folder: Path, suffixes: tuple[str, ...]) -> Pairs:
    """Return ``images/N.ext`` with ``labels_masks/N.png``."""
    images = list_files(folder / "images", *suffixes)
    masks = {path.stem: path for path in list_files(folder / "labels_masks", ".png")}
    for path in images:
        if path.stem not in masks:
            mask = folder / "labels_masks" / f"{path.stem}.png"
            raise FileNotFoundError(f"no mask {mask}; every image needs one: fetch the benchmark again")
    if without_image := sorted(masks.keys() - {path.stem for path in images}):
        raise FileNotFoundError(
            f"no image {without_image[0]}{suffixes[0]} in {folder / 'images'} for its mask; "
            "fetch the benchmark again"
        )
    return [(path, masks[path.stem]) for path in images]


def _segment_me(folder: Path) -> Pairs:
    """Return the images of a SegmentMeIfYouCan track that have public masks."""
    ending = "_labels_semantic"
    masks = [path for path in list_files(folder / "labels_masks", ".png") if path.stem.endswith(ending)]
    images = {path.stem: path for path in list_files(folder / "images", *IMAGE_SUFFIXES)}
    return _with_images({path.stem.removesuffix(ending): path for path in masks}, images, folder)


def _road_anomaly(folder: Path) -> Pairs:
    """Return ``frames/NAME.jpg`` with ``frames/NAME.labels/labels_semantic.png``."""
    images = list_files(folder / "frames", ".jpg")
    masks = [path.with_suffix(".labels") / "labels_semantic.png" for path in images]
    if missing := [path for path in masks if not path.is_file()]:
        raise FileNotFoundError(f"no mask {missing[0]}; every image needs one: fetch the benchmark again")
    return list(zip(images, masks, strict=True))


def _lost_and_found(folder: Path) -> Pairs:
    """Return the images of Lost and Found that Fishyscapes has masks for."""
    masks = {_lost_and_found_name(path): path for path in files_below(folder, "*_labels.png")}
    others = folder.parent / "lostandfound"
    ending = "_leftImg8bit"
    images = {path.stem.removesuffix(ending): path for path in files_below(others, f"*{ending}.png")}
    return _with_images(masks, images, others)


def _lost_and_found_name(mask: Path) -> str:
    """Return the name that Lost and Found gave the image of a mask."""
    return LOST_AND_FOUND_NUMBER.sub("", mask.stem).removesuffix("_labels")


def _with_images(masks: dict[str, Path], images: dict[str, Path], folder: Path) -> Pairs:
    """Return each mask with its image, in numerical order."""
    if not masks:
        raise FileNotFoundError(f"no masks for the images in {folder}; fetch the benchmark again")
    if missing := sorted(masks.keys() - images.keys()):
        raise FileNotFoundError(f"no image {missing[0]} in {folder} for its mask; fetch the benchmark again")
    return [(images[name], masks[name]) for name in sorted(masks, key=_in_order)]


def _in_order(name: str) -> list:
    """Return what sorts validation2 before validation10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


OFFICIAL = {
    "RoadAnomaly21": Official("dataset_AnomalyTrack", _segment_me),
    "RoadObsticle21": Official("dataset_ObstacleTrack", _segment_me),
    "FS_LostFound_full": Official("fishyscapes_lostandfound", _lost_and_found),
    "RoadAnomaly": Official("RoadAnomaly_jpg", _road_anomaly),
}
"""The benchmarks that their owners publish, by the name of their folder in the bundle."""
