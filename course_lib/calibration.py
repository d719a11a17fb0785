"""Whether probabilities mean what they say: how far confidence is from accuracy, and the temperature.

A temperature is one number that makes confidence fit, learnt on validation images and never on a benchmark.
It is kept beside the checkpoint that it belongs to.
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
from course_lib.runtime import COMMAND, sha256_of, write_atomically

BINS = 15
"""Of reliability diagrams and of both calibration errors, as in Guo et al. (2017)."""

PIXELS = 1_000_000
"""Valid pixels that a temperature is fitted on, drawn from all images alike: memory does not grow."""

GRID = (0.5, 0.75, 1.0, 1.1)
"""The temperatures of the paper's Table 2."""

CHUNK = 100_000  # pixels that are looked at together
FINE_BITS = 15  # of the 31 of a float32, left out of a fine bin: neighbours differ by 0.4 % of 1 - confidence
FINE_BINS = (0x3F800000 >> FINE_BITS) + 1  # up to 1.0


@dataclass(frozen=True)
class Calibration:
    """How well probabilities fit; all are means over the valid pixels."""

    nll: float
    """Negative log-likelihood of the true class, in nats; lower is better."""
    ece: float
    """Expected calibration error: mean distance of confidence and accuracy over bins of equal width, a
    fraction; lower is better."""
    adaptive_ece: float
    """The same over bins of equally many pixels."""
    brier: float
    """Sum over the classes of (probability - truth) squared, 0 to 2; lower is better."""
    accuracy: float
    confidence: float
    """Mean of the largest probability; above the accuracy, a network is too sure."""
    pixels: int
    bins: Tensor
    """float64 (3, ``BINS``): pixels, mean confidence, accuracy of each bin of equal width; NaN if empty."""


class Reliability:
    """Takes logits image by image."""

    def __init__(self) -> None:
        """Start empty."""
        self.sums = torch.zeros(3, BINS, dtype=torch.float64)  # pixels, confidence, right
        self.fine = torch.zeros(3, FINE_BINS, dtype=torch.float64)  # the same, surest first
        self.nll = self.brier = 0.0

    def update(self, logits: Tensor, target: Tensor) -> None:
        """Add some pixels.

        Args:
            logits: (N, C, ...), of the known classes only; divide by a temperature before.
            target: the number of the true channel, ``IGNORE`` where void or of no known class, (N, ...).

        Raises:
            ValueError: if shapes do not fit, a logit is not finite, or a target is no channel.
        """
        flat = logits.detach().cpu().float().movedim(1, -1).reshape(-1, logits.shape[1])
        truth = target.detach().cpu().reshape(-1).long()
        if logits.shape[:1] + logits.shape[2:] != target.shape:
            got = f"{tuple(target.shape)}, {tuple(logits.shape)}"
            raise ValueError(f"need targets (N, ...) for logits (N, C, ...), got {got}")
        if not flat.isfinite().all():
            raise ValueError("logits are not finite; leave out what was never trained")
        flat, truth = flat[truth != IGNORE], truth[truth != IGNORE]
        wrong = truth[(truth < 0) | (truth >= flat.shape[1])]
        if len(wrong):
            channels = f"0 to {flat.shape[1] - 1}"
            raise ValueError(f"targets are channels, {channels}, or {IGNORE}; got {wrong[0].item()}")
        log_probabilities = flat.log_softmax(dim=1)
        probabilities = log_probabilities.exp()
        of_truth = log_probabilities.gather(1, truth[:, None]).squeeze(1)
        self.nll -= of_truth.double().sum().item()
        self.brier += (probabilities.double().square().sum(1) - 2 * of_truth.double().exp() + 1).sum().item()
        confidence, predicted = probabilities.max(dim=1)
        values = torch.stack([torch.ones_like(confidence), confidence, (predicted == truth).float()]).double()
        self.sums.index_add_(1, _bin_of(confidence, BINS), values)
        doubt = (1 - confidence).clamp(min=0)
        self.fine.index_add_(1, (doubt.view(torch.int32) >> FINE_BITS).long(), values)

    def compute(self) -> Calibration:
        """Return the means over all pixels so far.

        Raises:
            ValueError: if there is no valid pixel.

        Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; adaptive bins: Nixon et
        al., "Measuring Calibration in Deep Learning", 2019.
        """
        pixels, confidence, right = self.sums.sum(dim=1).tolist()
        if not pixels:
            raise ValueError("no valid pixel to measure; are all void, or of no known class?")
        # about equally many pixels in each adaptive bin; a fine one is never cut
        middle = self.fine[0].cumsum(0) - self.fine[0] / 2
        group = (middle / pixels * BINS).long().clamp(max=BINS - 1)
        adaptive = torch.zeros_like(self.sums).index_add_(1, group, self.fine)
        return Calibration(
            nll=self.nll / pixels,
            ece=_error(self.sums),
            adaptive_ece=_error(adaptive),
            brier=self.brier / pixels,
            accuracy=right / pixels,
            confidence=confidence / pixels,
            pixels=int(pixels),
            bins=torch.cat([self.sums[:1], self.sums[1:] / self.sums[:1]]),
        )


def measure_calibration(
    network: Network,
    samples: Sequence[Sample],
    settings: evaluation.Settings,
    temperatures: Sequence[float] = (1.0,),
    progress: bool = True,
) -> dict[float, Calibration]:
    """Return the calibration at each temperature, over all valid pixels of known classes.

    Args:
        network: any network; its device may change.
        samples: images with targets of train ids and 255.
        settings: size, known classes and device.
        temperatures: logits are divided by each.
        progress: whether to show a progress bar.

    Raises:
        ValueError: if a temperature is not positive, or no pixel is valid.
    """
    if not all(temperature > 0 for temperature in temperatures):
        raise ValueError(f"temperatures must be positive numbers, got {list(temperatures)}")
    streams = {temperature: Reliability() for temperature in temperatures}
    for one in evaluation.segmented(network, samples, settings, progress):
        logits, target = known_pixels(one)
        for temperature, stream in streams.items():
            stream.update(logits / temperature, target)
    return {temperature: stream.compute() for temperature, stream in streams.items()}


def expected_calibration_error(confidence: Tensor, is_right: Tensor, bins: int = BINS) -> float:
    """Return the mean distance of confidence and accuracy over bins of equal width.

    Args:
        confidence: the largest probability of each pixel, in (0, 1], any shape.
        is_right: whether its class is the true one, bool, same shape. Remove void pixels from both before.
        bins: how many; each holds its upper edge and not its lower one.

    Returns:
        A fraction; lower is better.

    Raises:
        ValueError: if there is no pixel, shapes differ, or a confidence is out of range.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    if is_right.dtype != torch.bool or is_right.shape != confidence.shape or not confidence.numel():
        got = f"{is_right.dtype} of {tuple(is_right.shape)}"
        raise ValueError(f"need a bool for each of {tuple(confidence.shape)}, at least one, got {got}")
    if not ((confidence > 0) & (confidence <= 1)).all():
        low, high = confidence.min().item(), confidence.max().item()
        raise ValueError(f"confidences are probabilities in (0, 1], got values from {low:g} to {high:g}")
    flat, right = confidence.flatten().double(), is_right.flatten().double()
    values = torch.stack([torch.ones_like(flat), flat, right])
    return _error(torch.zeros(3, bins, dtype=flat.dtype).index_add_(1, _bin_of(flat, bins), values))


def _bin_of(confidence: Tensor, bins: int) -> Tensor:
    """Return the bin of each confidence; the lower edge of a bin is left out, the upper one is in it."""
    return (confidence.double() * bins).ceil().long().clamp(1, bins) - 1


def _error(sums: Tensor) -> float:
    """Return the mean distance of confidence and accuracy, weighted by pixels."""
    return ((sums[1] - sums[2]).abs().sum() / sums[0].sum()).item()


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
        The temperature, from 0.001 to 1000; an end of that if the slope has one sign, for example where every
        pixel is right (then surer is always better).

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

    low, high = math.log(1e-3), math.log(1e3)
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
    command = f"{COMMAND} calibrate --weights {weights}"
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
