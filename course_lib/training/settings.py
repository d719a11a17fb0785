"""What a user chooses for a training run, checked before any image is read."""

import math
import os
from dataclasses import asdict, dataclass, fields

import torch

from course_lib.data import SEGMENTATION_SETS, find_profile
from course_lib.inference import PRECISIONS
from course_lib.runtime import unknown_name
from course_lib.training.recipes import FINE_TUNING, RECIPES, TRAININGS, Recipe

FREE_TO_CHANGE = {"device", "accumulate", "workers", "validate_every", "checkpoint_every"}
"""Settings that a resumed run may change. With another device the last bits differ; with another number of
parts also the statistics of batch normalisation, and which pixels OHEM finds hard."""


@dataclass(frozen=True)
class TrainingSettings:
    """One training run; equal settings on the same machine give equal weights, bit for bit.

    The exceptions are BiSeNetV2 and EfficientNet-Lite0 on CUDA: gradients of their bilinear enlargement are
    added up in no fixed order.
    """

    model: str
    training: str
    """A key of ``TRAININGS``."""
    profile: str
    size: tuple[int, int]
    """Height and width of the training images, in pixels."""
    batch: int
    """Images per optimiser step, over all processes."""
    epochs: int
    learning_rate: float
    seed: int = 0
    term_weights: tuple[float, ...] | None = None
    """By how much each term of the loss counts; by default 1."""
    encoder: str | None = None
    """A checkpoint of the same network whose encoder is where this run begins, or ``imagenet`` for the one of
    ``models.imagenet_encoder``; by default it is random."""
    start: str | None = None
    """A checkpoint of the same network where this run begins, all of it; what batch normalisation has counted
    stays as it is."""
    decoder_only: bool = False
    """Whether the encoder of ``start`` stays as it is."""
    accumulate: int = 1
    """In how many parts a batch is worked through, to save memory."""
    precision: str = "fp32"
    """One of ``inference.PRECISIONS``, of convolutions; weights and losses are always float32."""
    device: str = "cpu"
    workers: int = 0
    """Processes that prepare images; 0 does it in this one."""
    validate_every: int = 5
    """Epochs between two measurements of mean IoU; the last epoch is always measured."""
    checkpoint_every: int = 500
    """Steps between two checkpoints within an epoch; each epoch ends with one."""

    def __post_init__(self) -> None:
        """Raise a ValueError that names the first setting that is out of range."""
        for kind, name, known in (
            ("network", self.model, RECIPES),
            ("training", self.training, TRAININGS),
            ("precision", self.precision, PRECISIONS),
        ):
            if name not in known:
                raise unknown_name(kind, name, known)
        if not find_profile(self.profile).trains:
            raise ValueError(f"nothing is trained in profile {self.profile}, whose networks are public ones")
        least_one = ("batch", "epochs", "accumulate", "validate_every", "checkpoint_every")
        for name, least in (dict.fromkeys(least_one, 1) | {"workers": 0, "seed": 0}).items():
            value, shown = getattr(self, name), name.replace("_", " ")
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{shown} must be a whole number, at least {least}; got {value!r}")
        if self.accumulate > self.batch:
            raise ValueError(f"a batch of {self.batch} cannot be split into {self.accumulate} parts")
        # batch statistics need more than one value at the lowest resolution
        if len(self.size) != 2 or not all(isinstance(side, int) and side >= 16 for side in self.size):
            raise ValueError(
                f"size must be a height and a width in pixels, each 16 or more; got {list(self.size)}"
            )
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"the learning rate must be a positive number, got {self.learning_rate}")
        if self.start and self.encoder:
            raise ValueError("a run begins with a whole network (start) or with an encoder, not with both")
        if not self.start and (self.decoder_only or TRAININGS[self.training].with_outliers):
            what = "training the decoder only" if self.decoder_only else f"training {self.training}"
            raise ValueError(f"{what} goes on from trained weights: add --start FILE")
        names = TRAININGS[self.training].terms
        weights = (1.0,) * len(names) if self.term_weights is None else self.term_weights
        if len(weights) != len(names):
            raise ValueError(
                f"training {self.training} has the loss terms {', '.join(names)}, got weights {weights}"
            )
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise ValueError(f"weights of loss terms must be 0 or more, one above 0; got {weights}")

    @property
    def recipe(self) -> Recipe:
        """How the network is trained."""
        return RECIPES[self.model]

    @property
    def num_classes(self) -> int:
        """How many outputs the network has: 19, or 20 with void."""
        return TRAININGS[self.training].outputs

    @property
    def head(self) -> str:
        """The kind of the network's last layer."""
        return TRAININGS[self.training].head

    @property
    def weights_name(self) -> str:
        """The name of the file of the finished weights, in the run's folder."""
        return f"{self.model}_{self.training}.safetensors"

    @property
    def terms(self) -> dict[str, float]:
        """The weight of each term of the loss, by its key of ``LOSSES``."""
        names = self.recipe.terms_of(TRAININGS[self.training])
        return dict(zip(names, self.term_weights or (1.0,) * len(names), strict=True))

    def samples(self, split: str):
        """Open a split of the profile's training set.

        Raises:
            FileNotFoundError: if it is missing; the message names the folder.
        """
        return SEGMENTATION_SETS[find_profile(self.profile).scenes](split)

    def differences(self, saved: dict) -> list[str]:
        """Say in which settings another run differs, but for those that are free to change."""
        mine = {name: value for name, value in asdict(self).items() if name not in FREE_TO_CHANGE}
        theirs = {field.name: field.default for field in fields(self)} | saved  # it may have known fewer
        theirs["size"] = tuple(theirs["size"])
        return [f"{n} {theirs[n]} instead of {v}" for n, v in mine.items() if theirs[n] != v]


def settings_for(profile: str, model: str, device: torch.device, **chosen) -> TrainingSettings:
    """Return the settings of a profile for a network and a device; ``chosen`` replaces single ones.

    Args:
        profile: a key of ``PROFILES``.
        model: a key of ``RECIPES``.
        device: decides between the profile's numbers for CPUs and for accelerators.
        chosen: fields of ``TrainingSettings``; None leaves the default.

    Raises:
        ValueError: if a name is unknown or a number out of range.
    """
    numbers = find_profile(profile).numbers(device)
    if model not in RECIPES:
        raise unknown_name("network with a training recipe", model, RECIPES)
    recipe = RECIPES[model]
    cores = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # that torchrun started here
    given = {name: value for name, value in chosen.items() if value is not None}
    batch, slower = given.get("batch", numbers.batch), FINE_TUNING if given.get("start") else 1.0
    larger = batch / recipe.batch if recipe.batch else 1.0
    defaults = {
        "model": model,
        "profile": profile,
        "device": str(device),
        "training": "ce",
        "size": numbers.size,
        "batch": batch,
        "epochs": numbers.epochs,
        "learning_rate": slower * numbers.rate_factor * (recipe.learning_rate * larger),
        # a GPU would wait for one process; on a CPU the network needs all cores itself
        "workers": 0 if device.type == "cpu" else min(8, cores),
    }
    return TrainingSettings(**defaults | given)
