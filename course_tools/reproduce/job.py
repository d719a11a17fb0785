"""What is asked for, and what this machine has for it."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from course_lib import data, evaluation, models
from course_lib.evaluation.protocols import PROTOCOLS
from course_lib.runtime import unknown_name

NUMBERS = (1, 2, 3, 4)
"""Of the paper's tables, and of its figures."""


@dataclass(frozen=True)
class Job:
    """Which of the paper's tables and figures to make, and how."""

    profile: data.Profile
    folder: Path
    """For the results, and for what an interrupted job has measured so far."""
    tables: tuple[int, ...] = NUMBERS
    figures: tuple[int, ...] = NUMBERS
    protocol: str = "benchmark"
    resamples: int = 1000
    seed: int = 0
    """Of the bootstrap."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    publish: Path | None = None
    """For a copy of all that holds no image of a data set, with a page in Markdown."""

    def __post_init__(self) -> None:
        """Raise a ValueError before any work is done."""
        for kind, asked in (("table", self.tables), ("figure", self.figures)):
            for number in asked:
                if number not in NUMBERS:
                    raise unknown_name(kind, str(number), map(str, NUMBERS))
        if self.protocol not in PROTOCOLS:
            raise unknown_name("protocol", self.protocol, PROTOCOLS)
        if self.resamples < evaluation.FEWEST_RESAMPLES:
            raise ValueError(
                f"intervals and marks need {evaluation.FEWEST_RESAMPLES} resamples or more, "
                f"got {self.resamples}"
            )

    def settings(self, metadata: models.Metadata, **chosen) -> evaluation.Settings:
        """Return the settings for one network."""
        return evaluation.Settings(
            protocol=self.protocol,
            size=tuple(metadata.size),
            known_classes=tuple(metadata.known_classes),
            resamples=self.resamples,
            seed=self.seed,
            device=self.device,
            **chosen,
        )


@dataclass
class Missing:
    """What could not be done, and why; each said once."""

    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, why: object) -> None:
        """Remember the first reason."""
        if what not in self.reasons:
            self.reasons[what] = str(why)


def samples(profile: data.Profile, split: str, missing: Missing):
    """Return a split of the profile's training data; None if it is not here."""
    try:
        return data.SEGMENTATION_SETS[profile.name](split)
    except (FileNotFoundError, ValueError) as error:
        missing.add(f"{profile.name} {split} (mean IoU, controls, fitted temperature)", error)
        return None
