"""What AuPRC, FPR95 and AUROC have in common: counts of pixels per threshold, from the highest score down."""

import torch
from torch import Tensor

from course_lib.runtime import unknown_name

FPR_CONVENTIONS = ("step", "chord")
"""How FPR95 is read off: ``step``, at the first threshold that finds 95 %; ``chord``, on the straight line
between the thresholds around 95 %, as ood-metrics and the paper do."""


class Curve:
    """Cumulative counts of found anomalies and false alarms; leading axes are independent curves."""

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
        self.found, self.alarms = self.positives.cumsum(-1), self.negatives.cumsum(-1)
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
        found = self.found - self.mixed * (self.positives - 1).clamp(min=0) / 2
        alarms = self.alarms - self.mixed * self.negatives / 2
        precision = found / (found + alarms).clamp(min=1)
        return (precision * self.positives).sum(-1) / self.anomalous

    def auroc(self) -> Tensor:
        """Return the area under the ROC curve, ties counted half, shape (...), fractions."""
        tpr, fpr = self._roc()
        return torch.trapezoid(tpr, fpr)

    def fpr_at_tpr(self, tpr: float = 0.95, convention: str = "step") -> Tensor:
        """Return the false positive rate where ``tpr`` of the anomalies are found, shape (...), fractions."""
        if convention not in FPR_CONVENTIONS:
            raise unknown_name("convention", convention, FPR_CONVENTIONS)
        return self._fpr_by_step(tpr) if convention == "step" else self._fpr_by_chord(tpr)

    def _fpr_by_step(self, tpr: float) -> Tensor:
        """Read the rate at the first threshold; inside a mixed bin, at the share of it that is needed."""
        at = self._first_threshold(tpr)
        positives, negatives = self.positives.gather(-1, at), self.negatives.gather(-1, at)
        still_needed = self._needed(tpr) - (self.found.gather(-1, at) - positives)
        share = torch.where(self.mixed[at], (still_needed - 0.5) / positives, 1.0)
        alarms = self.alarms.gather(-1, at) - negatives * (1 - share)
        return alarms.squeeze(-1) / self.normal

    def _fpr_by_chord(self, tpr: float) -> Tensor:
        """Read the rate on the straight line between the two thresholds around ``tpr``."""
        x, y = self._roc()
        left = (x <= tpr).sum(-1, keepdim=True) - 1  # of points at exactly tpr the last, as ood-metrics does
        right = (left + 1).clamp(max=x.shape[-1] - 1)
        x0, x1, y0, y1 = x.gather(-1, left), x.gather(-1, right), y.gather(-1, left), y.gather(-1, right)
        width = torch.where(right > left, x1 - x0, 1.0)
        return (y0 + (tpr - x0) * (y1 - y0) / width).squeeze(-1)

    def _roc(self) -> tuple[Tensor, Tensor]:
        """Return true and false positive rates from (0, 0) on, shape (..., K + 1)."""
        zero = torch.zeros_like(self.found[..., :1])
        tpr = torch.cat([zero, self.found], dim=-1) / self.anomalous[..., None]
        return tpr, torch.cat([zero, self.alarms], dim=-1) / self.normal[..., None]

    def _needed(self, tpr: float) -> Tensor:
        """Return how many anomalies are the share ``tpr``, shape (..., 1)."""
        return (tpr * self.anomalous[..., None] - 1e-9).ceil()  # 0.55 * 100 is 55.00000000000001

    def _first_threshold(self, tpr: float) -> Tensor:
        """Return the position of the first threshold that finds the share ``tpr``, shape (..., 1)."""
        return (self.found < self._needed(tpr)).sum(-1, keepdim=True)


def bounds(
    positives: Tensor, negatives: Tensor, mixed: Tensor, tpr: float = 0.95, convention: str = "step"
) -> tuple[float, float, float]:
    """Return how far (AuPRC, FPR, AUROC) can be off, whatever the order of the pixels inside mixed bins.

    Args:
        positives: anomalous pixels per bin, highest scores first, (K,).
        negatives: normal pixels, same shape.
        mixed: which bins hold more than one distinct score, bool (K,).
        tpr: as in ``Curve.fpr_at_tpr``.
        convention: as in ``Curve.fpr_at_tpr``.

    Returns:
        The three largest possible errors, fractions.
    """
    curve = Curve(positives, negatives)
    p, n = curve.positives[mixed], curve.negatives[mixed]
    found, alarms = curve.found[mixed], curve.alarms[mixed]
    # kindest to AuPRC: all anomalies of the bin first; the bin's normal pixels are not yet flagged
    best = p * found / (found + alarms - n).clamp(min=1)
    # unkindest: all normal pixels first, then one anomaly after the other; the sum has a closed form
    before = found - p + alarms
    worst = p - alarms * (torch.digamma(before + p + 1) - torch.digamma(before + 1))
    at = curve._first_threshold(tpr)
    touched = mixed[at] * negatives[at]
    if convention == "chord":  # its right end may lie in the next bin that holds an anomaly
        later = (positives[at + 1 :] > 0).nonzero().flatten()[:1] + at + 1
        touched = touched + (mixed[later] * negatives[later]).sum()
    fpr = touched / curve.normal
    auroc = (p * n).sum() / (2 * curve.anomalous * curve.normal)
    return max(float((best - worst).sum() / curve.anomalous), 0.0), float(fpr), float(auroc)
