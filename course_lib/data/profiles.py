"""Profiles: the same code on other data, with other numbers."""

from dataclasses import dataclass, replace

import torch
from torch.utils.data import Dataset

from course_lib.data.benchmarks import BENCHMARKS
from course_lib.data.datasets import SEGMENTATION_SETS, BenchmarkImages
from course_lib.data.files import Sample, Size
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
    """Also that of the folder of its shipped weights."""
    benchmarks: tuple[str, ...]
    """Keys of ``BENCHMARKS``."""
    cpu: TrainingDefaults
    accelerator: TrainingDefaults
    scenes: str
    """Of labelled images for training and validation, a key of ``SEGMENTATION_SETS``."""
    network: str = "erfnet"
    """The network that lessons look at."""
    void_networks: tuple[str, ...] = ("erfnet", "enet", "bisenetv2")
    """The networks with a void output, that lesson 3 looks at."""
    trains: bool = True
    """Whether networks are trained in it; if not, its weights are public ones."""

    def labelled(self, split: str) -> Dataset[Sample]:
        """Return the labelled images of a split.

        Where nothing is trained, and so nothing of it is needed but for validation, generated scenes stand in
        for images that were not fetched; it says so.

        Raises:
            FileNotFoundError: if the images are not here.
        """
        try:
            return SEGMENTATION_SETS[self.scenes](split)
        except FileNotFoundError as error:
            if self.trains:
                raise
            print(f"Generated scenes stand in for labelled photographs: {error}")
            return SEGMENTATION_SETS["mini"](split)

    def open_benchmarks(self) -> list[BenchmarkImages]:
        """Open the benchmarks that are here; it says which are not.

        Raises:
            FileNotFoundError: if none is.
        """
        found, reasons = benchmarks_here(self)
        for name, reason in reasons.items():
            print(f"left out: {name}: {reason}")
        if not found:
            raise FileNotFoundError(f"no benchmark of profile {self.name} is here: {[*reasons.values()][-1]}")
        return found

    def numbers(self, device: torch.device) -> TrainingDefaults:
        """Return what suits a device: a CPU is given less to do."""
        return self.cpu if device.type == "cpu" else self.accelerator


_GENERATED = tuple(name for name, benchmark in BENCHMARKS.items() if benchmark.generated)
_REAL = tuple(name for name, benchmark in BENCHMARKS.items() if not benchmark.generated)

_MINI = TrainingDefaults(size=(128, 256), batch=4, epochs=80, rate_factor=3.0)
_CITYSCAPES = TrainingDefaults(size=(512, 1024), batch=6, epochs=50)  # the paper's

_ALL = (
    Profile("mini", _GENERATED, cpu=_MINI, accelerator=_MINI, scenes="mini"),
    Profile(
        "camvid",
        _REAL,
        cpu=TrainingDefaults(size=(176, 240), batch=4, epochs=50, rate_factor=3.0),
        accelerator=TrainingDefaults(size=(360, 480), batch=8, epochs=100),
        scenes="camvid",
    ),
    Profile(
        "photos",
        _REAL,
        cpu=_CITYSCAPES,
        accelerator=_CITYSCAPES,
        scenes="camvid",
        network="espnetv2_2.0",
        void_networks=("espnetv2_2.0",),
        trains=False,
    ),
    Profile("cityscapes", _REAL, cpu=_CITYSCAPES, accelerator=_CITYSCAPES, scenes="cityscapes"),
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

    ``COURSE_NETWORK`` takes the place of its network.

    Raises:
        ValueError: if there is none of that name.
    """
    profile = find_profile(environment("COURSE_PROFILE", "mini"))
    return replace(profile, network=environment("COURSE_NETWORK", profile.network))


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
