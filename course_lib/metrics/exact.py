"""Metrics of scores and masks in memory: AuPRC, FPR95 and AUROC, shares of pixels, what one threshold finds.

Larger scores are more anomalous; anomaly is the positive class; all are fractions. AuPRC, FPR95 and AUROC are
read off a ``Curve``: counts of pixels per threshold, from the highest score down. ``StreamingMetrics`` makes
the same curve of scores that do not fit into memory.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.labels import IGNORE
from course_lib.runtime import unknown_name

FPR_CONVENTIONS = ("step", "chord")
"""How FPR95 is read off: ``step``, at the first threshold that finds 95 %; ``chord``, on the straight line
between the thresholds around 95 %, as ood-metrics and the paper do."""

CHANCE_FPR95 = 0.95
"""Of a score that knows nothing: to find 95 % of the anomalies it flags 95 % of everything."""


class Curve:
    """Counts of true and false positives at each threshold; leading axes are independent curves."""

    def __init__(self, positives: Tensor, negatives: Tensor, mixed: Tensor | None = None) -> None:
        """Sum up counts.

        Args:
            positives: anomalous pixels at each score or bin of scores, highest first, shape (..., K).
            negatives: normal pixels, same shape.
            mixed: bool (K,), the bins whose pixels are taken to lie evenly mixed, since they hold many
                distinct scores. The pixels of any other bin are ties. By default there are only ties.

        Raises:
            ValueError: if a curve has no anomalous or no normal pixel.
        """
        self.positives, self.negatives = positives.double(), negatives.double()
        only_ties = torch.zeros(positives.shape[-1], dtype=torch.bool, device=positives.device)
        self.mixed = only_ties if mixed is None else mixed
        self.true_positives, self.false_positives = self.positives.cumsum(-1), self.negatives.cumsum(-1)
        self.anomalous, self.normal = self.positives.sum(-1), self.negatives.sum(-1)
        if not ((self.anomalous > 0).all() and (self.normal > 0).all()):
            counts = int(self.anomalous.min()), int(self.normal.min())
            raise ValueError(f"need both classes, got {counts[0]} anomalous, {counts[1]} normal pixels")

    def largest_tie(self) -> Tensor:
        """Return the largest share of pixels at one score, shape (...), fractions; mixed bins hold no tie."""
        tied = (self.positives + self.negatives) * ~self.mixed
        return tied.amax(-1) / (self.anomalous + self.normal)

    def average_precision(self) -> Tensor:
        """Return the sum of precision x recall steps, shape (...), fractions."""
        # in a mixed bin the precision at its middle anomaly stands for all of them
        true = self.true_positives - self.mixed * (self.positives - 1).clamp(min=0) / 2
        false = self.false_positives - self.mixed * self.negatives / 2
        precision = true / (true + false).clamp(min=1)
        return (precision * self.positives).sum(-1) / self.anomalous

    def auroc(self) -> Tensor:
        """Return the area under the ROC curve, ties counted half, shape (...), fractions."""
        tpr, fpr = self._roc()
        return torch.trapezoid(tpr, fpr)

    def fpr_at_tpr(self, tpr: float = 0.95, convention: str = "step") -> Tensor:
        """Return the false positive rate where ``tpr`` of the anomalies are found, shape (...), fractions."""
        if convention not in FPR_CONVENTIONS:
            raise unknown_name("convention", convention, FPR_CONVENTIONS)
        if convention == "chord":
            x, y = self._roc()
            left = (x <= tpr).sum(-1, keepdim=True) - 1  # the last point at tpr, as ood-metrics does
            right = (left + 1).clamp(max=x.shape[-1] - 1)
            x0, x1, y0, y1 = x.gather(-1, left), x.gather(-1, right), y.gather(-1, left), y.gather(-1, right)
            width = torch.where(right > left, x1 - x0, 1.0)
            return (y0 + (tpr - x0) * (y1 - y0) / width).squeeze(-1)
        needed = (tpr * self.anomalous[..., None] - 1e-9).ceil()  # 0.55 * 100 is 55.00000000000001
        at = (self.true_positives < needed).sum(-1, keepdim=True)
        positives, negatives = self.positives.gather(-1, at), self.negatives.gather(-1, at)
        still_needed = needed - (self.true_positives.gather(-1, at) - positives)
        # of a mixed bin only the share that is needed is flagged, of a tie all pixels
        share = torch.where(self.mixed[at], (still_needed - 0.5) / positives, 1.0)
        false_positives = self.false_positives.gather(-1, at) - negatives * (1 - share)
        return false_positives.squeeze(-1) / self.normal

    def _roc(self) -> tuple[Tensor, Tensor]:
        """Return true and false positive rates from (0, 0) on, shape (..., K + 1)."""
        zero = torch.zeros_like(self.true_positives[..., :1])
        tpr = torch.cat([zero, self.true_positives], dim=-1) / self.anomalous[..., None]
        return tpr, torch.cat([zero, self.false_positives], dim=-1) / self.normal[..., None]


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


def threshold_at_fpr(scores: Tensor, fpr: float) -> float:
    """Return the lowest score above which at most a share ``fpr`` of ordinary pixels lies.

    Args:
        scores: of pixels without anomaly, any shape; larger is more anomalous. Remove void pixels before.
        fpr: the false positive rate, a fraction in [0, 1).

    Returns:
        One of the scores; an alarm is what lies *above* it. Where many pixels have this score, fewer of them
        than asked raise an alarm.

    Raises:
        ValueError: if the rate is out of range, there is no score, or one is NaN.

    >>> threshold_at_fpr(torch.tensor([4.0, 2.0, 1.0, 3.0]), 0.25)
    3.0
    """
    if not 0 <= fpr < 1:
        raise ValueError(f"the false positive rate must be in [0, 1), got {fpr}")
    if not scores.numel() or scores.isnan().any():
        raise ValueError(
            f"need scores that are numbers, got {int(scores.isnan().sum())} NaN of {scores.numel()}"
        )
    allowed = math.floor(fpr * scores.numel() + 1e-9)  # 0.29 * 100 is 28.999999999999996
    return scores.flatten().sort().values[-1 - allowed].item()


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
    """Return the curve over all distinct scores; arguments and errors are those of ``average_precision``."""
    check_mask(scores, is_anomaly)
    ordered, order = scores.flatten().sort(descending=True)
    last_of_tie = torch.cat([ordered[1:] != ordered[:-1], torch.ones_like(ordered[:1], dtype=torch.bool)])
    true = is_anomaly.flatten()[order].cumsum(0)[last_of_tie]
    flagged = last_of_tie.nonzero().squeeze(1) + 1
    positives = true.diff(prepend=true.new_zeros(1))
    return Curve(positives, flagged.diff(prepend=flagged.new_zeros(1)) - positives)


def check_tensors(*values: object) -> None:
    """Raise a ValueError unless all are tensors: of an array some operations work and give something else."""
    if not all(map(torch.is_tensor, values)):
        kinds = " and ".join(type(value).__name__ for value in values)
        raise ValueError(f"need tensors, got {kinds}; torch.as_tensor makes one of an array or a list")


def check_mask(scores: Tensor, is_anomaly: Tensor) -> None:
    """Raise a ValueError unless the mask is a bool mask of the scores' shape, and no score is NaN."""
    check_tensors(scores, is_anomaly)
    if is_anomaly.dtype != torch.bool or is_anomaly.shape != scores.shape:
        got = f"{is_anomaly.dtype} of {tuple(is_anomaly.shape)}"
        raise ValueError(f"need a bool mask of {tuple(scores.shape)}, got {got}")
    if scores.isnan().any():
        raise ValueError(f"scores must not be NaN, got {int(scores.isnan().sum())} of {scores.numel()}")


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
    check_tensors(target)
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
    flagged, found, wrong = flags.sum(), (flags & is_anomaly).sum(), (flags & ~is_anomaly).sum()
    parts = torch.stack([found, found, wrong, flagged]).double()
    wholes = torch.stack([flagged, is_anomaly.sum(), (~is_anomaly).sum(), torch.ones_like(flags).sum()])
    return Detections(*(parts / wholes).tolist())  # 0 of 0 is NaN
