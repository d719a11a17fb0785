"""Somebody else's table in front of you: what its numbers give away."""

import math
from collections.abc import Mapping

from course_lib.evaluation import CHANCE_FPR95
from course_lib.runtime import unknown_name


def explained_by(
    printed: Mapping[str, float], shares: Mapping[str, Mapping[str, float]]
) -> dict[str, str | None]:
    """Return which share of pixels each printed AuPRC is equal to, to two decimals; None if to none.

    Args:
        printed: AuPRC in percent by benchmark, with two decimals.
        shares: by their name, shares in percent by benchmark; of two that fit the first counts.

    >>> explained_by({"one": 1.37, "two": 8.0}, {"prevalence": {"one": 1.3730, "two": 2.0}})
    {'one': 'prevalence', 'two': None}
    """
    found: dict[str, str | None] = {}
    for benchmark, number in printed.items():
        fitting = [
            name for name, by in shares.items() if benchmark in by and round(by[benchmark], 2) == number
        ]
        found[benchmark] = fitting[0] if fitting else None
    return found


def no_knowledge(kind: str, prevalence: float, convention: str) -> tuple[float, float]:
    """Return the AuPRC and FPR95, in percent, that a score gets which knows nothing.

    Args:
        kind: ``constant`` or ``random``.
        prevalence: in percent.
        convention: ``step`` or ``chord``, see ``metrics.FPR_CONVENTIONS``; only a constant score minds.

    Raises:
        ValueError: if the kind is unknown.
    """
    if kind not in ("constant", "random"):
        raise unknown_name("kind", kind, ("constant", "random"))
    flags_all = kind == "constant" and convention == "step"
    return prevalence, 100.0 if flags_all else CHANCE_FPR95


def void_share(prevalence: float, printed: float) -> float:
    """Return how much of all pixels is void, in percent, if a printed AuPRC is chance with void as anomaly.

    Args:
        prevalence: of the pixels that are not void, in percent.
        printed: the AuPRC of a score that knows nothing, in percent; it is anomaly plus void of all pixels.

    >>> round(void_share(50, 75), 6)
    50.0
    """
    return 100 * (printed - prevalence) / (100 - prevalence)


def images_needed(width: float, images: int, wanted: float) -> int:
    """Return how many images an interval of a wanted width takes, if some gave another width.

    The width falls with the square root of the number of images.

    >>> images_needed(width=10, images=30, wanted=5)
    120
    """
    return math.ceil(images * (width / wanted) ** 2)


def luck(seeds: int) -> float:
    """Return how likely two equal trainings have seeds that do not overlap, a fraction.

    Args:
        seeds: runs of each training.

    >>> luck(3)
    0.1
    """
    return 2 / math.comb(2 * seeds, seeds)
