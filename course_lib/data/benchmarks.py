"""The anomaly benchmarks: which there are, their quirks, and where the files of each layout are."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib.data.files import Layout
from course_lib.runtime import COMMAND


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
        script="",
    )
    for name, public in _PUBLIC.items()
}

BENCHMARKS = _PUBLIC | _GENERATED
"""All benchmarks by the name of their folder: the public ones, the misspelt one included, and after each of
them a generated one with its formats and quirks."""


def find_benchmark(name: str) -> Benchmark:
    """Return what is known of a benchmark; of a folder of the user's own, what is usual."""
    return BENCHMARKS.get(name) or Benchmark(name, "", 1, 0, paper_counts_void=False)


IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_ANY_SUFFIX = rf"(?:{'|'.join(map(re.escape, IMAGE_SUFFIXES))})"

_TRACK = rf"images/([^/]+){_ANY_SUFFIX}", r"labels_masks/([^/]+)_labels_semantic\.png"

OFFICIAL = {
    "RoadAnomaly21": Layout("dataset_AnomalyTrack", *_TRACK),
    "RoadObsticle21": Layout("dataset_ObstacleTrack", *_TRACK),
    "FS_LostFound_full": Layout(
        "fishyscapes_lostandfound",
        images=r"(?:.*/)?([^/]+)_leftImg8bit\.png",
        masks=r"(?:.*/)?(?:\d{4}_)?([^/]+)_labels\.png",  # Fishyscapes writes a number before the name
        image_folder="lostandfound",
    ),
    "RoadAnomaly": Layout(
        "RoadAnomaly_jpg",
        images=r"frames/([^/]+)\.jpg",
        masks=r"frames/([^/]+)\.labels/labels_semantic\.png",
        every_image_has_a_mask=True,
    ),
}
"""How owners publish their benchmarks, by the name of the folder in the bundle."""


def find_layout(name: str, benchmark: Benchmark, root: Path) -> Layout:
    """Return the layout that a benchmark has here: that of the bundle, or the official one.

    Args:
        name: of the benchmark, which is that of its folder in the bundle.
        benchmark: what distinguishes it.
        root: the folder of all benchmarks.

    Raises:
        FileNotFoundError: if there is neither folder.
    """
    if (root / name).is_dir():
        suffix = re.escape(benchmark.suffix) or _ANY_SUFFIX
        masks = r"labels_masks/([^/]+)\.png"
        return Layout(name, rf"images/([^/]+){suffix}", masks, every_image_has_a_mask=True)
    official = OFFICIAL.get(name)
    if official and (root / official.folder).is_dir():
        return official
    if benchmark.generated:
        raise FileNotFoundError(
            f"no folder {root / name}: delete {root.parent}, and the next use draws it again"
        )
    if not benchmark.script:
        raise FileNotFoundError(
            f"no folder {root / name}: a benchmark of your own is a folder that holds images and labels_masks"
            "; see site/own_data.md"
        )
    command = f"{COMMAND} fetch {benchmark.script.removeprefix('fetch_').removesuffix('.py')}"
    tells = "fetches it" if official else "--dry-run says where to get it"
    other = f" nor {official.folder}" if official else ""
    raise FileNotFoundError(
        f"no folder {root / name}{other}: {command} {tells}, or point COURSE_DATA at the folder that holds "
        f"{root.name}"
    )
