"""One number that makes confidence fit, learnt on validation images and never on a benchmark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib import evaluation
from course_lib.data import Sample
from course_lib.labels import IGNORE
from course_lib.models import Network

RANGE = (1e-3, 1e3)
"""Temperatures that are looked at."""

PIXELS = 1_000_000
"""Valid pixels that a temperature is fitted on, drawn from all images alike: memory does not grow."""


CHUNK = 100_000
"""Pixels that are looked at together."""


@dataclass(frozen=True)
class FittedTemperature:
    """The temperature with the lowest negative log-likelihood."""

    temperature: float
    nll_before: float
    """Mean over the pixels at T = 1, in nats."""
    nll_after: float
    """The same at ``temperature``: never higher."""
    pixels: int


def fit_temperature(logits: Tensor, target: Tensor) -> FittedTemperature:
    """Return the temperature that fits best.

    The negative log-likelihood is convex in 1 / T, so its slope changes sign once. That place is searched
    between brackets: there is no start to choose and nothing that could diverge.

    Args:
        logits: (K, C), of the known classes only.
        target: the number of the true channel, int64 (K,), without void.

    Returns:
        The temperature, from ``RANGE``; an end of it if the slope has one sign, for example where every pixel
        is right (then surer is always better).

    Raises:
        ValueError: if there is no pixel, or a logit is not finite.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
    """
    if not len(target) or not logits.isfinite().all():
        wrong = int((~logits.isfinite()).sum())
        got = f"{tuple(logits.shape)} with {wrong} that are not finite"
        raise ValueError(f"need finite logits of one pixel or more, got {got}")
    logits = logits - logits.amax(dim=1, keepdim=True)
    of_truth = logits.gather(1, target[:, None]).double().mean().item()

    def slope(log_temperature: float) -> float:
        """Return the derivative of the mean negative log-likelihood with respect to 1 / T."""
        temperature = math.exp(log_temperature)
        parts = (part.double() for part in logits.split(CHUNK))
        expected = sum(((part / temperature).softmax(dim=1) * part).sum().item() for part in parts)
        return expected / len(logits) - of_truth

    low, high = map(math.log, RANGE)
    if slope(low) <= 0:  # a smaller T would still lower it
        best = low
    elif slope(high) >= 0:
        best = high
    else:
        from scipy.optimize import brentq  # here: a second to load, for this alone

        best = brentq(slope, low, high, xtol=1e-6)
    temperature = math.exp(best)
    before, after = _nll(logits, target, 1.0), _nll(logits, target, temperature)
    return FittedTemperature(temperature, before, after, len(target))


def _nll(logits: Tensor, target: Tensor, temperature: float) -> float:
    """Return the mean negative log-likelihood at a temperature, in nats."""
    parts = zip(logits.split(CHUNK), target.split(CHUNK), strict=True)
    sums = (F.cross_entropy(part.double() / temperature, true, reduction="sum") for part, true in parts)
    return sum(total.item() for total in sums) / len(target)


def sample_pixels(
    network: Network,
    samples: Sequence[Sample],
    settings: evaluation.Settings,
    pixels: int = PIXELS,
    seed: int = 0,
    progress: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return logits and targets of valid pixels, equally many at most from every image.

    Args:
        network: any network; its device may change.
        samples: validation images with targets of train ids and 255.
        settings: size, known classes and device.
        pixels: of all images together, at most.
        seed: of the draw.
        progress: whether to show a progress bar.

    Returns:
        Logits of the known classes, float32 (K, C), and the place of the true class among them, int64 (K,).

    Raises:
        ValueError: if no pixel is of a known class.
    """
    generator = torch.Generator().manual_seed(seed)
    share = max(1, pixels // len(samples))
    drawn = torch.empty(share * len(samples), len(settings.known_classes))
    truth = torch.empty(len(drawn), dtype=torch.int64)
    taken = 0
    for one in tqdm(
        evaluation.segmented(network, samples, settings, progress=False),
        total=len(samples), desc="logits", unit="image", disable=not progress,
    ):  # fmt: skip
        logits, target = known_pixels(one)
        valid = (target != IGNORE).nonzero().squeeze(1)
        chosen = valid[torch.randperm(len(valid), generator=generator)[:share]]
        place = slice(taken, taken + len(chosen))
        drawn[place], truth[place] = logits[chosen], target[chosen]
        taken = place.stop
    if not taken:
        raise ValueError("no valid pixel of a known class; are these the right masks?")
    return drawn[:taken], truth[:taken]


def known_pixels(one: evaluation.Segmented) -> tuple[Tensor, Tensor]:
    """Return logits (K, C) of the known classes, and the place of the true one, or ``IGNORE``, (K,)."""
    places = torch.full((IGNORE + 1,), IGNORE)
    places[list(one.known_classes)] = torch.arange(len(one.known_classes))
    logits = one.logits[list(one.known_classes)]
    return logits.flatten(1).T, places[one.sample.target.long().flatten()]
