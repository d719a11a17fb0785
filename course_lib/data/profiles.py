"""Profiles: the same code on other data, with other numbers."""

from dataclasses import dataclass

import torch

from course_lib.data.benchmarks import BENCHMARKS
from course_lib.data.datasets import BenchmarkImages
from course_lib.data.files import Size
from course_lib.runtime import environment, unknown_name


@dataclass(frozen=True)
class TrainingDefaults:
    """How to train on a data set."""

    size: Size
    """Height and width of training images, in pixels; also the size at which networks score."""
    batch: int
    """Images per step."""
    epochs: int
    rate_factor: float = 1.0
    """Times the published learning rate of each network."""


@dataclass(frozen=True)
class Profile:
    """What to train on, with which numbers, and what to score."""

    name: str
    """Also that of its training data in ``SEGMENTATION_SETS`` and of the folder of its shipped weights."""
    benchmarks: tuple[str, ...]
    """Keys of ``BENCHMARKS``."""
    cpu: TrainingDefaults
    accelerator: TrainingDefaults

    def numbers(self, device: torch.device) -> TrainingDefaults:
        """Return what suits a device: a CPU is given less to do."""
        return self.cpu if device.type == "cpu" else self.accelerator


_GENERATED = tuple(name for name, benchmark in BENCHMARKS.items() if benchmark.generated)
_REAL = tuple(name for name, benchmark in BENCHMARKS.items() if not benchmark.generated)

_MINI = TrainingDefaults(size=(128, 256), batch=4, epochs=80, rate_factor=3.0)
_CITYSCAPES = TrainingDefaults(size=(512, 1024), batch=6, epochs=50)  # the paper's

_ALL = (
    Profile("mini", _GENERATED, cpu=_MINI, accelerator=_MINI),
    Profile(
        "camvid",
        _REAL,
        cpu=TrainingDefaults(size=(176, 240), batch=4, epochs=50, rate_factor=3.0),
        accelerator=TrainingDefaults(size=(360, 480), batch=8, epochs=100),
    ),
    Profile("cityscapes", _REAL, cpu=_CITYSCAPES, accelerator=_CITYSCAPES),
)

PROFILES = {profile.name: profile for profile in _ALL}
"""Every profile by name; ``mini`` needs no download, the others need data sets."""


def find_profile(name: str) -> Profile:
    """Return a profile.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in PROFILES:
        raise unknown_name("profile", name, PROFILES)
    return PROFILES[name]


def current_profile() -> Profile:
    """Return the profile that ``COURSE_PROFILE`` names, ``mini`` if it is not set: what the lessons work on.

    Raises:
        ValueError: if there is none of that name.
    """
    return find_profile(environment("COURSE_PROFILE", "mini"))


def benchmarks_here(profile: Profile) -> tuple[list[BenchmarkImages], dict[str, str]]:
    """Return the benchmarks of a profile that intervals over images can be had of, and why not the others.

    Returns:
        Those of two images or more; by the name of each other one, the reason and its cure.
    """
    found, reasons = [], {}
    for name in profile.benchmarks:
        try:
            images = BenchmarkImages(name)
        except (FileNotFoundError, ValueError) as error:
            reasons[name] = str(error)
            continue
        if len(images) < 2:
            reasons[name] = "a single image; intervals over images need two or more"
        else:
            found.append(images)
    return found, reasons
