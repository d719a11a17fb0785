"""What AuPRC, FPR95 and AUROC have in common: counts of pixels per threshold, from the highest score down."""

import math

import torch
from torch import Tensor

FPR_CONVENTIONS = ("step", "chord")
"""How FPR95 is read off: ``step``, at the first threshold that finds 95 %; ``chord``, on the straight line
between the thresholds around 95 %, as ood-metrics and the paper do."""


class Curve:
    """Cumulative counts of found anomalies and false alarms; leading axes are independent curves."""

    def __init__(self, positives: Tensor, negatives: Tensor) -> None:
        """Sum up counts.

        Args:
            positives: anomalous pixels at each distinct score, highest score first, shape (..., K).
            negatives: normal pixels, same shape.

        Raises:
            ValueError: if a curve has no anomalous or no normal pixel.
        """
        self.true_positives = positives.double().cumsum(-1)
        self.false_positives = negatives.double().cumsum(-1)
        anomalous, normal = self._totals()
        if not (anomalous.numel() and (anomalous > 0).all() and (normal > 0).all()):
            counts = [int(total.min()) if total.numel() else 0 for total in (anomalous, normal)]
            raise ValueError(f"need both classes, got {counts[0]} anomalous, {counts[1]} normal pixels")

    def _totals(self) -> tuple[Tensor, Tensor]:
        """Return the numbers of anomalous and of normal pixels, shape (..., 1)."""
        return self.true_positives[..., -1:], self.false_positives[..., -1:]

    def average_precision(self) -> Tensor:
        """Return the sum of precision x recall steps, shape (...), fractions."""
        flagged = self.true_positives + self.false_positives
        precision = self.true_positives / flagged.clamp(min=1)
        steps = self.true_positives.diff(dim=-1, prepend=torch.zeros_like(flagged[..., :1]))
        return (precision * steps).sum(-1) / self.true_positives[..., -1]

    def auroc(self) -> Tensor:
        """Return the area under the ROC curve, ties counted half, shape (...), fractions."""
        anomalous, normal = self._totals()
        zero = torch.zeros_like(anomalous)
        heights = torch.cat([zero, self.true_positives], dim=-1) / anomalous
        return torch.trapezoid(heights, torch.cat([zero, self.false_positives], dim=-1) / normal)

    def fpr_at_tpr(self, tpr: float = 0.95, convention: str = "step") -> Tensor:
        """Return the false positive rate where ``tpr`` of the anomalies are found, shape (...), fractions."""
        if convention not in FPR_CONVENTIONS:
            raise ValueError(f"unknown convention {convention!r}; known are {', '.join(FPR_CONVENTIONS)}")
        anomalous, normal = self._totals()
        if convention == "step":
            first = self._first_threshold(tpr)
            return (self.false_positives.gather(-1, first) / normal).squeeze(-1)
        zero = torch.zeros_like(anomalous)
        x = torch.cat([zero, self.true_positives], dim=-1) / anomalous
        y = torch.cat([zero, self.false_positives], dim=-1) / normal
        left = (x <= tpr).sum(-1, keepdim=True) - 1  # of points at exactly tpr the last, as ood-metrics does
        right = (left + 1).clamp(max=x.shape[-1] - 1)
        x0, x1, y0, y1 = x.gather(-1, left), x.gather(-1, right), y.gather(-1, left), y.gather(-1, right)
        slope = (y1 - y0) / (x1 - x0).where(right > left, torch.ones_like(x0))
        return (y0 + (tpr - x0) * slope).squeeze(-1)

    def _first_threshold(self, tpr: float) -> Tensor:
        """Return the position of the first threshold that finds the share ``tpr``, shape (..., 1)."""
        anomalous, _ = self._totals()
        needed = (tpr * anomalous - 1e-9).ceil()  # 0.55 * 100 is 55.00000000000001
        return (self.true_positives < needed).sum(-1, keepdim=True)

    def bounds(self, mixed: Tensor, tpr: float = 0.95) -> tuple[float, float, float]:
        """Return how far (AuPRC, FPR, AUROC) can be off because pixels of different scores share a bin.

        Args:
            mixed: bool (K,), the bins that hold more than one distinct score. One curve only.
            tpr: as in ``fpr_at_tpr``.
        """
        found, alarms = self.true_positives, self.false_positives
        positives = found.diff(prepend=found.new_zeros(1))
        negatives = alarms.diff(prepend=alarms.new_zeros(1))
        at = int(self._first_threshold(tpr))
        fpr = float(negatives[at] / alarms[-1]) if mixed[at] else 0.0
        positives, negatives = positives * mixed, negatives * mixed
        auroc = float((positives * negatives).sum() / (2 * found[-1] * alarms[-1]))
        return self._average_precision_bound(positives, negatives), fpr, auroc

    def _average_precision_bound(self, positives: Tensor, negatives: Tensor) -> float:
        """Compare with the kindest and the unkindest order of the pixels inside each bin."""
        found, alarms = self.true_positives, self.false_positives
        tie = positives * found / (found + alarms).clamp(min=1)
        # kindest: all anomalies of the bin first; the bin's normal pixels are not yet flagged
        best = positives * found / (found + alarms - negatives).clamp(min=1)
        # unkindest: all normal pixels first, then one anomaly after the other; the sum has a closed form
        before = found + alarms - positives
        worst = positives - alarms * (torch.digamma(before + positives + 1) - torch.digamma(before + 1))
        above, below = (best - tie).sum() / found[-1], (tie - worst).sum() / found[-1]
        return max(float(above), float(below), 0.0)


def require_share(tpr: float) -> None:
    """Raise a ValueError unless ``tpr`` is a share in (0, 1]."""
    if not (0 < tpr <= 1 and math.isfinite(tpr)):
        raise ValueError(f"tpr must be in (0, 1], got {tpr}")
