"""AuPRC, FPR95 and AUROC over all pixels of a benchmark, one image at a time, in constant memory."""

from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.labels import IGNORE
from course_lib.metrics.bootstrap import ImageCounts, Intervals, bootstrap, summarise
from course_lib.metrics.curve import Curve
from course_lib.metrics.exact import exact_curve
from course_lib.metrics.histogram import MIXED, Histogram, bin_pixels

EXACT_PIXELS = 1_000_000
"""Up to so many pixels the scores themselves are kept and the metrics are exact."""


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
    pixels: int
    """Valid pixels, void not counted."""
    images: int
    auprc_bound: float
    """The most that ``auprc`` can be off because different scores share a bin; 0 if exact. Likewise below."""
    fpr95_bound: float
    auroc_bound: float


class StreamingMetrics:
    """Takes images one by one; two of them can be merged, so that workers can share a benchmark.

    Up to ``EXACT_PIXELS`` pixels the result is exact. Beyond, scores (in float32) are counted in 2048 bins
    for every power of two, and the result says how far it can be off. Per image a summary of at most 64 kB
    is kept, for intervals.
    """

    def __init__(self, exact_pixels: int = EXACT_PIXELS) -> None:
        """Start empty.

        Args:
            exact_pixels: how many pixels to keep before counting in bins.
        """
        self.exact_pixels = exact_pixels
        self.kept: list[tuple[Tensor, Tensor]] = []
        self.histogram: Histogram | None = None  # takes the place of ``kept``
        self.images: dict[str, ImageCounts] = {}

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
        valid = target != IGNORE
        scores = scores.masked_select(valid).float().cpu()
        is_anomaly = (target == 1).masked_select(valid).cpu()
        pixels = bin_pixels(scores, is_anomaly)
        self.images[name] = summarise(pixels.counts)
        if self.histogram is None:
            self._keep(scores, is_anomaly)
        else:
            self.histogram.add(pixels)

    def merge(self, other: "StreamingMetrics") -> None:
        """Add the images of ``other``, which is left as it is: the result is that of one pass over both.

        Raises:
            ValueError: if an image is in both.
        """
        shared = self.images.keys() & other.images.keys()
        if shared:
            raise ValueError(f"both halves hold image {min(shared)!r}; give each image to one worker only")
        self.images |= other.images
        if self.histogram is not None or other.histogram is not None:
            self._fold()
            self.histogram.merge(other.histogram or _histogram_of(other.kept))
            return
        for scores, is_anomaly in other.kept:
            self._keep(scores, is_anomaly)

    def compute(self, fpr_convention: str = "step") -> AnomalyMetrics:
        """Return the metrics of all images so far, pooled over pixels.

        Args:
            fpr_convention: ``step`` or ``chord``, see ``FPR_CONVENTIONS``.

        Raises:
            ValueError: if there is no anomalous or no normal pixel.
        """
        curve, bounds = self._curve()
        anomalous, normal = curve.true_positives[-1].item(), curve.false_positives[-1].item()
        return AnomalyMetrics(
            auprc=curve.average_precision().item(),
            fpr95=curve.fpr_at_tpr(0.95, fpr_convention).item(),
            auroc=curve.auroc().item(),
            prevalence=anomalous / (anomalous + normal),
            pixels=int(anomalous + normal),
            images=len(self.images),
            auprc_bound=bounds[0],
            fpr95_bound=bounds[1],
            auroc_bound=bounds[2],
        )

    def intervals(self, resamples: int = 1000, seed: int = 0, fpr_convention: str = "step") -> Intervals:
        """Return 95 % intervals by drawing whole images anew; see ``bootstrap``."""
        ordered = [self.images[name] for name in sorted(self.images)]
        return bootstrap(ordered, resamples, seed, fpr_convention)

    def _keep(self, scores: Tensor, is_anomaly: Tensor) -> None:
        """Keep the valid pixels of an image, as long as there are few."""
        self.kept.append((scores, is_anomaly))
        if sum(len(kept) for kept, _ in self.kept) > self.exact_pixels:
            self._fold()

    def _fold(self) -> None:
        """Go over from keeping pixels to counting them in bins."""
        self.histogram = self.histogram or Histogram()
        self.histogram.merge(_histogram_of(self.kept))
        self.kept = []

    def _curve(self) -> tuple[Curve, tuple[float, float, float]]:
        """Return the curve and how far AuPRC, FPR95 and AUROC can be off."""
        if self.histogram is None:
            empty = (torch.zeros(0), torch.zeros(0, dtype=torch.bool))
            scores, is_anomaly = map(torch.cat, zip(empty, *self.kept, strict=True))
            return exact_curve(scores, is_anomaly), (0.0, 0.0, 0.0)
        bins = self.histogram.occupied()
        negatives, positives = self.histogram.counts[:, bins]
        curve = Curve(positives, negatives)
        return curve, curve.bounds(self.histogram.only[bins] == MIXED)


def _histogram_of(kept: list[tuple[Tensor, Tensor]]) -> Histogram:
    """Count pixels that were kept."""
    histogram = Histogram()
    for scores, is_anomaly in kept:
        histogram.add(bin_pixels(scores, is_anomaly))
    return histogram


def _check(scores: Tensor, target: Tensor, name: str, seen: dict[str, ImageCounts]) -> None:
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
