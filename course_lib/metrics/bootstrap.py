"""How sure can we be with so few images? Intervals by drawing whole images anew, with replacement."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib.metrics.exact import Curve

IMAGE_GROUPS = 4096  # groups of scores kept per image: 4096 x 3 int32 are 48 kB

Pixels = tuple[Tensor, Tensor]
"""Scores and whether each is an anomaly, both flat, void left out."""


class ImageCounts(NamedTuple):
    """One image in at most 48 kB: counts per group of neighbouring scores, highest first."""

    bins: Tensor
    """The middle histogram bin of each group, or the rank of its score, int32 (G,)."""
    counts: Tensor
    """Normal and anomalous pixels, int32 (2, G)."""


class Resampled(NamedTuple):
    """What each resample of the images gave: fractions, float64 (R,).

    Equal seeds draw the same images, so that two scores of the same images can be compared pair by pair.
    """

    auprc: Tensor
    fpr95: Tensor
    prevalence: Tensor


@dataclass(frozen=True)
class Intervals:
    """95 % percentile intervals (low, high); fractions, NaN if they could not be computed."""

    auprc: tuple[float, float]
    fpr95: tuple[float, float]
    auprc_above_chance: tuple[float, float]
    """Of AuPRC minus the prevalence of the same resample: *outside chance* when it excludes 0."""
    resamples: int
    """How many resamples held both classes."""


def summarise(bins: Tensor, counts: Tensor) -> ImageCounts:
    """Return the summary of one image, of which ``Histogram.occupied`` gives the arguments."""
    group = equal_shares(counts, IMAGE_GROUPS) if len(bins) > IMAGE_GROUPS else torch.arange(len(bins))
    groups = int(group[-1]) + 1 if len(group) else 0
    edges = torch.searchsorted(group, torch.arange(groups + 1))
    middle = (edges[:-1] + edges[1:] - 1) // 2
    return ImageCounts(bins[middle].int(), _sum_groups(counts, group, groups).int())


def exact_counts(images: list[Pixels]) -> list[ImageCounts]:
    """Return one entry per distinct score of each image, ranked over all images: nothing is lost."""
    ranks = torch.cat([scores for scores, _ in images] or [torch.zeros(0)]).unique(return_inverse=True)[1]
    found = []
    for rank, (_, is_anomaly) in zip(ranks.split([len(s) for s, _ in images]), images, strict=True):
        occurring, place = rank.unique(return_inverse=True)
        counts = torch.bincount(place + len(occurring) * is_anomaly, minlength=2 * len(occurring)).view(2, -1)
        found.append(ImageCounts(occurring.flip(0).int(), counts.flip(1).int()))
    return found


def _sum_groups(counts: Tensor, group: Tensor, groups: int) -> Tensor:
    """Add up the columns of counts (2, K) that belong to the same group; the result is (2, groups)."""
    return torch.zeros(2, groups, dtype=counts.dtype).index_add_(1, group, counts)


def resampled(
    images: list[ImageCounts], resamples: int = 1000, seed: int = 0, fpr_convention: str = "step"
) -> Resampled:
    """Draw whole images anew, with replacement, and measure each time.

    Args:
        images: the summaries of all images, in a fixed order.
        resamples: how many times as many images are drawn, with replacement.
        seed: of the draws; the same seed gives the same intervals.
        fpr_convention: ``step`` or ``chord``.

    Returns:
        The metrics of each resample; those without anomalous or without normal pixels are left out.

    Raises:
        ValueError: if there is no image or ``resamples`` is not positive.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    if not images or resamples < 1:
        raise ValueError(f"need images and resamples, got {len(images)} images, {resamples} resamples")
    # the groups of all images put together, and the pixels of each image in them: (2, images, columns)
    bins, place = torch.cat([image.bins for image in images]).unique(return_inverse=True)
    place = len(bins) - 1 - place  # highest first
    counts = torch.cat([image.counts for image in images], dim=1).double()
    group = equal_shares(_sum_groups(counts, place, len(bins)), IMAGE_GROUPS)
    columns = int(group[-1]) + 1 if len(group) else 1
    row = torch.arange(len(images)).repeat_interleave(torch.tensor([len(image.bins) for image in images]))
    table = _sum_groups(counts, row * columns + group[place], len(images) * columns)
    negatives, positives = table.view(2, len(images), columns)
    mixed = torch.bincount(group, minlength=columns) > 1  # groups of more than one bin
    draws = np.random.default_rng(seed).integers(len(images), size=(resamples, len(images)))
    times = torch.from_numpy(np.stack([np.bincount(draw, minlength=len(images)) for draw in draws])).double()
    parts = []
    for part in times.split(100):  # to bound the memory
        anomalous, normal = part @ positives, part @ negatives
        usable = (anomalous.sum(1) > 0) & (normal.sum(1) > 0)
        curve = Curve(anomalous[usable], normal[usable], mixed)
        prevalence = curve.anomalous / (curve.anomalous + curve.normal)
        parts.append((curve.average_precision(), curve.fpr_at_tpr(0.95, fpr_convention), prevalence))
    return Resampled(*(torch.cat(values) for values in zip(*parts, strict=True)))


def intervals_of(found: Resampled) -> Intervals:
    """Return 95 % percentile intervals."""
    differences = found.auprc - found.prevalence
    low_and_high = [percentile_interval(values) for values in (found.auprc, found.fpr95, differences)]
    return Intervals(*low_and_high, resamples=len(found.auprc))


def equal_shares(counts: Tensor, groups: int) -> Tensor:
    """Return the group of each column of ``counts`` (2, K), int64 (K,), rising from 0 without gaps.

    Groups hold about equal shares of both classes; two large neighbours never end in the same one.
    """
    share = (counts.double() / counts.sum(1, keepdim=True).clamp(min=1)).sum(0)
    share = share / share.sum().clamp(min=1)
    middle = share.cumsum(0) - share / 2  # of a large column it lies far from its neighbours'
    return (middle * groups).long().clamp(max=groups - 1).unique_consecutive(return_inverse=True)[1]


def percentile_interval(values: Tensor) -> tuple[float, float]:
    """Return the range that holds the middle 95 % of the values."""
    if not len(values):
        return float("nan"), float("nan")
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return low, high
