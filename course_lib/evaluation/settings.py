"""What a user chooses for an evaluation, checked before any image is read."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from course_lib import inference, scores
from course_lib.evaluation.protocols import Protocol, find_protocol
from course_lib.labels import NUM_CLASSES, VOID
from course_lib.models import Metadata
from course_lib.runtime import unknown_name

Key = tuple[str, float]
"""Name of a score, and the temperature that it was computed with; 1 where a score ignores it."""

CONSTANT, COLOUR, POSITION = "constant", "colour", "position:"
"""The scores that ``Controls`` adds; the last stands before the name of a network's score."""

FEWEST_RESAMPLES = 40
"""With fewer, the ends of a 95 % interval are the extremes."""


@dataclass(frozen=True)
class Settings:
    """How to evaluate a network."""

    scores: tuple[str, ...] = ("msp", "max_logit", "max_entropy")
    """Names of ``scores.SCORES``; by default the three of the paper."""
    temperatures: tuple[float, ...] = (1.0,)
    """Each is applied to every score that depends on one."""
    protocol: str | Protocol = "benchmark"
    """A name of ``PROTOCOLS``; or another protocol, whose results ``table`` cannot name."""
    size: tuple[int, int] = (512, 1024)
    """Height and width of the network's input, where the protocol leaves the choice."""
    known_classes: tuple[int, ...] = tuple(range(NUM_CLASSES))
    """Channels that take part in all scores but ``void``."""
    resamples: int = 1000
    """Of the bootstrap; 0 leaves the intervals out."""
    seed: int = 0
    """Of the bootstrap."""
    speed: str | inference.Optimizations = "plain"
    """A name of ``inference.SPEEDS``, or optimizations put together by hand."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        """Raise a ValueError that names the first setting that is out of range."""
        find_protocol(self.protocol)
        for name in self.scores:
            if name not in scores.SCORES:
                raise unknown_name("score", name, scores.SCORES)
        if not self.scores:
            raise ValueError(f"no score given; known are {', '.join(scores.SCORES)}")
        if not self.temperatures or not all(0 < t < math.inf for t in self.temperatures):
            raise ValueError(f"temperatures must be positive numbers, got {list(self.temperatures)}")
        if min(self.size) < 1:
            raise ValueError(f"size must be a positive height and width, got {list(self.size)}")
        if self.resamples != 0 and self.resamples < FEWEST_RESAMPLES:
            raise ValueError(f"bootstrap resamples: 0 or at least {FEWEST_RESAMPLES}, got {self.resamples}")
        if self.seed < 0:
            raise ValueError(f"the seed must be 0 or more, got {self.seed}")
        inference.find_optimizations(self.speed)

    @classmethod
    def of(cls, metadata: Metadata, **chosen) -> "Settings":
        """Return the settings for a network: size and known classes are those that it was trained with.

        Args:
            metadata: of the network's checkpoint.
            chosen: other settings, or another size; what is None stays at its default.
        """
        trained = {"size": tuple(metadata.size), "known_classes": tuple(metadata.known_classes)}
        return cls(**trained | {name: value for name, value in chosen.items() if value is not None})

    def score_functions(self) -> dict[Key, Callable[[Tensor], Tensor]]:
        """Return, for each score and temperature, what makes scores (N, H, W) of logits (N, C, H, W)."""
        found = {}
        for name in self.scores:
            for t in self.temperatures if scores.needs_temperature(name) else (1.0,):
                found[name, t] = partial(scores.score, name, known_classes=self.known_classes, temperature=t)
        if "void" in self.scores and find_protocol(self.protocol).inverts_void:
            found["void", 1.0] = scores.one_minus_void
        return found

    def classes_in(self, score: str) -> int | None:
        """Return how many channels take part in a score; None if it does not look at the network."""
        if score in (CONSTANT, COLOUR):
            return None
        return VOID + 1 if score.removeprefix(POSITION) == "void" else len(self.known_classes)
