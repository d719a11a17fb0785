"""How each network is trained, one table; and what it can be trained to tell apart, another."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from course_lib.labels import NUM_CLASSES
from course_lib.losses import class_weights
from course_lib.models import Network


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
    with_outliers: bool = False
    """Whether pieces of other images are pasted into each; it goes on from trained weights."""


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
    "energy": Training("CE + energy", ("ce", "energy"), with_outliers=True),
}
"""The trainings of the paper, a control, and outlier exposure. FL: focal loss, LN: LogitNorm, EIML: IsoMax+.
Second terms read the same logits without LogitNorm's division or EIML's factor 10. ``ce_scale10`` has the
factor without distances or prototypes: what the paper's script trained under the name EIML. ``energy`` goes
on from trained weights; with the term weights 1 and 0 it is its own control: the same images, and nothing
learnt from what is pasted in."""

FINE_TUNING = 0.2
"""Times the learning rate where a run goes on from trained weights."""


def training_title(name: str) -> str:
    """Return how papers write a training; one that is not ours, such as ``public``, keeps its name."""
    return TRAININGS[name].title if name in TRAININGS else name


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

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
    encoder_factor: float = 1.0
    """Times the learning rate for an encoder that was trained before."""

    def terms_of(self, training: Training) -> tuple[str, ...]:
        """Return the keys of ``LOSSES`` to train with; each term is summed over all heads of the network."""
        return (self.plain,) if training.terms == ("ce",) else training.terms

    def schedule(self, step: int, steps: int) -> float:
        """Return by what the learning rate is multiplied in a step, 0 to ``steps``: warm-up, then poly."""
        rise = min(1.0, (step + 1) / (1 + self.warm_up * steps))
        return rise * max(0, 1 - step / steps) ** 0.9

    def parameter_groups(self, network: Network, rate: float, encoder_is_trained: bool) -> list[dict]:
        """Return the parameters in as few groups as they differ in decay and learning rate.

        Args:
            network: any network.
            rate: the learning rate, that of the first group.
            encoder_is_trained: whether the network's encoder begins with weights that were trained before.
        """
        groups: dict[tuple[bool, bool], dict] = {}
        for name, parameter in network.named_parameters():
            if not parameter.requires_grad:
                continue
            slow = encoder_is_trained and self.encoder_factor != 1 and network.is_encoder(name)
            spared = not self.decays_vectors and parameter.dim() < 2
            own = {"params": [], "lr": rate * (self.encoder_factor if slow else 1)}
            own |= {"weight_decay": 0.0} if spared else {}
            groups.setdefault((slow, spared), own)["params"].append(parameter)
        return [groups[key] for key in sorted(groups)]


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
    "efficientnet_lite0": Recipe(
        AdamW,
        learning_rate=1e-3 / 3,  # 1e-3 on a CPU in mini and camvid, where it was tried out
        weight_decay=1e-2,
        weighting=partial(class_weights, constant=1.10),
        warm_up=0.03,
        encoder_factor=0.3,
    ),
}
"""One recipe per network. Sources: Romera et al., IEEE T-ITS 2018; Paszke et al., "ENet", 2016; Yu et al.,
"BiSeNet V2", 2020, with OHEM and what decays from the public CoinCheung/BiSeNet, whose
warm-up is exponential; ours is linear. That of EfficientNet-Lite0 is ours, as its decoder is."""
