"""What one threshold finds."""

import math
from typing import NamedTuple

from torch import Tensor

from course_lib.metrics.exact import check_mask


class Detections(NamedTuple):
    """Shares of pixels at one threshold; fractions, NaN where there is nothing to share."""

    precision: float
    """Of the flagged pixels, how many are anomalous; higher is better."""
    recall: float
    """Of the anomalous pixels, how many are flagged: the true positive rate; higher is better."""
    fpr: float
    """Of the normal pixels, how many are flagged; lower is better."""
    flagged: float
    """Of all pixels."""


def detections(scores: Tensor, is_anomaly: Tensor, threshold: float) -> Detections:
    """Return what is found by flagging every score from ``threshold`` on.

    Args:
        scores: anomaly scores, any shape; larger is more anomalous.
        is_anomaly: bool, same shape. Remove void pixels from both before the call.
        threshold: pixels with this score or more are flagged.

    Raises:
        ValueError: if the mask is no bool mask of this shape, or a score is NaN.

    >>> import torch
    >>> detections(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, False]), 0.5)[:3]
    (0.5, 1.0, 0.5)
    """
    check_mask(scores, is_anomaly)
    flagged = scores >= threshold
    found = (flagged & is_anomaly).sum().item()
    number, anomalous = flagged.sum().item(), is_anomaly.sum().item()
    normal = scores.numel() - anomalous
    return Detections(
        _share(found, number),
        _share(found, anomalous),
        _share(number - found, normal),
        _share(number, scores.numel()),
    )


def _share(part: int, whole: int) -> float:
    """Return a fraction, NaN of nothing."""
    return part / whole if whole else math.nan
