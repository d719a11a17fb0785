"""AuPRC, FPR95 and AUROC over all pixels of a benchmark, one image at a time, in constant memory.

Up to a million pixels the scores themselves are kept. Beyond, they are counted in a histogram whose bins keep
the order of floating point numbers, so that no range has to be known: the bits of a float32, read as an
integer, grow with the number (negative ones are turned round first), and the top 22 bits of that integer are
the bin. That makes 8192 bins for every power of two of either sign.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from course_lib.labels import IGNORE
from course_lib.metrics.bootstrap import (
    ImageCounts,
    Intervals,
    Pixels,
    Resampled,
    exact_counts,
    intervals_of,
    resampled,
    summarise,
)
from course_lib.metrics.exact import Curve, check_tensors, exact_curve

EXACT_PIXELS = 1_000_000
"""Up to so many pixels the scores themselves are kept and the metrics are exact."""

LOW_BITS = 10  # of the 32, left out of the bin
NUM_BINS = 1 << (32 - LOW_BITS)
PAGE_BITS = 12  # of the bin: its place in a page; only pages that hold a pixel exist, a few MB in all
PAGE = 1 << PAGE_BITS


@dataclass
class Histogram:
    """Counts of normal and anomalous pixels per bin of scores; two of them can be merged."""

    pages: dict[int, Tensor] = field(default_factory=dict)
    """By page: normal and anomalous pixels in each of its bins, int64 (2, ``PAGE``)."""

    @classmethod
    def of(cls, scores: Tensor, is_anomaly: Tensor) -> "Histogram":
        """Count flat scores without NaN, as float32, on the device that they are on; it ends on the CPU."""
        bins = bin_of(scores)
        page = bins >> PAGE_BITS
        pages = torch.bincount(page, minlength=NUM_BINS // PAGE).nonzero().squeeze(1)
        row = torch.zeros(NUM_BINS // PAGE, dtype=torch.int64, device=scores.device)
        row[pages] = torch.arange(len(pages), device=scores.device)
        cell = row.take(page) * PAGE + (bins & (PAGE - 1))
        size = len(pages) * PAGE
        counts = torch.bincount(cell + size * is_anomaly, minlength=2 * size).view(2, -1, PAGE).cpu()
        return cls(dict(zip(pages.tolist(), counts.unbind(1), strict=True)))

    def merge(self, other: "Histogram") -> None:
        """Add the counts of ``other``, which is left as it is."""
        for page, counts in other.pages.items():
            if page not in self.pages:
                self.pages[page] = torch.zeros_like(counts)
            self.pages[page] += counts  # in place: new blocks for each image would scatter over the memory

    def occupied(self) -> tuple[Tensor, Tensor]:
        """Return the bins with a pixel, int64 (K,), highest first; normal and anomalous pixels (2, K)."""
        pages = sorted(self.pages)
        nothing = torch.zeros(2, 0, dtype=torch.int64)
        counts = torch.cat([nothing, *(self.pages[page] for page in pages)], dim=1)
        cells = counts.sum(0).nonzero().squeeze(1).flip(0)
        bins = torch.tensor(pages, dtype=torch.int64)[cells >> PAGE_BITS] * PAGE + (cells & (PAGE - 1))
        return bins, counts[:, cells]

    def curve(self) -> Curve:
        """Return the curve over all bins.

        The scores of a bin in a continuous stretch are taken to be different and evenly mixed. Those of a bin
        that stands alone, or holds over 8 times its neighbours' pixels, are taken to be one repeated score.
        """
        bins, (negatives, positives) = self.occupied()
        pixels = negatives + positives
        adjacent = (bins[:-1] - bins[1:] == 1).long()
        neighbours = torch.zeros_like(pixels)
        neighbours[1:] += adjacent * pixels[:-1]
        neighbours[:-1] += adjacent * pixels[1:]
        return Curve(positives, negatives, mixed=pixels <= 8 * neighbours)


def bin_of(scores: Tensor) -> Tensor:
    """Return the bin of each score, int64, 0 for the lowest."""
    bits = (scores.float() + 0.0).view(torch.int32)  # adding 0 turns -0.0 into 0.0, its equal
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered >> LOW_BITS).long() + NUM_BINS // 2


def lower_edges(bins: Tensor) -> Tensor:
    """Return the lowest score, float32, that each bin can hold."""
    ordered = ((bins - NUM_BINS // 2) << LOW_BITS).int()
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)


@dataclass(frozen=True)
class AnomalyMetrics:
    """The metrics of one score on one benchmark; all are fractions."""

    auprc: float
    """Average precision; higher is better, the prevalence is chance."""
    fpr95: float
    """Share of normal pixels flagged while 95 % of the anomalies are found; lower is better."""
    auroc: float
    """Higher is better, 0.5 is chance."""
    prevalence: float
    """Share of anomalous pixels among the valid ones: the AuPRC of a constant or random score."""
    largest_tie: float
    """Share of pixels with one and the same score, beyond a million pixels to four digits; 1 means chance."""
    pixels: int
    """Valid pixels, void not counted."""
    images: int

    @property
    def constant(self) -> bool:
        """Whether every pixel got the same score."""
        return self.largest_tie == 1


class StreamingMetrics:
    """Takes images one by one; two of them can be merged.

    Up to ``EXACT_PIXELS`` pixels the result is exact. Beyond, it comes from a histogram of the scores in
    float32 and is within 1e-4, exact for a constant score. Per image at most 48 kB are kept, for intervals.
    """

    def __init__(self, exact_pixels: int = EXACT_PIXELS, summaries: bool = True) -> None:
        """Start empty.

        Args:
            exact_pixels: how many pixels to keep one by one.
            summaries: whether to keep what intervals need; without it memory does not grow with the images.
        """
        self.exact_pixels, self.summaries = exact_pixels, summaries
        self.kept: dict[str, Pixels] | None = {}  # by image; None once there are too many
        self.histogram = Histogram()
        self.images: dict[str, ImageCounts | None] = {}

    def update(self, scores: Tensor, target: Tensor, image: str | None = None) -> None:
        """Add one image.

        Args:
            scores: any shape; larger is more anomalous; void pixels may hold anything but NaN.
            target: same shape; 0 normal, 1 anomaly, 255 void.
            image: its name, by default its number; the order of names decides the order of the bootstrap.

        Raises:
            ValueError: if shapes differ, a score is NaN, a mask value is unknown, or the name was used.
        """
        name = f"{len(self.images):06d}" if image is None else image
        if name in self.images:
            raise ValueError(f"image {name!r} was added before; give each image once")
        check_tensors(scores, target)
        if scores.shape != target.shape:
            raise ValueError(
                f"image {name!r}: scores {tuple(scores.shape)} and mask {tuple(target.shape)} differ"
            )
        if scores.isnan().any():
            raise ValueError(
                f"image {name!r}: {int(scores.isnan().sum())} of {scores.numel()} scores are NaN; "
                "the network's weights or its input are broken"
            )
        if not ((target == 0) | (target == 1) | (target == IGNORE)).all():
            raise ValueError(f"image {name!r}: masks hold 0, 1 and {IGNORE}, got {target.unique().tolist()}")
        can_count = scores.device.type in ("cpu", "cuda")
        scores = scores.detach() if can_count else scores.detach().cpu()
        target = target.to(scores.device)
        valid = target != IGNORE
        scores, is_anomaly = _select(scores, valid), _select(target == 1, valid)
        counted = Histogram.of(scores, is_anomaly)
        self.images[name] = summarise(*counted.occupied()) if self.summaries else None
        self.histogram.merge(counted)
        self._keep({name: (scores, is_anomaly)})

    def merge(self, other: "StreamingMetrics") -> None:
        """Add the images of ``other``, which is left as it is: the result is that of one pass over both.

        Raises:
            ValueError: if an image is in both.
        """
        shared = self.images.keys() & other.images.keys()
        if shared:
            raise ValueError(f"both halves hold image {min(shared)!r}; give each image once")
        self.images |= other.images
        self.histogram.merge(other.histogram)
        self._keep(other.kept)

    def compute(self, fpr_convention: str = "step") -> AnomalyMetrics:
        """Return the metrics of all images so far, pooled over pixels.

        Args:
            fpr_convention: ``step`` or ``chord``, see ``FPR_CONVENTIONS``.

        Raises:
            ValueError: if there is no anomalous or no normal pixel.
        """
        if self.kept is None:
            curve = self.histogram.curve()
        else:
            nothing = (torch.zeros(0), torch.zeros(0, dtype=torch.bool))
            curve = exact_curve(*map(torch.cat, zip(nothing, *self.kept.values(), strict=True)))
        anomalous, normal = curve.anomalous.item(), curve.normal.item()
        return AnomalyMetrics(
            auprc=curve.average_precision().item(),
            fpr95=curve.fpr_at_tpr(0.95, fpr_convention).item(),
            auroc=curve.auroc().item(),
            prevalence=anomalous / (anomalous + normal),
            largest_tie=curve.largest_tie().item(),
            pixels=int(anomalous + normal),
            images=len(self.images),
        )

    def intervals(self, resamples: int = 1000, seed: int = 0, fpr_convention: str = "step") -> Intervals:
        """Return 95 % intervals by drawing whole images anew; see ``resampled``."""
        return intervals_of(self.resampled(resamples, seed, fpr_convention))

    def resampled(self, resamples: int = 1000, seed: int = 0, fpr_convention: str = "step") -> Resampled:
        """Return the metrics of many draws of images; the order of the images is that of their names.

        Raises:
            ValueError: if there is no image, or no summaries were kept.
        """
        if not self.summaries:
            raise ValueError("no intervals without summaries: they were left out from the beginning")
        names = sorted(self.images)
        # up to so many pixels each draw is measured exactly; beyond, in groups of neighbouring scores
        if self.kept is not None and sum(len(scores) for scores, _ in self.kept.values()) <= 100_000:
            images = exact_counts([self.kept[name] for name in names])
        else:
            images = [self.images[name] for name in names]
        return resampled(images, resamples, seed, fpr_convention)

    def best_f1(self) -> tuple[float, float]:
        """Return the threshold with the highest pixel F1, and that F1, a fraction; higher is better.

        Scores from the threshold on are flagged. It is the lower edge of a bin: right to 0.02 %.

        Raises:
            ValueError: if there is no anomalous or no normal pixel.
        """
        bins, (negatives, positives) = self.histogram.occupied()
        curve = Curve(positives, negatives)
        f1 = 2 * curve.true_positives / (curve.true_positives + curve.false_positives + curve.anomalous)
        best = f1.argmax()
        return lower_edges(bins[best]).item(), f1[best].item()

    def _keep(self, pixels: dict[str, Pixels] | None) -> None:
        """Keep more pixels one by one, or none at all if there are too many."""
        if self.kept is not None and pixels is not None:
            together = self.kept | pixels
            if sum(len(scores) for scores, _ in together.values()) <= self.exact_pixels:
                self.kept = {name: (scores.cpu(), truth.cpu()) for name, (scores, truth) in together.items()}
                return
        self.kept = None


def _select(values: Tensor, where: Tensor) -> Tensor:
    """Return the values where the mask holds, flat; on a CPU NumPy does it four times as fast as torch."""
    if values.device.type != "cpu":
        return values[where]
    return torch.from_numpy(values.numpy()[where.numpy()])
