"""Shares of pixels: how frequent a class or an anomaly is, and what chance makes of it."""

from torch import Tensor

from course_lib.labels import IGNORE

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


def chance(is_anomaly: Tensor) -> tuple[float, float]:
    """Return the AuPRC and FPR95 that a random score can expect, fractions.

    Args:
        is_anomaly: bool, any shape, without void pixels.
    """
    return is_anomaly.double().mean().item(), CHANCE_FPR95
