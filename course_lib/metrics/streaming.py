"""AuPRC, FPR95 and AUROC over all pixels of a benchmark, one image at a time, in constant memory."""

from collections.abc import Container
from dataclasses import dataclass

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
from course_lib.metrics.curve import Curve, bounds
from course_lib.metrics.exact import exact_curve
from course_lib.metrics.histogram import Histogram, lower_edges, select

EXACT_PIXELS = 1_000_000
"""Up to so many pixels the scores themselves are kept and the metrics are exact."""

COUNTING_DEVICES = ("cpu", "cuda")
"""Devices that can count pixels; scores from others are brought to the CPU."""

EXACT_DRAWS = 100_000
"""Up to so many pixels each draw of images is measured exactly; beyond, in groups of neighbouring scores."""


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
    """Share of pixels that are known to have one and the same score; if it is 1, the result is chance."""
    pixels: int
    """Valid pixels, void not counted."""
    images: int
    auprc_bound: float
    """The most that ``auprc`` can be off because different scores share a bin; 0 if exact. Likewise below."""
    fpr95_bound: float
    auroc_bound: float

    @property
    def constant(self) -> bool:
        """Whether every pixel got the same score."""
        return self.largest_tie == 1


class StreamingMetrics:
    """Takes images one by one; two of them can be merged, so that workers can share a benchmark.

    Up to ``EXACT_PIXELS`` pixels the result is exact. Beyond, scores are rounded to float32, the result comes
    from a histogram and says how far it can be off. Per image at most 48 kB are kept, for intervals.
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
        _check(scores, target, name, self.images)
        scores = scores.detach() if scores.device.type in COUNTING_DEVICES else scores.detach().cpu()
        target = target.to(scores.device)
        valid = target != IGNORE
        scores, is_anomaly = select(scores, valid), select(target == 1, valid)
        counted = Histogram.of(scores, is_anomaly)
        self.images[name] = summarise(counted.occupied()) if self.summaries else None
        self.histogram.merge(counted)
        self._keep({name: (scores, is_anomaly)})

    def merge(self, other: "StreamingMetrics") -> None:
        """Add the images of ``other``, which is left as it is: the result is that of one pass over both.

        Raises:
            ValueError: if an image is in both.
        """
        shared = self.images.keys() & other.images.keys()
        if shared:
            raise ValueError(f"both halves hold image {min(shared)!r}; give each image to one worker only")
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
        curve, bounded = self._curve(fpr_convention)
        anomalous, normal = curve.anomalous.item(), curve.normal.item()
        return AnomalyMetrics(
            auprc=curve.average_precision().item(),
            fpr95=curve.fpr_at_tpr(0.95, fpr_convention).item(),
            auroc=curve.auroc().item(),
            prevalence=anomalous / (anomalous + normal),
            largest_tie=curve.largest_tie().item(),
            pixels=int(anomalous + normal),
            images=len(self.images),
            auprc_bound=bounded[0],
            fpr95_bound=bounded[1],
            auroc_bound=bounded[2],
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
        if self.kept is not None and sum(len(scores) for scores, _ in self.kept.values()) <= EXACT_DRAWS:
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
        occupied = self.histogram.occupied()
        negatives, positives = occupied.counts
        curve = Curve(positives, negatives)
        f1 = 2 * curve.found / (curve.found + curve.alarms + curve.anomalous)
        best = f1.argmax()
        return lower_edges(occupied.bins[best]).item(), f1[best].item()

    def _keep(self, pixels: dict[str, Pixels] | None) -> None:
        """Keep more pixels one by one, or none at all if there are too many."""
        if self.kept is not None and pixels is not None:
            together = self.kept | pixels
            if sum(len(scores) for scores, _ in together.values()) <= self.exact_pixels:
                self.kept = {name: (scores.cpu(), truth.cpu()) for name, (scores, truth) in together.items()}
                return
        self.kept = None

    def _curve(self, fpr_convention: str) -> tuple[Curve, tuple[float, float, float]]:
        """Return the curve and how far AuPRC, FPR95 and AUROC can be off."""
        if self.kept is not None:
            nothing = (torch.zeros(0), torch.zeros(0, dtype=torch.bool))
            scores, is_anomaly = map(torch.cat, zip(nothing, *self.kept.values(), strict=True))
            return exact_curve(scores, is_anomaly), (0.0, 0.0, 0.0)
        occupied = self.histogram.occupied()
        negatives, positives = occupied.counts
        curve = Curve(positives, negatives, occupied.spread())
        return curve, bounds(positives, negatives, occupied.mixed, convention=fpr_convention)


def _check(scores: Tensor, target: Tensor, name: str, seen: Container[str]) -> None:
    """Raise a ValueError if an image cannot be counted."""
    if scores.shape != target.shape:
        raise ValueError(
            f"image {name!r}: scores {tuple(scores.shape)} and mask {tuple(target.shape)} differ"
        )
    if name in seen:
        raise ValueError(f"image {name!r} was added before; give each image once")
    if scores.isnan().any():
        raise ValueError(
            f"image {name!r}: {int(scores.isnan().sum())} of {scores.numel()} scores are NaN; "
            "the network's weights or its input are broken"
        )
    if not ((target == 0) | (target == 1) | (target == IGNORE)).all():
        raise ValueError(f"image {name!r}: masks hold 0, 1 and {IGNORE}, got {target.unique().tolist()}")
