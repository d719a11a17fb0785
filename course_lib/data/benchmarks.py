"""The anomaly benchmarks: which there are, and their quirks."""

from dataclasses import dataclass, replace


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
        "SMIYC RoadAnomaly21", ".png", 1, 10, paper_counts_void=False, script="fetch_anomaly_track.py"
    ),
    "RoadObsticle21": Benchmark(
        "SMIYC RoadObstacle21",
        ".webp",
        1,
        30,
        paper_counts_void=False,
        small_objects=True,
        script="fetch_obstacle_track.py",
    ),
    "FS_LostFound_full": Benchmark(
        "Fishyscapes Lost & Found",
        ".png",
        1,
        100,
        paper_counts_void=True,
        small_objects=True,
        script="fetch_fishyscapes_lost_and_found.py",
    ),
    "fs_static": Benchmark(
        "Fishyscapes Static", ".jpg", 1, 30, paper_counts_void=True, script="fetch_fishyscapes_static.py"
    ),
    "RoadAnomaly": Benchmark(
        "Road Anomaly", ".jpg", 2, 60, paper_counts_void=False, script="fetch_road_anomaly.py"
    ),
}

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
