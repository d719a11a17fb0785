"""Exact metrics of scores in memory. Larger scores are more anomalous; anomaly is the positive class."""

import torch
from torch import Tensor

from course_lib.metrics.curve import Curve


def average_precision(scores: Tensor, is_anomaly: Tensor) -> float:
    """Return AuPRC: the sum of precision x recall steps over all thresholds, from the highest down.

    Args:
        scores: anomaly scores, any shape; larger is more anomalous.
        is_anomaly: bool, same shape. Remove void pixels from both before the call.

    Returns:
        The average precision, a fraction in (0, 1]; higher is better. A constant score gets the prevalence.

    Raises:
        ValueError: if the mask is no bool mask of this shape, a score is NaN, or one class is missing.

    Source: scikit-learn's ``average_precision_score``; not the trapezoid under the curve, which is too kind.

    >>> average_precision(torch.tensor([0.9, 0.8, 0.3, 0.1]), torch.tensor([True, False, False, True]))
    0.75
    """
    return exact_curve(scores, is_anomaly).average_precision().item()


def fpr_at_tpr(scores: Tensor, is_anomaly: Tensor, tpr: float = 0.95, convention: str = "step") -> float:
    """Return the share of normal pixels flagged while ``tpr`` of the anomalies are found.

    Args:
        scores: anomaly scores, any shape; larger is more anomalous.
        is_anomaly: bool, same shape. Remove void pixels from both before the call.
        tpr: required true positive rate, a fraction in (0, 1].
        convention: ``step`` (the first threshold that finds enough) or ``chord`` (a straight line between the
            thresholds around ``tpr``; kinder with ties: a constant score gets ``tpr`` instead of 1).

    Returns:
        The false positive rate, a fraction in [0, 1]; lower is better. Ties are flagged together.

    Raises:
        ValueError: if an argument is out of range, or one of the two classes is missing.

    Source: Chan et al., "SegmentMeIfYouCan", NeurIPS Datasets and Benchmarks 2021.

    >>> fpr_at_tpr(torch.tensor([0.9, 0.8, 0.3, 0.1]), torch.tensor([True, False, True, False]))
    0.5
    """
    if not 0 < tpr <= 1:
        raise ValueError(f"tpr must be in (0, 1], got {tpr}")
    return exact_curve(scores, is_anomaly).fpr_at_tpr(tpr, convention).item()


def auroc(scores: Tensor, is_anomaly: Tensor) -> float:
    """Return the chance that a random anomalous pixel scores above a random normal one, ties counted half.

    Args:
        scores: anomaly scores, any shape; larger is more anomalous.
        is_anomaly: bool, same shape. Remove void pixels from both before the call.

    Returns:
        The area under the ROC curve, a fraction in [0, 1]; higher is better, 0.5 is chance.

    Raises:
        ValueError: if the mask is no bool mask of this shape, a score is NaN, or one class is missing.

    >>> auroc(torch.tensor([0.9, 0.8, 0.3, 0.1]), torch.tensor([True, False, True, False]))
    0.75
    """
    return exact_curve(scores, is_anomaly).auroc().item()


def exact_curve(scores: Tensor, is_anomaly: Tensor) -> Curve:
    """Return the curve over all distinct scores."""
    check_mask(scores, is_anomaly)
    ordered, order = scores.flatten().sort(descending=True)
    last_of_tie = torch.cat([ordered[1:] != ordered[:-1], torch.ones_like(ordered[:1], dtype=torch.bool)])
    return Curve(*_counts_at(last_of_tie, is_anomaly.flatten()[order]))


def check_mask(scores: Tensor, is_anomaly: Tensor) -> None:
    """Raise a ValueError unless the mask is a bool mask of the scores' shape, and no score is NaN."""
    if is_anomaly.dtype != torch.bool or is_anomaly.shape != scores.shape:
        got = f"{is_anomaly.dtype} of {tuple(is_anomaly.shape)}"
        raise ValueError(f"need a bool mask of {tuple(scores.shape)}, got {got}")
    if scores.isnan().any():
        raise ValueError(f"scores must not be NaN, got {int(scores.isnan().sum())} of {scores.numel()}")


def _counts_at(last_of_tie: Tensor, is_anomaly: Tensor) -> tuple[Tensor, Tensor]:
    """Return anomalous and normal pixels per distinct score; the arguments are ordered by score."""
    found = is_anomaly.cumsum(0)[last_of_tie]
    flagged = last_of_tie.nonzero().squeeze(1) + 1
    found = found.diff(prepend=found.new_zeros(1))
    return found, flagged.diff(prepend=flagged.new_zeros(1)) - found
