"""How a network in training does on images that it does not learn from."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Subset

from course_lib import evaluation
from course_lib.data import Sample
from course_lib.labels import IGNORE, VOID, void_as_class
from course_lib.metrics import Confusion
from course_lib.training import parallel, ranks
from course_lib.training.logs import IOU, VALIDATION_LOSS
from course_lib.training.run import TrainingRun


def validate(run: TrainingRun, samples: Sequence[Sample], known_classes: Sequence[int]) -> dict[str, float]:
    """Measure loss, mean IoU and the IoU of each class, all at the size of the targets.

    Several processes share the images, and all get the result.

    Args:
        run: its network, loss and settings.
        samples: images with targets of train ids and 255.
        known_classes: those in the training data. Pixels of other classes have no part in the loss: an output
            that was never trained can only be wrong.

    Returns:
        ``validation_loss`` (of the network's own logits, without auxiliary heads; lower is better), ``miou``
        and one ``iou_...`` per class (fractions; higher is better).
    """
    settings = evaluation.Settings(
        size=run.settings.size, known_classes=tuple(known_classes), device=run.device
    )
    parallel.same_buffers(run.network)
    counts, sums = Confusion(), torch.zeros(2, dtype=torch.float64)
    share = Subset(samples, ranks.mine(range(len(samples))))
    for one in evaluation.segmented(run.network, share, settings, progress=False):
        target = one.sample.target.long()
        counts.update(one.predicted, target)
        sums += run.loss_sums(one.logits[None], _learnable(target, known_classes, run)[None])
    ranks.total(counts.counts)
    ranks.total(sums)
    ious = {IOU + name: value for name, value in counts.iou().items()}
    return {VALIDATION_LOSS: (sums[0] / sums[1].clamp(min=1e-12)).item(), "miou": counts.mean_iou()} | ious


def _learnable(target: Tensor, known_classes: Sequence[int], run: TrainingRun) -> Tensor:
    """Return a target as the loss reads it, without the classes that training did not show."""
    unknown = ~torch.isin(target, torch.tensor([*known_classes, IGNORE]))
    learnt = void_as_class(target) if run.settings.num_classes > VOID else target
    return learnt.masked_fill(unknown, IGNORE)
