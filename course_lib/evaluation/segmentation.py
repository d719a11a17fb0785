"""How well a network segments what it knows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.data import Sample, evaluation_transform
from course_lib.evaluation.loop import clear_errors, ready
from course_lib.evaluation.protocols import find_protocol
from course_lib.evaluation.settings import Settings
from course_lib.labels import NUM_CLASSES
from course_lib.metrics import Confusion
from course_lib.models import Network


class Segmented(NamedTuple):
    """One image, and what a network takes every pixel of it for."""

    sample: Sample
    predicted: Tensor
    """The known class, or void, of each pixel: (H, W), the size of the target."""
    logits: Tensor
    """float32 (C, H, W), on the CPU."""
    known_classes: tuple[int, ...]


def segmented(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> Iterator[Segmented]:
    """Segment images one by one, at the size of their targets.

    Args:
        network: any network; its device may change.
        samples: images with targets of train ids and 255.
        settings: images are resized as the protocol says (to ``size`` if it says native), but are in
            [0, 1] whatever the protocol. Logits are brought to the target's size, bilinear, before the
            argmax, which is over the known classes and void.
        progress: whether to show a progress bar.
    """
    size = find_protocol(settings.protocol).input_size(settings.size)
    transform = evaluation_transform(size or settings.size)
    channels = torch.tensor([*settings.known_classes, *range(NUM_CLASSES, network.num_classes)]).unique()
    settings = replace(settings, protocol="benchmark")
    name = getattr(samples, "name", "validation")  # of a benchmark
    for index in tqdm(range(len(samples)), desc=name, unit="image", disable=not progress):
        sample = samples[index]
        image, target = transform(sample.image, sample.target)
        # only here: between two images the caller's code runs
        with ready(network, settings), clear_errors(image, settings.device):
            logits = network(image[None].to(settings.device)).float()
            logits = F.interpolate(logits, target.shape, mode="bilinear", align_corners=False)[0].cpu()
        yield Segmented(sample, channels[logits[channels].argmax(dim=0)], logits, settings.known_classes)


def confusion(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> Confusion:
    """Return the confusion counts of a network, at the size of the targets; see ``segmented``."""
    counts = Confusion()
    for one in segmented(network, samples, settings, progress):
        counts.update(one.predicted, one.sample.target.long())
    return counts
