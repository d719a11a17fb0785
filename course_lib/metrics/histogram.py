"""A histogram whose bins keep the order of floating point numbers, so that no range has to be known.

The bits of a float32, read as an integer, grow with the number (negative ones are turned round first). The
top 22 bits of that integer are the bin: 8192 bins for every power of two of either sign, and the infinities.
Counts are stored in pages of 4096 bins, and only pages that hold a pixel exist: a few MB for real scores.
"""

from typing import NamedTuple

import torch
from torch import Tensor

LOW_BITS = 10  # of the 32, left out of the bin
PAGE_BITS = 12  # of the bin, its place in the page
PAGE = 1 << PAGE_BITS
NUM_PAGES = 1 << (32 - LOW_BITS - PAGE_BITS)
NUM_BINS = NUM_PAGES * PAGE

EMPTY, MIXED = -1, -2  # a bin that holds one distinct score keeps that score's low bits instead
TOWER = 8  # a bin with so many times its neighbours' pixels is taken for one repeated score


class Occupied(NamedTuple):
    """The bins that hold a pixel, highest scores first."""

    bins: Tensor
    """int64 (K,)."""
    counts: Tensor
    """Normal and anomalous pixels, int64 (2, K)."""
    mixed: Tensor
    """Whether a bin holds more than one distinct score, bool (K,)."""

    def spread(self) -> Tensor:
        """Return which mixed bins lie in a continuous stretch, and are not one much repeated score."""
        pixels = self.counts.sum(0)
        adjacent = torch.where(self.bins[:-1] - self.bins[1:] == 1, 1, 0)
        neighbours = torch.zeros_like(pixels)
        neighbours[1:] += adjacent * pixels[:-1]
        neighbours[:-1] += adjacent * pixels[1:]
        return self.mixed & (pixels <= TOWER * neighbours)


class Histogram:
    """Counts of normal and anomalous pixels per bin, and which bins hold more than one distinct score."""

    def __init__(self) -> None:
        """Start empty."""
        self.pages = torch.zeros(0, dtype=torch.int64)  # ids of the pages that exist, rising
        self.counts = torch.zeros(2, 0, PAGE, dtype=torch.int64)  # normal, anomalous
        self.only = torch.zeros(0, PAGE, dtype=torch.int16)

    @classmethod
    def of(cls, scores: Tensor, is_anomaly: Tensor) -> "Histogram":
        """Count some pixels on the device that they are on; the result is on the CPU.

        Args:
            scores: flat, not NaN; rounded to float32.
            is_anomaly: bool, same shape.
        """
        bins, low = split_bits(scores)
        histogram = cls()
        page = bins >> PAGE_BITS
        histogram.pages = torch.bincount(page, minlength=NUM_PAGES).nonzero().squeeze(1)
        row = torch.zeros(NUM_PAGES, dtype=torch.int64, device=scores.device)
        row[histogram.pages] = torch.arange(len(histogram.pages), device=scores.device)
        cell = row.take(page) * PAGE + (bins & (PAGE - 1))
        size = len(histogram.pages) * PAGE
        counts = torch.bincount(cell + size * is_anomaly, minlength=2 * size)
        histogram.pages = histogram.pages.cpu()
        histogram.counts = counts.view(2, -1, PAGE).cpu()
        histogram.only = _only_value(cell, low, size).view(-1, PAGE).cpu()
        return histogram

    def merge(self, other: "Histogram") -> None:
        """Add the counts of ``other``, which is left as it is."""
        self._make_pages(other.pages)
        rows = torch.searchsorted(self.pages, other.pages)
        self.counts[:, rows] += other.counts
        mine = self.only[rows]
        differ = (mine != other.only) & (mine != EMPTY) & (other.only != EMPTY)
        self.only[rows] = torch.where(mine == EMPTY, other.only, mine).masked_fill(differ, MIXED)

    def _make_pages(self, pages: Tensor) -> None:
        """Add empty pages until all of ``pages`` exist."""
        union = torch.cat([self.pages, pages]).unique()
        if len(union) == len(self.pages):
            return
        rows = torch.searchsorted(union, self.pages)
        counts = torch.zeros(2, len(union), PAGE, dtype=torch.int64)
        counts[:, rows] = self.counts
        only = torch.full((len(union), PAGE), EMPTY, dtype=torch.int16)
        only[rows] = self.only
        self.pages, self.counts, self.only = union, counts, only

    def occupied(self) -> Occupied:
        """Return the bins that hold a pixel, highest scores first."""
        cells = self.counts.sum(0).flatten().nonzero().squeeze(1).flip(0)
        bins = self.pages[cells >> PAGE_BITS] * PAGE + (cells & (PAGE - 1))
        return Occupied(bins, self.counts.view(2, -1)[:, cells], self.only.view(-1)[cells] == MIXED)


def split_bits(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the bin of each score, int64, 0 for the lowest, and the bits that it leaves out, int16."""
    bits = (scores.float() + 0.0).view(torch.int32)  # adding 0 turns -0.0 into 0.0, its equal
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered >> LOW_BITS).long() + NUM_BINS // 2, (ordered & ((1 << LOW_BITS) - 1)).short()


def lower_edges(bins: Tensor) -> Tensor:
    """Return the lowest score, float32, that each bin can hold."""
    ordered = ((bins - NUM_BINS // 2) << LOW_BITS).int()
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)


def _only_value(cell: Tensor, low: Tensor, size: int) -> Tensor:
    """Return for each of ``size`` cells the low bits of its only score, or EMPTY, or MIXED."""
    # of several scores in a cell any one stays, and then the others give the cell away
    only = torch.full((size,), EMPTY, dtype=torch.int16, device=low.device).scatter_(0, cell, low)
    return only.scatter_(0, select(cell, only.take(cell) != low), MIXED)


def select(values: Tensor, where: Tensor) -> Tensor:
    """Return the values where the mask holds, flat; on a CPU NumPy does it four times as fast as torch."""
    if values.device.type != "cpu":
        return values[where]
    return torch.from_numpy(values.numpy()[where.numpy()])


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
