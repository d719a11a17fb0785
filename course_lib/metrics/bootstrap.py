"""How sure can we be with so few images? Intervals by drawing whole images anew, with replacement."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib.metrics.curve import Curve
from course_lib.metrics.histogram import Occupied, equal_shares

IMAGE_GROUPS = 4096
"""Groups of scores kept per image: 4096 x 3 int32 are 48 kB."""


class ImageCounts(NamedTuple):
    """One image in at most 48 kB: counts per group of neighbouring scores, highest first."""

    bins: Tensor
    """The highest histogram bin of each group, int32 (G,)."""
    counts: Tensor
    """Normal and anomalous pixels, int32 (2, G)."""


@dataclass(frozen=True)
class Intervals:
    """95 % percentile intervals (low, high); fractions, NaN if they could not be computed."""

    auprc: tuple[float, float]
    fpr95: tuple[float, float]
    auprc_above_chance: tuple[float, float]
    """Of AuPRC minus the prevalence of the same resample: *outside chance* when it excludes 0."""
    resamples: int
    """How many resamples held both classes."""


def summarise(occupied: Occupied) -> ImageCounts:
    """Return the summary of one image."""
    bins, counts = occupied.bins, occupied.counts
    group = equal_shares(counts, IMAGE_GROUPS) if len(bins) > IMAGE_GROUPS else torch.arange(len(bins))
    groups = int(group[-1]) + 1 if len(group) else 0
    first = torch.searchsorted(group, torch.arange(groups))
    return ImageCounts(bins[first].int(), _sum_groups(counts, group, groups).int())


def _sum_groups(counts: Tensor, group: Tensor, groups: int) -> Tensor:
    """Add up the columns of counts (2, K) that belong to the same group; the result is (2, groups)."""
    return torch.zeros(2, groups, dtype=counts.dtype).index_add_(1, group, counts)


def bootstrap(
    images: list[ImageCounts], resamples: int = 1000, seed: int = 0, fpr_convention: str = "step"
) -> Intervals:
    """Return 95 % percentile intervals over images.

    Args:
        images: the summaries of all images, in a fixed order.
        resamples: how many times as many images are drawn, with replacement.
        seed: of the draws; the same seed gives the same intervals.
        fpr_convention: ``step`` or ``chord``.

    Returns:
        The intervals. Resamples without anomalous or without normal pixels are left out.

    Raises:
        ValueError: if there is no image or ``resamples`` is not positive.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    if not images or resamples < 1:
        raise ValueError(f"need images and resamples, got {len(images)} images, {resamples} resamples")
    (negatives, positives), mixed = _common_groups(images)
    draws = np.random.default_rng(seed).integers(len(images), size=(resamples, len(images)))
    times = torch.from_numpy(np.stack([np.bincount(draw, minlength=len(images)) for draw in draws])).double()
    found, alarms = times @ positives, times @ negatives
    usable = (found.sum(1) > 0) & (alarms.sum(1) > 0)
    if not usable.any():
        nothing = (float("nan"), float("nan"))
        return Intervals(nothing, nothing, nothing, 0)
    found, alarms = found[usable], alarms[usable]
    curve = Curve(found, alarms, mixed)
    auprc, fpr95 = curve.average_precision(), curve.fpr_at_tpr(0.95, fpr_convention)
    prevalence = found.sum(1) / (found.sum(1) + alarms.sum(1))
    return Intervals(_middle(auprc), _middle(fpr95), _middle(auprc - prevalence), int(usable.sum()))


def _common_groups(images: list[ImageCounts]) -> tuple[Tensor, Tensor]:
    """Return counts (2, images, K) of normal and of anomalous pixels, in groups common to all images.

    Also which groups, bool (K,), hold more than one bin.
    """
    bins, place = torch.cat([image.bins for image in images]).unique(return_inverse=True)
    place = len(bins) - 1 - place  # highest first
    counts = torch.cat([image.counts for image in images], dim=1).double()
    group = equal_shares(_sum_groups(counts, place, len(bins)), IMAGE_GROUPS)
    columns = int(group[-1]) + 1 if len(group) else 1
    row = torch.arange(len(images)).repeat_interleave(torch.tensor([len(image.bins) for image in images]))
    table = _sum_groups(counts, row * columns + group[place], len(images) * columns)
    return table.view(2, len(images), columns), torch.bincount(group, minlength=columns) > 1


def _middle(values: Tensor) -> tuple[float, float]:
    """Return the range that holds the middle 95 % of the values."""
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return low, high
