"""Training losses, and the class weights they share.

Every loss is a weighted mean over the valid pixels of the *whole* accumulated batch: the sum of w * l divided
by the sum of w. The functions here return the sums, so that a batch can be worked through in parts. Only OHEM
is no such mean: it looks for the hard pixels of each part, so its value depends on the parts.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.labels import IGNORE, OUTLIER
from course_lib.runtime import unknown_name


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
        target: train ids, any shape; ``IGNORE`` and ``OUTLIER`` are no classes and have no part in it.
        weights: of each class, shape (C,).
    """
    return weights[target[(target != IGNORE) & (target != OUTLIER)]].sum()


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


def ohem_sum(logits: Tensor, target: Tensor, weights: Tensor, probability: float = 0.7) -> Tensor:
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
    kept = max(int((losses > -math.log(probability)).sum()), len(losses) // 16)
    hardest, where = losses.topk(kept, sorted=False)
    of_hardest, of_all = weights[target[valid][where]], weight_sum(target, weights)
    return (of_hardest * hardest).sum() / of_hardest.sum().clamp(min=1e-12) * of_all


def focal_sum(logits: Tensor, target: Tensor, weights: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the sum of weight * (1 - p)^gamma * cross-entropy over the valid pixels; p is of the true class.

    Args:
        logits: (N, C, H, W).
        target: train ids, ``IGNORE`` where void, int64 (N, H, W).
        weights: of each class, shape (C,).
        gamma: how strongly it turns away from pixels that are right already, 0 or more; 0 gives
            ``cross_entropy_sum``.

    Returns:
        A scalar, 0 if all pixels are void; divide by ``weight_sum``.

    Raises:
        ValueError: if gamma is negative, which would favour the easy pixels.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, without its alpha.
    """
    if not gamma >= 0:
        raise ValueError(f"gamma must be 0 or more, got {gamma}")
    valid = target != IGNORE
    losses = F.cross_entropy(logits, target, ignore_index=IGNORE, reduction="none")[valid]
    wrong = -torch.expm1(-losses)  # 1 - p, exact where p is near 1
    # the power has no finite gradient at 0 for gamma below 1
    factors = wrong.clamp(min=torch.finfo(wrong.dtype).tiny) ** gamma
    return (weights[target[valid]] * factors * losses).sum()


def logit_norm_sum(
    logits: Tensor,
    target: Tensor,
    weights: Tensor,
    known_classes: Sequence[int] | None = None,
    temperature: float = 0.04,
) -> Tensor:
    """Return the sum of weight * cross-entropy of ``z / (t (|z| + 1e-7))``, whose length says nothing.

    Args:
        logits: z, (N, C, H, W).
        target: known train ids, ``IGNORE`` where void, int64 (N, H, W).
        weights: of each class, shape (C,).
        known_classes: the channels that take part, in the length and in the softmax; by default all.
        temperature: t > 0, small: else no pixel's loss could become small.

    Returns:
        A scalar, 0 if all pixels are void, infinite if a target is not known; divide by ``weight_sum``.

    Source: Wei et al., "Mitigating Neural Network Overconfidence with Logit Normalization", ICML 2022.
    """
    untrained = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
    if known_classes is not None:
        untrained[[c for c in range(logits.shape[1]) if c not in known_classes]] = True
    untrained = untrained.view(-1, 1, 1)
    known = logits.masked_fill(untrained, 0)
    length = torch.linalg.vector_norm(known, dim=1, keepdim=True)
    normalised = known / (length + 1e-7) / temperature
    return cross_entropy_sum(normalised.masked_fill(untrained, -math.inf), target, weights)


ENTROPIC_SCALE = 10.0
"""Logits are multiplied by this in the loss alone, never when a pixel is scored."""


def isomax_sum(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of weight * cross-entropy of 10 times the logits.

    Of minus distances to prototypes (``models.IsoMaxPlus``) this is the loss of IsoMax+, here called EIML;
    of ordinary logits it is what the paper's script trained under that name, our control ``ce_scale10``.

    Args:
        logits: (N, C, H, W).
        target: train ids, ``IGNORE`` where void, int64 (N, H, W).
        weights: of each class, shape (C,).

    Returns:
        A scalar, 0 if all pixels are void; divide by ``weight_sum``.

    Source: Macêdo and Ludermir, "Enhanced Isotropy Maximization Loss", 2021.
    """
    return cross_entropy_sum(ENTROPIC_SCALE * logits, target, weights)


def energy_hinge(energies: Tensor, is_outlier: Tensor, margins: tuple[float, float]) -> Tensor:
    """Return by how much ordinary pixels lie above one energy, and outliers below another; squared, means.

    An energy is counted from the first margin, in units of the distance between both: e is 0 at the one and 1
    at the other. The loss is the mean of relu(e)^2 over ordinary pixels plus that of relu(1 - e)^2 over
    outliers.

    Args:
        energies: minus log sum exp of the logits, any shape; higher is more anomalous.
        is_outlier: bool, of the same shape.
        margins: the energy that ordinary pixels should not exceed, and the higher one that outliers should.

    Returns:
        A scalar, lower is better; of pixels of one kind alone it has one mean.

    Raises:
        ValueError: if the second margin is not above the first.

    Source: Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020, equation 8, with a unit.
    """
    inside, outside = margins
    if not inside < outside:
        raise ValueError(f"the margin of outliers must lie above that of ordinary pixels, got {margins}")
    level = (energies - inside) / (outside - inside)
    squares = F.relu(level[~is_outlier]).square(), F.relu(1 - level[is_outlier]).square()
    return sum(part.sum() / max(1, part.numel()) for part in squares)


def energy_hinge_sum(
    logits: Tensor,
    target: Tensor,
    weights: Tensor,
    known_classes: Sequence[int] | None = None,
    margins: tuple[float, float] = (0.0, 1.0),
) -> Tensor:
    """Return ``energy_hinge`` of a batch times the weight of its valid pixels, to be divided by that again.

    Args:
        logits: (N, C, H, W).
        target: known train ids, ``IGNORE`` where void, ``OUTLIER`` where strange, int64 (N, H, W).
        weights: of each class, shape (C,); they do not weigh the energies.
        known_classes: the channels that take part; by default all.
        margins: as for ``energy_hinge``.

    Returns:
        A scalar; of a batch in parts, as with OHEM, it depends on the parts.
    """
    known = logits if known_classes is None else logits[:, list(known_classes)]
    valid = target != IGNORE
    energies = -known.logsumexp(dim=1)[valid]
    return energy_hinge(energies, target[valid] == OUTLIER, margins) * weight_sum(target, weights)


LossTerm = Callable[[Tensor, Tensor, Tensor], Tensor]

LOSSES: dict[str, LossTerm] = {
    "ce": cross_entropy_sum,
    "ohem": ohem_sum,
    "fl": focal_sum,
    "ln": logit_norm_sum,
    "eiml": isomax_sum,
    "ce_scale10": isomax_sum,
    "energy": energy_hinge_sum,
}
"""Every term by name; a loss is one of them or a weighted sum of several."""

SEE_OUTLIERS = {"energy"}
"""The terms that are told which pixels are ``OUTLIER``; to all others these are void."""


def find_term(
    name: str, known_classes: Sequence[int] | None = None, margins: tuple[float, float] | None = None
) -> LossTerm:
    """Return a term of ``LOSSES``, told the known classes and the margins of energies if it asks for them.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in LOSSES:
        raise unknown_name("loss term", name, LOSSES)
    wanted, told = signature(LOSSES[name]).parameters, {"known_classes": known_classes, "margins": margins}
    told = {name: value for name, value in told.items() if name in wanted and value is not None}
    return partial(LOSSES[name], **told) if told else LOSSES[name]
