"""One number that makes confidence fit, learnt on validation images and never on a benchmark.

Also where it is kept, beside the checkpoint that it belongs to, and the number that a benchmark would choose.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import evaluation
from course_lib.data import Sample
from course_lib.labels import IGNORE
from course_lib.models import Network
from course_lib.runtime import sha256_of, write_atomically

RANGE = (1e-3, 1e3)
"""Temperatures that are looked at."""

PIXELS = 1_000_000
"""Valid pixels that a temperature is fitted on, drawn from all images alike: memory does not grow."""

CHUNK = 100_000
"""Pixels that are looked at together."""

GRID = (0.5, 0.75, 1.0, 1.1)
"""The temperatures of the paper's Table 2."""


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
    parts = []
    for one in evaluation.segmented(network, samples, settings, progress):
        logits, target = known_pixels(one)
        valid = (target != IGNORE).nonzero().squeeze(1)
        chosen = valid[torch.randperm(len(valid), generator=generator)[:share]]
        parts.append((logits[chosen], target[chosen]))
    drawn, truth = (torch.cat(part) for part in zip(*parts, strict=True))
    if not len(truth):
        raise ValueError("no valid pixel of a known class; are these the right masks?")
    return drawn, truth


def known_pixels(one: evaluation.Segmented) -> tuple[Tensor, Tensor]:
    """Return logits (K, C) of the known classes, and the place of the true one, or ``IGNORE``, (K,)."""
    places = torch.full((IGNORE + 1,), IGNORE)
    places[list(one.known_classes)] = torch.arange(len(one.known_classes))
    logits = one.logits[list(one.known_classes)]
    return logits.flatten(1).T, places[one.sample.target.long().flatten()]


def temperature_file(weights: Path) -> Path:
    """Return where the temperature of a checkpoint is kept."""
    return weights.with_suffix(".temperature.json")


def write_temperature(path: Path, weights: Path, about: dict) -> None:
    """Write what was fitted, and for which weights.

    Args:
        path: of ``temperature_file``, or any other.
        weights: the checkpoint; its hash is kept, so that the number is never used for another one.
        about: with ``fitted``, which has ``temperature``.

    Raises:
        OSError: if it cannot be written.
    """
    content = about | {"weights_sha256": sha256_of(weights)}
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


def read_temperature(weights: Path) -> float:
    """Return the temperature that was fitted for a checkpoint.

    Raises:
        FileNotFoundError: if none was fitted.
        ValueError: if the file is damaged, or was written for other weights.
    """
    path = temperature_file(weights)
    command = f"python3 start.py calibrate --weights {weights}"
    if not path.is_file():
        raise FileNotFoundError(f"no fitted temperature at {path}; run {command}")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        temperature, fitted_for = float(about["fitted"]["temperature"]), about["weights_sha256"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} holds no fitted temperature; run {command}") from None
    if fitted_for != sha256_of(weights):
        raise ValueError(f"{path} was fitted for other weights than {weights.name}; run {command}")
    return temperature


def oracle(frame: pd.DataFrame) -> pd.DataFrame:
    """Return, of each score and benchmark, the row of the temperature with the highest AuPRC *there*.

    The choice has seen the anomalies that it is measured on, so the result says how much a temperature could
    give at the most, not what it gives.

    Args:
        frame: a tidy table of one network at several temperatures.

    Raises:
        ValueError: if the table is of more than one network, or has one temperature only.
    """
    networks = frame[["model", "weights", "training", "profile", "seed", "protocol"]].drop_duplicates()
    if len(networks) > 1:
        raise ValueError(f"need one network under one protocol, got {networks.to_dict('records')}")
    single = frame.groupby(["score", "benchmark"])["temperature"].nunique() < 2
    if single.any():
        raise ValueError(f"nothing to choose from: {' on '.join(single.idxmax())} has a single temperature")
    best = frame.groupby(["score", "benchmark"], sort=False)["auprc"].idxmax()
    return frame.loc[best]
