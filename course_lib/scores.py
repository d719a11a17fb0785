"""From logits to one anomaly score per pixel.

Every score is larger where a pixel is more anomalous. All but ``void`` look at the *known classes* only:
those present in the training data. An output that was never trained takes no part, nor does the 20th channel.
"""

import math
from collections.abc import Callable, Sequence
from inspect import signature

import torch
from torch import Tensor

from course_lib.labels import NUM_CLASSES, VOID, Titles
from course_lib.runtime import unknown_name

KnownClasses = Sequence[int] | None


def msp(logits: Tensor, known_classes: KnownClasses = None, temperature: float = 1.0) -> Tensor:
    """Return one minus the maximum softmax probability of each pixel.

    In float32 a network that is surer than 1 - 3e-8 gets exactly 0, the more often the smaller T.

    Args:
        logits: (N, C, H, W).
        known_classes: the channels that take part; by default the 19 train ids.
        temperature: T > 0; the softmax is taken of logits / T.

    Returns:
        Scores (N, H, W) in [0, 1 - 1/K] for K known classes; larger is more anomalous.

    Raises:
        ValueError: if an argument has the wrong shape or range.

    Source: Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples",
    ICLR 2017.
    """
    return 1 - _scaled(logits, known_classes, temperature).softmax(dim=1).amax(dim=1)


def max_logit(logits: Tensor, known_classes: KnownClasses = None) -> Tensor:
    """Return minus the largest logit of each pixel.

    Args:
        logits: (N, C, H, W).
        known_classes: the channels that take part; by default the 19 train ids.

    Returns:
        Scores (N, H, W), any real number; larger is more anomalous.

    Raises:
        ValueError: if an argument has the wrong shape or range.

    Source: Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings", ICML 2022.
    """
    return -_scaled(logits, known_classes).amax(dim=1)


def max_entropy(logits: Tensor, known_classes: KnownClasses = None, temperature: float = 1.0) -> Tensor:
    """Return the entropy of the softmax as a share of the largest possible, log K.

    Args:
        logits: (N, C, H, W).
        known_classes: the channels that take part; by default the 19 train ids.
        temperature: T > 0; the softmax is taken of logits / T.

    Returns:
        Scores (N, H, W) in [0, 1]; larger is more anomalous.

    Raises:
        ValueError: if an argument has the wrong shape or range.

    Source: Chan et al., "Entropy Maximization and Meta Classification for OoD Detection", ICCV 2021.
    """
    log_probability = _scaled(logits, known_classes, temperature).log_softmax(dim=1)
    entropy = -(log_probability.exp() * log_probability).sum(dim=1)
    return (entropy / math.log(log_probability.shape[1])).clamp(min=0, max=1)


def energy(logits: Tensor, known_classes: KnownClasses = None, temperature: float = 1.0) -> Tensor:
    """Return the free energy -T log sum exp(z / T) of each pixel.

    Args:
        logits: (N, C, H, W).
        known_classes: the channels that take part; by default the 19 train ids.
        temperature: T > 0.

    Returns:
        Scores (N, H, W), any real number; larger is more anomalous.

    Raises:
        ValueError: if an argument has the wrong shape or range.

    Source: Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020.
    """
    return -temperature * _scaled(logits, known_classes, temperature).logsumexp(dim=1)


def void(logits: Tensor) -> Tensor:
    """Return log P(void) of each pixel, by a float32 log-softmax over all 20 outputs.

    The logarithm keeps the order of P(void) and does not underflow to 0 as the softmax does.

    Args:
        logits: (N, 20, H, W); the last channel is void.

    Returns:
        Scores (N, H, W), at most 0; larger is more anomalous.

    Raises:
        ValueError: if there are not 20 outputs.
    """
    return _with_void(logits).log_softmax(dim=1)[:, VOID]


def one_minus_void(logits: Tensor) -> Tensor:
    """Return 1 - P(void) as the paper's code did: the sign is wrong, and P(void) underflows to exactly 0.

    It is here to reproduce the paper's Table 3 (protocol ``paper``), not to detect anything.

    Args:
        logits: (N, 20, H, W); the last channel is void.

    Returns:
        Scores (N, H, W) in [0, 1].

    Raises:
        ValueError: if there are not 20 outputs.
    """
    return 1 - _with_void(logits).softmax(dim=1)[:, VOID]


SCORES: dict[str, Callable[..., Tensor]] = {
    "msp": msp,
    "max_logit": max_logit,
    "max_entropy": max_entropy,
    "energy": energy,
    "void": void,
}
"""The scores of the course by name; each takes logits and, where it needs them, the other two arguments."""

TITLES = Titles(msp="MSP", max_logit="MaxLogit", max_entropy="MaxEntropy", energy="Energy", void="Void")
"""How papers write the scores."""


def needs_temperature(name: str) -> bool:
    """Tell whether a temperature changes a score of ``SCORES``; the others ignore it."""
    return "temperature" in signature(SCORES[name]).parameters


def score(name: str, logits: Tensor, known_classes: KnownClasses = None, temperature: float = 1.0) -> Tensor:
    """Return the score called ``name``; arguments that it does not take are left out.

    Args:
        name: a key of ``SCORES``.
        logits: (N, C, H, W).
        known_classes: the channels that take part; by default the 19 train ids.
        temperature: T > 0.

    Returns:
        Scores (N, H, W); larger is more anomalous.

    Raises:
        ValueError: if the name is unknown, or as the score itself.
    """
    if name not in SCORES:
        raise unknown_name("score", name, SCORES)
    offered = {"known_classes": known_classes, "temperature": temperature}
    taken = signature(SCORES[name]).parameters
    return SCORES[name](logits, **{key: value for key, value in offered.items() if key in taken})


def _scaled(logits: Tensor, known_classes: KnownClasses, temperature: float = 1.0) -> Tensor:
    """Return the logits of the known classes divided by the temperature."""
    if logits.dim() != 4 or not logits.is_floating_point():
        raise ValueError(f"need float logits (N, C, H, W), got {logits.dtype} of {tuple(logits.shape)}")
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be a positive number, got {temperature}")
    if known_classes is None:
        known = logits[:, :NUM_CLASSES]
    else:
        outside = [c for c in known_classes if not 0 <= c < logits.shape[1]]
        if outside or len(known_classes) < 2:
            raise ValueError(f"need 2 or more of the {logits.shape[1]} channels, got {list(known_classes)}")
        first, count = known_classes[0], len(known_classes)
        if list(known_classes) == list(range(first, first + count)):
            known = logits[:, first : first + count]  # neighbours are not copied
        else:
            known = logits.index_select(1, torch.tensor(known_classes, device=logits.device))
    return known if temperature == 1 else known / temperature


def _with_void(logits: Tensor) -> Tensor:
    """Return the logits in float32 after checking that void is among them."""
    if logits.dim() != 4 or logits.shape[1] != VOID + 1:
        raise ValueError(
            f"the void score needs {VOID + 1} outputs, void last; got logits of {tuple(logits.shape)}: "
            "choose a network trained with void"
        )
    return logits.float()
