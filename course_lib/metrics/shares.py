"""Shares of pixels: how frequent an anomaly is, what chance makes of it, and what one threshold finds."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor

from course_lib.labels import IGNORE
from course_lib.metrics.exact import check_mask

CHANCE_FPR95 = 0.95
"""Of a score that knows nothing: to find 95 % of the anomalies it flags 95 % of everything."""


def class_share(target: Tensor, train_id: int) -> float:
    """Return the share of the valid pixels that belong to a class, a fraction.

    Args:
        target: integer, any shape; 255 is void and takes no part.
        train_id: of the class.

    Raises:
        ValueError: if all pixels are void.

    >>> class_share(Tensor([0, 0, 1, 255]), 1)
    0.3333333333333333
    """
    valid = target[target != IGNORE]
    if not len(valid):
        raise ValueError(f"no valid pixel in a target of {tuple(target.shape)}: all are void")
    return (valid == train_id).double().mean().item()


def prevalence(target: Tensor) -> float:
    """Return the share of anomalous pixels among the valid ones, a fraction: the AuPRC of chance.

    Args:
        target: integer, any shape: 0 normal, 1 anomaly, 255 void.

    Raises:
        ValueError: if all pixels are void.
    """
    return class_share(target, 1)


def pooled_prevalence(targets: Iterable[Tensor], counts_void: bool = False) -> float:
    """Return the share of anomalous pixels in several masks together, a fraction.

    Args:
        targets: integer, any shapes: 0 normal, 1 anomaly, 255 void.
        counts_void: count void as anomaly, a known mistake, instead of leaving it out.

    Raises:
        ValueError: if no pixel counts.

    >>> pooled_prevalence([Tensor([1, 0]), Tensor([255, 0])], counts_void=True)
    0.5
    """
    anomalous = counted = 0
    for target in targets:
        void, anomaly = (target == IGNORE).sum().item(), (target == 1).sum().item()
        anomalous += anomaly + (void if counts_void else 0)
        counted += target.numel() - (0 if counts_void else void)
    if not counted:
        raise ValueError("no valid pixel in any of the masks")
    return anomalous / counted


def chance(is_anomaly: Tensor) -> tuple[float, float]:
    """Return the AuPRC and FPR95 that a random score can expect, fractions.

    Args:
        is_anomaly: bool, any shape, without void pixels.
    """
    return is_anomaly.double().mean().item(), CHANCE_FPR95


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
    flags = scores >= threshold
    flagged, anomalous = flags.sum().item(), is_anomaly.sum().item()
    true_positives = (flags & is_anomaly).sum().item()
    normal = scores.numel() - anomalous

    def share(part: int, whole: int) -> float:
        return part / whole if whole else math.nan

    return Detections(
        share(true_positives, flagged),
        share(true_positives, anomalous),
        share(flagged - true_positives, normal),
        share(flagged, scores.numel()),
    )
