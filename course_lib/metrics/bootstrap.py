"""How sure can we be with so few images? Intervals by drawing whole images anew, with replacement."""

from collections.abc import Callable, Sequence
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
    pooled = _pooled(images, IMAGE_GROUPS)
    times = _drawn(np.random.default_rng(seed), len(images), resamples)
    parts = [pooled.measured(part, fpr_convention) for part in times.split(100)]  # to bound the memory
    return Resampled(*(torch.cat(values) for values in zip(*parts, strict=True)))


def interval_widths(
    images: list[ImageCounts], size: int, subsets: int = 200, resamples: int = 200, seed: int = 0
) -> Tensor:
    """Return how wide the 95 % interval of AuPRC comes out from each of many random subsets of the images.

    It has fewer groups of neighbouring scores than ``resampled``: much quicker, and a little less exact.

    Args:
        images: the summaries of all images.
        size: how many different images each subset has.
        subsets: how many subsets are drawn.
        resamples: how many times the images of a subset are drawn, with replacement.
        seed: of all draws.

    Returns:
        Fractions, float64 (``subsets``,); NaN for a subset without anomaly.
    """
    pooled, draws = _pooled(images, IMAGE_GROUPS // 16), np.random.default_rng(seed)
    widths = []
    for _ in range(subsets):
        chosen = torch.from_numpy(draws.choice(len(images), size, replace=False))
        times = torch.zeros(resamples, len(images), dtype=torch.float64)
        times[:, chosen] = _drawn(draws, size, resamples)
        low, high = percentile_interval(pooled.measured(times).auprc)
        widths.append(high - low)
    return torch.tensor(widths, dtype=torch.float64)


class _Pooled(NamedTuple):
    """Pixels of each image in groups of neighbouring scores that all images share, highest first."""

    negatives: Tensor
    positives: Tensor
    """Float64 (images, groups)."""
    mixed: Tensor
    """Bool (groups,): which hold more than one bin of scores."""

    def measured(self, times: Tensor, fpr_convention: str = "step") -> Resampled:
        """Measure draws: ``times`` says how often each has each image, float64 (R, images)."""
        anomalous, normal = times @ self.positives, times @ self.negatives
        usable = (anomalous.sum(1) > 0) & (normal.sum(1) > 0)
        curve = Curve(anomalous[usable], normal[usable], self.mixed)
        prevalence = curve.anomalous / (curve.anomalous + curve.normal)
        return Resampled(curve.average_precision(), curve.fpr_at_tpr(0.95, fpr_convention), prevalence)


def _drawn(draws: np.random.Generator, count: int, resamples: int) -> Tensor:
    """Draw so many images with replacement; return how often each came, float64 (``resamples``, count)."""
    chosen = draws.integers(count, size=(resamples, count))
    return torch.from_numpy(np.stack([np.bincount(draw, minlength=count) for draw in chosen])).double()


def _pooled(images: list[ImageCounts], groups: int) -> _Pooled:
    """Put the groups of all images together, in no more than so many."""
    # the groups of all images put together, and the pixels of each image in them: (2, images, columns)
    bins, place = torch.cat([image.bins for image in images]).unique(return_inverse=True)
    place = len(bins) - 1 - place  # highest first
    counts = torch.cat([image.counts for image in images], dim=1).double()
    group = equal_shares(_sum_groups(counts, place, len(bins)), groups)
    columns = int(group[-1]) + 1 if len(group) else 1
    row = torch.arange(len(images)).repeat_interleave(torch.tensor([len(image.bins) for image in images]))
    table = _sum_groups(counts, row * columns + group[place], len(images) * columns)
    negatives, positives = table.view(2, len(images), columns)
    mixed = torch.bincount(group, minlength=columns) > 1  # groups of more than one bin
    return _Pooled(negatives, positives, mixed)


def intervals_of(found: Resampled) -> Intervals:
    """Return 95 % percentile intervals."""
    differences = found.auprc - found.prevalence
    low_and_high = [percentile_interval(values) for values in (found.auprc, found.fpr95, differences)]
    return Intervals(*low_and_high, resamples=len(found.auprc))


def interval_in_pairs(
    measure: Callable[[list], float], mine: Sequence, baseline: Sequence, draws: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """Return the middle 95 % of the differences between two results on the same drawn images.

    Args:
        measure: from a list of images to a number.
        mine: one entry per image.
        baseline: likewise; entry i of both is of the same image.
        draws: lists of numbers of images.

    >>> interval_in_pairs(sum, [3, 5], [1, 2], [[0, 0], [0, 0]])
    (4.0, 4.0)
    """
    differences = [measure([mine[i] for i in draw]) - measure([baseline[i] for i in draw]) for draw in draws]
    return percentile_interval(torch.tensor(differences, dtype=torch.float64))


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
