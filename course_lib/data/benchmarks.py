"""The anomaly benchmarks: which there are, their quirks, and where the files of each layout are."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from course_lib.data.files import files_below, list_files


@dataclass(frozen=True)
class Benchmark:
    """What distinguishes one benchmark folder from another."""

    title: str
    """Its name in papers."""
    suffix: str
    """How its images end in the bundle, empty if they may end in several ways; masks are png."""
    anomaly_value: int
    """What an anomalous pixel is in its masks; 0 is normal, 255 void."""
    official_images: int
    """How many images the public validation set has; of a generated one, how many are drawn; 0 if unknown."""
    paper_counts_void: bool
    """Whether the paper's code counted void as anomaly here (protocol ``paper`` only)."""
    generated: bool = False
    """Whether it is drawn by this course, as part of profile ``mini``."""
    small_objects: bool = False
    """Whether anomalies are small things on the road: which components are too small to count."""
    script: str = ""
    """The script in ``data_scripts`` that fetches it, or says what is public of it."""


_PUBLIC = {
    "RoadAnomaly21": Benchmark(
        "SMIYC RoadAnomaly21", ".png", 1, 10, paper_counts_void=False, script="fetch_anomaly_track.py"),
    "RoadObsticle21": Benchmark(
        "SMIYC RoadObstacle21", ".webp", 1, 30, paper_counts_void=False, small_objects=True,
        script="fetch_obstacle_track.py"),
    "FS_LostFound_full": Benchmark(
        "Fishyscapes Lost & Found", ".png", 1, 100, paper_counts_void=True, small_objects=True,
        script="fetch_fishyscapes_lost_and_found.py"),
    "fs_static": Benchmark(
        "Fishyscapes Static", ".jpg", 1, 30, paper_counts_void=True, script="fetch_fishyscapes_static.py"),
    "RoadAnomaly": Benchmark(
        "Road Anomaly", ".jpg", 2, 60, paper_counts_void=False, script="fetch_road_anomaly.py"),
}  # fmt: skip

GENERATED_IMAGES = 30
"""In each generated benchmark."""

GENERATED_PREFIX = "mini_"

_GENERATED = {
    GENERATED_PREFIX + name: replace(
        public,
        title=f"generated, like {public.title}",
        official_images=GENERATED_IMAGES,
        generated=True,
        script="make_mini.py",
    )
    for name, public in _PUBLIC.items()
}

BENCHMARKS = _PUBLIC | _GENERATED
"""All benchmarks by the name of their folder: the public ones, the misspelt one included, and after each of
them a generated one with its formats and quirks."""


def find_benchmark(name: str) -> Benchmark:
    """Return what is known of a benchmark; of a folder of the user's own, what is usual."""
    return BENCHMARKS.get(name) or Benchmark(name, "", 1, 0, paper_counts_void=False)


IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LOST_AND_FOUND_NUMBER = re.compile(r"^\d{4}_")
"""What Fishyscapes writes before the name that Lost and Found gave an image."""

Pairs = list[tuple[Path, Path]]
"""Images, each with its mask."""


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
    if (root / name).is_dir():
        return _bundle(root / name, (benchmark.suffix,) if benchmark.suffix else IMAGE_SUFFIXES)
    if official and (root / official.folder).is_dir():
        return official.pairs(root / official.folder)
    if not benchmark.script:
        raise FileNotFoundError(
            f"no folder {root / name}: a benchmark of your own is a folder that holds images and labels_masks"
            "; see site/own_data.md"
        )
    command = f"python3 start.py fetch {benchmark.script.removeprefix('fetch_').removesuffix('.py')}"
    if benchmark.generated:
        command = f"python data_scripts/{benchmark.script}"
    tells = "fetches it" if official or benchmark.generated else "--dry-run says where to get it"
    other = f" nor {official.folder}" if official else ""
    raise FileNotFoundError(
        f"no folder {root / name}{other}: {command} {tells}, or point COURSE_DATA at the folder that holds "
        f"{root.name}"
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
    found = files_below(folder, "*_labels.png")
    masks = {LOST_AND_FOUND_NUMBER.sub("", path.stem).removesuffix("_labels"): path for path in found}
    others = folder.parent / "lostandfound"
    ending = "_leftImg8bit"
    images = {path.stem.removesuffix(ending): path for path in files_below(others, f"*{ending}.png")}
    return _with_images(masks, images, others)


def _with_images(masks: dict[str, Path], images: dict[str, Path], folder: Path) -> Pairs:
    """Return each mask with its image, in numerical order."""
    if not masks:
        raise FileNotFoundError(f"no masks for the images in {folder}; fetch the benchmark again")
    if missing := sorted(masks.keys() - images.keys()):
        raise FileNotFoundError(f"no image {missing[0]} in {folder} for its mask; fetch the benchmark again")

    def in_order(name: str) -> list:  # validation2 before validation10
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

    return [(images[name], masks[name]) for name in sorted(masks, key=in_order)]


class Official(NamedTuple):
    """A benchmark as its owners publish it."""

    folder: str
    """Below the folder of all benchmarks."""
    pairs: Callable[[Path], Pairs]


OFFICIAL = {
    "RoadAnomaly21": Official("dataset_AnomalyTrack", _segment_me),
    "RoadObsticle21": Official("dataset_ObstacleTrack", _segment_me),
    "FS_LostFound_full": Official("fishyscapes_lostandfound", _lost_and_found),
    "RoadAnomaly": Official("RoadAnomaly_jpg", _road_anomaly),
}
"""The benchmarks that their owners publish, by the name of their folder in the bundle."""
