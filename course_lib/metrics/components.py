"""Do the flagged pixels form the right objects? Metrics of connected components.

Source: Chan et al., "SegmentMeIfYouCan: A Benchmark for Anomaly Segmentation", NeurIPS 2021 (datasets and
benchmarks), section 4.2: adjusted IoU (sIoU), positive predictive value (PPV), component-wise F1.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from torch import Tensor

from course_lib.labels import IGNORE
from course_lib.metrics.exact import check_tensors

THRESHOLDS = np.linspace(0.25, 0.75, 11)
"""Of sIoU and PPV, at which objects count as found."""


@dataclass(frozen=True)
class Sizes:
    """Components with fewer pixels do not count."""

    truth: int = 100
    """An anomaly that is smaller becomes void."""
    predicted: int = 500
    """A prediction that is smaller is dropped."""

    def scaled_to(self, pixels: int) -> "Sizes":
        """Return the sizes for masks of so many pixels: in proportion, for masks below the official ones."""
        factor = min(1, pixels / (720 * 1280))  # the smallest masks of the official tracks
        return Sizes(max(1, round(factor * self.truth)), max(1, round(factor * self.predicted)))


ANOMALY_TRACK, OBSTACLE_TRACK = Sizes(100, 500), Sizes(10, 50)
"""What SegmentMeIfYouCan uses on its two tracks, for masks of 720 to 1080 rows."""


@dataclass(frozen=True)
class Components:
    """The components of one image; higher is better."""

    siou: np.ndarray
    """Of each true component, float64 from 0 to 1."""
    ppv: np.ndarray
    """Of each predicted component: the share of its pixels that are anomalies."""

    def found(self) -> np.ndarray:
        """Return true positives, false negatives, false positives at each of ``THRESHOLDS``, int (3, 11)."""
        hits = (self.siou[:, None] >= THRESHOLDS).sum(axis=0)
        wrong = (self.ppv[:, None] < THRESHOLDS).sum(axis=0)
        return np.stack([hits, len(self.siou) - hits, wrong])


@dataclass(frozen=True)
class ComponentMetrics:
    """The components of many images together; fractions, higher is better, NaN without any component."""

    siou: float
    """Mean over the true components."""
    ppv: float
    """Mean over the predicted ones."""
    f1: float
    """2 TP / (2 TP + FN + FP), mean over ``THRESHOLDS``."""
    true_components: int
    predicted_components: int


def components(scores: Tensor, target: Tensor, threshold: float, sizes: Sizes = ANOMALY_TRACK) -> Components:
    """Compare the components above a threshold with the true ones.

    Args:
        scores: anomaly score (H, W), higher is more anomalous.
        target: uint8 (H, W): 0 normal, 1 anomaly, 255 void; void counts for nothing.
        threshold: a pixel is predicted where its score is larger.
        sizes: what is too small to count.

    Raises:
        ValueError: if the shapes differ.
    """
    check_tensors(scores, target)
    if scores.shape != target.shape:
        raise ValueError(
            f"scores have shape {tuple(scores.shape)}, the target {tuple(target.shape)}; expected one"
        )
    void = (target == IGNORE).numpy()
    predicted, _ = _labelled((scores > threshold).numpy() & ~void, sizes.predicted)
    true, small = _labelled((target == 1).numpy(), sizes.truth)
    predicted[small] = 0
    counts = np.zeros((true.max() + 1, predicted.max() + 1))
    np.add.at(counts, (true.ravel(), predicted.ravel()), 1)
    overlap = counts[1:, 1:]  # pixels that a true (row) and a predicted (column) component share
    size_true, size_predicted = counts[1:].sum(axis=1), counts[:, 1:].sum(axis=0)
    there = size_predicted > 0  # void may have taken all of a small anomaly's component
    beside = (overlap > 0) @ counts[0, 1:]  # of the touching predictions, what lies on no true component
    siou = overlap.sum(axis=1) / (size_true + beside)
    return Components(siou, overlap.sum(axis=0)[there] / size_predicted[there])


def combine(images: Iterable[Components]) -> ComponentMetrics:
    """Put the components of all images of a benchmark together."""
    images = list(images)
    siou = np.concatenate([image.siou for image in images] or [np.empty(0)])
    ppv = np.concatenate([image.ppv for image in images] or [np.empty(0)])
    hits, missed, wrong = Components(siou, ppv).found()
    with np.errstate(invalid="ignore"):
        f1 = 2 * hits / (2 * hits + missed + wrong)
    return ComponentMetrics(_mean(siou), _mean(ppv), _mean(f1), len(siou), len(ppv))


def _labelled(mask: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask's components as numbers from 1, 0 elsewhere; and where those were that are too small."""
    eight = np.ones((3, 3))  # pixels that touch at a corner belong together
    numbers, count = ndimage.label(mask, eight)
    small = np.isin(numbers, np.flatnonzero(np.bincount(numbers.ravel(), minlength=count + 1) < least))
    small &= mask
    numbers[small] = 0
    return ndimage.label(numbers, eight)[0], small


def _mean(values: np.ndarray) -> float:
    """Return the mean of those values that are numbers."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")
