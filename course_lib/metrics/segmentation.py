"""Mean intersection over union, streaming."""

import torch
from torch import Tensor

from course_lib.labels import CLASS_NAMES, IGNORE, NUM_CLASSES, VOID
from course_lib.metrics.exact import check_tensors


class Confusion:
    """Counts of (true class, predicted class) pairs over all valid pixels."""

    def __init__(self) -> None:
        """Start empty: 19 true classes, 20 predicted ones (the last is void)."""
        self.counts = torch.zeros(NUM_CLASSES, NUM_CLASSES + 1, dtype=torch.int64)

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Add one image or batch.

        Args:
            predicted: class of each pixel, integer 0 to 19, any shape; 19 is void.
            target: train ids 0 to 18 or 255, same shape. Void pixels are left out.

        Raises:
            ValueError: if shapes differ or an id is out of range.
        """
        check_tensors(predicted, target)
        if predicted.shape != target.shape:
            raise ValueError(
                f"prediction {tuple(predicted.shape)}, target {tuple(target.shape)}: need equal shapes"
            )
        valid = target != IGNORE
        predicted, target = predicted[valid].long().cpu(), target[valid].long().cpu()
        for name, ids, end in (("predictions", predicted, VOID), ("targets", target, VOID - 1)):
            if ids.numel() and not (ids.min() >= 0 and ids.max() <= end):
                raise ValueError(f"{name} must be 0 to {end}, got {ids.min()} to {ids.max()}")
        cells = torch.bincount(target * (VOID + 1) + predicted, minlength=self.counts.numel())
        self.counts += cells.view_as(self.counts)

    def iou(self) -> dict[str, float]:
        """Return the intersection over union of each class seen in truth or prediction, a fraction.

        Void predicted on a valid pixel is a miss of the true class. Classes seen in neither are absent.
        """
        hits = self.counts.diagonal()  # void has no row, so it is never a hit
        union = self.counts.sum(1) + self.counts[:, :NUM_CLASSES].sum(0) - hits
        pairs = zip(CLASS_NAMES, hits.tolist(), union.tolist(), strict=True)
        return {name: hit / total for name, hit, total in pairs if total}

    def mean_iou(self) -> float:
        """Return the mean of ``iou`` over the classes it holds, a fraction; higher is better.

        Raises:
            ValueError: if no valid pixel was added.
        """
        values = self.iou().values()
        if not values:
            raise ValueError("no valid pixel was added; are all targets void?")
        return sum(values) / len(values)
