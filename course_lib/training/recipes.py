"""How each network is trained, as its authors did: one table; and what it can be trained to tell apart."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from course_lib.labels import NUM_CLASSES
from course_lib.losses import class_weights


@dataclass(frozen=True)
class Training:
    """What a network learns, and by which loss."""

    title: str
    """How papers write it."""
    terms: tuple[str, ...]
    """Keys of ``LOSSES``; the loss is their weighted sum."""
    outputs: int = NUM_CLASSES
    """The 19 classes, or void as a 20th beside them."""
    head: str = "linear"
    """The kind of the last layer, one of ``models.HEADS``; all terms read its logits."""


TRAININGS = {
    "ce": Training("CE", ("ce",)),
    "void": Training("CE with void", ("ce",), outputs=NUM_CLASSES + 1),
    "fl": Training("FL", ("fl",)),
    "ln": Training("LN", ("ln",)),
    "ln_ce": Training("LN + CE", ("ln", "ce")),
    "ln_fl": Training("LN + FL", ("ln", "fl")),
    "eiml": Training("EIML", ("eiml",), head="isomax"),
    "eiml_ce": Training("EIML + CE", ("eiml", "ce"), head="isomax"),
    "eiml_fl": Training("EIML + FL", ("eiml", "fl"), head="isomax"),
    "ce_scale10": Training("CE of 10 z", ("ce_scale10",)),
}
"""The trainings of the paper, and a control. FL: focal loss, LN: LogitNorm, EIML: IsoMax+. Second terms read
the same logits without LogitNorm's division or EIML's factor 10. ``ce_scale10`` has the factor without
distances or prototypes: what the paper's script trained under the name EIML."""


def training_title(name: str) -> str:
    """Return how papers write a training; one that is not ours, such as ``public``, keeps its name."""
    return TRAININGS[name].title if name in TRAININGS else name


@dataclass(frozen=True)
class Recipe:
    """How the authors of a network trained it."""

    optimizer: Callable[..., Optimizer]
    """Takes groups of parameters, ``lr`` and ``weight_decay``."""
    learning_rate: float
    """Of the first step, or the highest one if there is a warm-up."""
    weight_decay: float
    weighting: Callable[[Tensor], Tensor]
    """From the share of each class to its weight in the loss."""
    plain: str = "ce"
    """The key of ``LOSSES`` that stands for cross-entropy where a training has no other term."""
    batch: int | None = None
    """Images per step that the learning rate is meant for; it grows with them. None: it does not (Adam)."""
    decays_vectors: bool = True
    """Whether biases and the scales of batch normalisation decay like other weights."""
    warm_up: float = 0.0
    """In which share of all steps the learning rate rises from 0."""

    def terms_of(self, training: Training) -> tuple[str, ...]:
        """Return the keys of ``LOSSES`` to train with; each term is summed over all heads of the network."""
        return (self.plain,) if training.terms == ("ce",) else training.terms

    def schedule(self, step: int, steps: int) -> float:
        """Return by what the learning rate is multiplied in a step, 0 to ``steps``: warm-up, then poly."""
        rise = min(1.0, (step + 1) / (1 + self.warm_up * steps))
        return rise * max(0, 1 - step / steps) ** 0.9

    def parameter_groups(self, network: nn.Module) -> list[dict]:
        """Return the parameters in one group, or those that do not decay in a second one."""
        parameters = list(network.parameters())
        if self.decays_vectors:
            return [{"params": parameters}]
        vectors = [parameter for parameter in parameters if parameter.dim() < 2]
        others = [parameter for parameter in parameters if parameter.dim() >= 2]
        return [{"params": others}, {"params": vectors, "weight_decay": 0.0}]


RECIPES = {
    "erfnet": Recipe(Adam, 5e-4, weight_decay=1e-4, weighting=partial(class_weights, constant=1.10)),
    "enet": Recipe(Adam, 5e-4, weight_decay=2e-4, weighting=partial(class_weights, constant=1.02)),
    "bisenetv2": Recipe(
        partial(SGD, momentum=0.9),
        learning_rate=5e-2,
        weight_decay=5e-4,
        weighting=torch.ones_like,
        plain="ohem",
        batch=16,
        decays_vectors=False,
        warm_up=1000 / 150_000,
    ),
}
"""One recipe per network. Sources: Romera et al., IEEE T-ITS 2018; Paszke et al., "ENet", 2016; Yu et al.,
"BiSeNet V2", 2020, with OHEM and what decays from the public CoinCheung/BiSeNet, whose
warm-up is exponential; ours is linear."""
