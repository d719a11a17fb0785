"""How far confidence is from accuracy, over any number of pixels in constant memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib import evaluation
from course_lib.calibration.temperature import known_pixels
from course_lib.data import Sample
from course_lib.labels import IGNORE
from course_lib.models import Network

BINS = 15
"""Of reliability diagrams and of both calibration errors, as in Guo et al. (2017)."""

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
