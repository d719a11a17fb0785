"""The checkpoints that tables are made from: shipped, trained on this machine, or public."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from course_lib import data, models
from course_lib.runtime import data_root

PUBLIC = {
    "erfnet": "erfnet_pretrained.pth",
    "enet": "enet_cityscapes.pth",
    "bisenetv2": "model_final_v2_city.pth",
}
"""Files of ``data_scripts/fetch_*_weights.py``, trained on Cityscapes by cross-entropy."""


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights."""

    path: Path
    model: str

    @cached_property
    def loaded(self) -> tuple[models.Network, models.Metadata]:
        """The network in evaluation mode, and its metadata."""
        return models.load(self.model, self.path)

    @property
    def name(self) -> str:
        """Of steps that are about this file."""
        return f"{self.path.stem}_{self.sha256[:12]}"

    @cached_property
    def sha256(self) -> str:
        """Tells whether two files are the same."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def find(profile: data.Profile, model: str, training: str) -> Checkpoint:
    """Return the checkpoint that stands for a training: shipped, else public, else this machine's seed 0.

    Raises:
        ValueError: if there is none; the message says how to make one.
    """
    for path in _places(profile.name, model, training):
        if path.is_file():
            return Checkpoint(path, model)
    raise ValueError(
        f"no weights; python3 start.py train --profile {profile.name} --model {model} "
        f"--training {training} makes them{_or_fetch(profile, model, training)}"
    )


def runs(profile: data.Profile, model: str, trainings: tuple[str, ...]) -> list[Checkpoint]:
    """Return all finished runs of some trainings on this machine, every seed, in order."""
    folder = models.run_folder(profile.name, model, trainings[0], seed=0).parent
    found = []
    for training in trainings:
        found += sorted(folder.glob(f"{model}_{training}_seed*/{model}_{training}.safetensors"))
    return [Checkpoint(path, model) for path in found]


def _places(profile: str, model: str, training: str) -> Iterator[Path]:
    yield models.shipped_file(profile, model, training)
    if (profile, training) == ("cityscapes", "ce"):
        yield data_root() / "weights" / PUBLIC[model]
    yield models.run_folder(profile, model, training, seed=0) / f"{model}_{training}.safetensors"


def _or_fetch(profile: data.Profile, model: str, training: str) -> str:
    public = (profile.name, training) == ("cityscapes", "ce")
    return f", or python data_scripts/fetch_{model}_weights.py fetches public ones" if public else ""
