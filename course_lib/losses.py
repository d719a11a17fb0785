"""Training losses, and the class weights they share.

Every loss is a weighted mean over the valid pixels of the *whole* accumulated batch: the sum of w * l divided
by the sum of w. The functions here return the sums, so that a batch can be worked through in parts. Only OHEM
is no such mean: it looks for the hard pixels of each part, so its value depends on the parts.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.labels import IGNORE


def class_weights(shares: Tensor, constant: float) -> Tensor:
    """Return the weight of each class: 1 / log(constant + share), so that rare classes count more.

    Args:
        shares: share of each class among the valid pixels, fractions that add up to 1, shape (C,).
        constant: above 1; the nearer to 1, the larger the spread (ERFNet 1.10, ENet 1.02).

    Returns:
        float32 (C,); a class that never occurs gets the largest weight, which is then never used.

    Raises:
        ValueError: if the shares do not add up to 1 or the constant is not above 1.

    Source: Paszke et al., "ENet", 2016, section 5.2.

    >>> class_weights(torch.tensor([0.9, 0.1]), 1.10)
    tensor([1.4427, 5.4848])
    """
    if constant <= 1 or not abs(shares.sum().item() - 1) < 1e-3:
        raise ValueError(
            f"need shares that add up to 1 and a constant above 1, got {shares.sum():g} and {constant}"
        )
    return (1 / torch.log(constant + shares.double())).float()


def weight_sum(target: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of the class weights over the valid pixels: the denominator of every loss.

    Args:
        target: train ids, ``IGNORE`` where void, any shape.
        weights: of each class, shape (C,).
    """
    return weights[target[target != IGNORE]].sum()


def cross_entropy_sum(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of weight * cross-entropy over the valid pixels.

    Args:
        logits: (N, C, H, W).
        target: train ids, ``IGNORE`` where void, int64 (N, H, W).
        weights: of each class, shape (C,).

    Returns:
        A scalar, 0 if all pixels are void; divide by ``weight_sum``.
    """
    return F.cross_entropy(logits, target, weights, ignore_index=IGNORE, reduction="sum")


OHEM_PROBABILITY = 0.7
"""A pixel is hard if its own class gets less than this."""

OHEM_FEWEST = 16
"""At least one in so many valid pixels takes part, hard or not."""


def ohem_sum(
    logits: Tensor, target: Tensor, weights: Tensor, probability: float = OHEM_PROBABILITY
) -> Tensor:
    """Return the mean cross-entropy of the hard pixels times the weight of all valid pixels.

    Easy pixels, of which a street has most, no longer drown the others (online hard example mining). Divided
    by ``weight_sum`` this is the mean over the hard pixels. Of a batch in parts it is the mean of the parts,
    each by its share of the valid pixels; the hard pixels are then those of each part, which need not be
    those of the whole batch. Training on several GPUs does the same.

    Args:
        logits: (N, C, H, W).
        target: train ids, ``IGNORE`` where a pixel takes no part, int64 (N, H, W).
        weights: of each class, shape (C,); they do not decide which pixels are hard.
        probability: pixels whose own class gets less are hard; where they are fewer than a sixteenth of the
            valid pixels, the hardest sixteenth is taken.

    Returns:
        A scalar, 0 if no pixel takes part.

    Source: Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR
    2016; in this form the public CoinCheung/BiSeNet.
    """
    valid = target != IGNORE
    losses = F.cross_entropy(logits, target, ignore_index=IGNORE, reduction="none")[valid]
    kept = max(int((losses > -math.log(probability)).sum()), len(losses) // OHEM_FEWEST)
    hardest, where = losses.topk(kept, sorted=False)
    of_hardest, of_all = weights[target[valid][where]], weight_sum(target, weights)
    return (of_hardest * hardest).sum() / of_hardest.sum().clamp(min=1e-12) * of_all


LossTerm = Callable[[Tensor, Tensor, Tensor], Tensor]

LOSSES: dict[str, dict[str, LossTerm]] = {
    "ce": {"ce": cross_entropy_sum},
    "ohem": {"ohem": ohem_sum},
}
"""The terms of every loss by name; a loss is their sum."""
