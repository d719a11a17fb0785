"""A histogram whose bins keep the order of floating point numbers, so that no range has to be known.

The bits of a float32, read as an integer, grow with the number (negative ones are turned round first). The
top 20 bits of that integer are the bin: 2048 bins for every power of two of either sign, and the infinities.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

LOW_BITS = 12
NUM_BINS = 1 << (32 - LOW_BITS)
"""The number of bins: 1,048,576."""

EMPTY, MIXED = -1, -2  # of a bin that holds one distinct score, ``only`` keeps the score's low bits instead


@dataclass(frozen=True)
class Binned:
    """Some pixels after binning."""

    bins: Tensor
    """The bin of each pixel, 0 for the lowest scores, int64 (P,)."""
    low: Tensor
    """The 12 bits of each score that its bin leaves out, int16 (P,)."""
    counts: Tensor
    """Normal and anomalous pixels per bin, int64 (2, NUM_BINS)."""


def bin_pixels(scores: Tensor, is_anomaly: Tensor) -> Binned:
    """Sort pixels into bins.

    Args:
        scores: flat, not NaN; rounded to float32.
        is_anomaly: bool, same shape.
    """
    bits = (scores.float() + 0.0).view(torch.int32)  # adding 0 turns -0.0 into 0.0, its equal
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    bins = (ordered >> LOW_BITS).long() + NUM_BINS // 2
    low = (ordered & ((1 << LOW_BITS) - 1)).short()
    counts = torch.bincount(bins + NUM_BINS * is_anomaly, minlength=2 * NUM_BINS)
    return Binned(bins, low, counts.view(2, NUM_BINS))


class Histogram:
    """Counts of anomalous and normal pixels per bin, and which bins hold more than one distinct score."""

    def __init__(self) -> None:
        """Start empty; takes 18 MB however many pixels follow."""
        self.counts = torch.zeros(2, NUM_BINS, dtype=torch.int64)  # normal, anomalous
        self.only = torch.full((NUM_BINS,), EMPTY, dtype=torch.int16)

    def add(self, pixels: Binned) -> None:
        """Count pixels."""
        self.counts += pixels.counts
        only = self.only[pixels.bins]
        if (only == EMPTY).any():
            unseen = only == EMPTY
            self.only[pixels.bins[unseen]] = pixels.low[unseen]
            only = self.only[pixels.bins]
        self.only[pixels.bins[(only != pixels.low) & (only != MIXED)]] = MIXED

    def merge(self, other: "Histogram") -> None:
        """Add the counts of ``other``, which is left as it is."""
        self.counts += other.counts
        differ = (self.only != other.only) & (self.only != EMPTY) & (other.only != EMPTY)
        self.only = torch.where(self.only == EMPTY, other.only, self.only)
        self.only[differ] = MIXED

    def occupied(self) -> Tensor:
        """Return the bins that hold a pixel, highest first."""
        return self.counts.sum(0).nonzero().squeeze(1).flip(0)


def equal_shares(counts: Tensor, groups: int) -> Tensor:
    """Cut a row of counts into groups that hold about equal shares of both classes.

    Args:
        counts: normal and anomalous pixels (2, K), highest score first.
        groups: how many groups there may be at the most.

    Returns:
        The group of each column, int64 (K,), rising from 0 without gaps. Two neighbours that each have more
        than a group's share never end in the same group.
    """
    share = (counts.double() / counts.sum(1, keepdim=True).clamp(min=1)).sum(0)
    share = share / share.sum().clamp(min=1)
    middle = share.cumsum(0) - share / 2  # of a large column it lies far from its neighbours'
    return (middle * groups).long().clamp(max=groups - 1).unique_consecutive(return_inverse=True)[1]
