"""What a user chooses for an evaluation, checked before any image is read."""

import math
from dataclasses import dataclass, field

import torch

from course_lib import inference
from course_lib import scores as score_functions
from course_lib.evaluation import protocols
from course_lib.labels import NUM_CLASSES, VOID
from course_lib.models import Metadata
from course_lib.runtime import unknown_name

CONSTANT = "constant"
"""The control that gives every pixel the same score: chance."""

POSITION = "position:"
"""Before a score's name: the control that gives every image the mean score map of the validation images."""

COLOUR = "colour"
"""The control that looks at the colour of a pixel alone."""

FEWEST_RESAMPLES = 40
"""With fewer, the ends of a 95 % interval are the extremes."""


@dataclass(frozen=True)
class Settings:
    """How to evaluate a network."""

    scores: tuple[str, ...] = ("msp", "max_logit", "max_entropy")
    """Names of ``scores.SCORES``; by default the three of the paper."""
    temperatures: tuple[float, ...] = (1.0,)
    """Each is applied to every score that depends on one."""
    protocol: str | protocols.Protocol = "benchmark"
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
    """A name of ``inference.SPEEDS``, or steps put together by hand."""
    processes: int = 1
    """That share the images of a benchmark; the result is the same. Several GPUs are given out in turn."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        """Raise a ValueError that names the first setting that is out of range."""
        protocols.find(self.protocol)
        for name in self.scores:
            if name not in score_functions.SCORES:
                raise unknown_name("score", name, score_functions.SCORES)
        if not self.scores:
            raise ValueError(f"no score given; known are {', '.join(score_functions.SCORES)}")
        if not self.temperatures or not all(0 < t < math.inf for t in self.temperatures):
            raise ValueError(f"temperatures must be positive numbers, got {list(self.temperatures)}")
        if min(self.size) < 1:
            raise ValueError(f"size must be a positive height and width, got {list(self.size)}")
        if self.resamples != 0 and self.resamples < FEWEST_RESAMPLES:
            raise ValueError(f"bootstrap resamples: 0 or at least {FEWEST_RESAMPLES}, got {self.resamples}")
        if self.seed < 0:
            raise ValueError(f"the seed must be 0 or more, got {self.seed}")
        if self.processes < 1:
            raise ValueError(f"need one process or more, got {self.processes}")
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

    def with_temperatures(self) -> list[tuple[str, float]]:
        """Return each (score, temperature) to compute; a score that ignores T appears once, with T = 1."""
        pairs = []
        for name in self.scores:
            matters = score_functions.needs_temperature(name)
            pairs += [(name, t) for t in (self.temperatures if matters else (1.0,))]
        return list(dict.fromkeys(pairs))

    def classes_in(self, score: str) -> int | None:
        """Return how many channels take part in a score; None if it does not look at the network."""
        if score in (CONSTANT, COLOUR):
            return None
        return VOID + 1 if score.removeprefix(POSITION) == "void" else len(self.known_classes)
