"""Everything about one network in one row."""

import copy
from dataclasses import dataclass

import pandas as pd
import torch

from course_lib import inference
from course_lib.models import Network
from course_lib.profiling.measure import (
    count_parameters,
    example_images,
    forward_latency,
    latency,
    multiply_adds,
    peak_of,
    training_step,
    watts,
)

# fmt: off
PROFILE_COLUMNS = (
    "model", "head", "speed", "device", "height", "width", "batch",
    "milliseconds", "p5", "p95", "p99", "runs", "images_per_second",
    "giga_macs", "million_parameters", "peak_megabytes", "reserved_megabytes", "watts",
    "training_milliseconds", "training_megabytes", "same_class",
)
# fmt: on
"""Of the table of ``profile``. Times are milliseconds for the whole batch; megabytes are those of
``PeakMemory.allocated``; MACs are multiply-adds of one image; ``same_class`` is the percentage of pixels to
which plain inference gives the same class. What a device cannot give is missing."""


@dataclass(frozen=True)
class Subject:
    """A network to be profiled."""

    name: str
    network: Network
    pictures: tuple[torch.Tensor, ...] = ()
    """Images (N, 3, H, W) on the network's device on which the classes of a faster network are compared."""


def profile(
    subject: Subject,
    size: tuple[int, int],
    speed: str = "plain",
    batch: int = 1,
    seconds: float = 1.0,
    fast: Network | None = None,
) -> dict:
    """Measure a network in inference.

    Args:
        subject: any network, on any device.
        size: height and width of the images.
        speed: a name of ``inference.SPEEDS``, or that of ``fast``.
        batch: how many images at once.
        seconds: for how long to repeat.
        fast: what to measure in the network's place; by default ``inference.accelerate`` makes it.

    Returns:
        One row with ``PROFILE_COLUMNS``, but for those of training.

    Raises:
        ValueError: if the device cannot take a step, or the images do not fit into its memory.
    """
    plain = subject.network.eval()
    fast = inference.accelerate(plain, speed) if fast is None else fast
    images = example_images(plain, size, batch)
    found = forward_latency(fast, images, seconds)
    with torch.inference_mode():
        outside = isinstance(fast, inference.OnnxNetwork)  # torch sees nothing of its memory
        peak = None if outside else peak_of(lambda: fast(images), images.device)
        drawn = watts(lambda: fast(images), images.device)
    pictures = subject.pictures
    return {
        "model": subject.name,
        "head": plain.head_kind,
        "speed": speed,
        "device": str(images.device),
        "height": size[0],
        "width": size[1],
        "batch": batch,
        "milliseconds": found.median,
        "p5": found.p5,
        "p95": found.p95,
        "p99": found.p99,
        "runs": found.runs,
        "images_per_second": 1000 * batch / found.median,
        "giga_macs": multiply_adds(plain, size) / 1e9,
        "million_parameters": count_parameters(plain) / 1e6,
        "peak_megabytes": peak.allocated if peak else None,
        "reserved_megabytes": peak.reserved if peak else None,
        "watts": drawn,
        "same_class": 100 * inference.agreement(plain, fast, pictures).argmax if pictures else None,
    }


def profile_training(subject: Subject, size: tuple[int, int], batch: int = 1, seconds: float = 1.0) -> dict:
    """Measure a forward and a backward pass; the row goes beside one of ``profile``."""
    network = copy.deepcopy(subject.network)
    images = example_images(network, size, batch)
    step = training_step(network, images)
    milliseconds = latency(step, images.device, seconds).median
    peak = peak_of(step, images.device)
    return {
        "training_milliseconds": milliseconds,
        "training_megabytes": peak.allocated if peak else None,
    }


def profile_table(rows: list[dict]) -> pd.DataFrame:
    """Return rows as a tidy table."""
    return pd.DataFrame(rows, columns=PROFILE_COLUMNS)
