"""How far confidence is from accuracy, over any number of pixels in constant memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

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
    """Takes logits image by image; two of them can be merged."""

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
        _check(flat, truth, logits.shape, target.shape)
        valid = truth != IGNORE
        log_probabilities, truth = flat[valid].log_softmax(dim=1), truth[valid]
        probabilities = log_probabilities.exp()
        of_truth = log_probabilities.gather(1, truth[:, None]).squeeze(1)
        self.nll -= of_truth.double().sum().item()
        self.brier += (probabilities.double().square().sum(1) - 2 * of_truth.double().exp() + 1).sum().item()
        confidence, predicted = probabilities.max(dim=1)
        self._count(confidence, predicted == truth)

    def _count(self, confidence: Tensor, right: Tensor) -> None:
        """Add pixels to both kinds of bins."""
        values = torch.stack([torch.ones_like(confidence), confidence, right.float()]).double()
        self.sums.index_add_(1, _bin_of(confidence, BINS), values)
        doubt = (1 - confidence).clamp(min=0)
        self.fine.index_add_(1, (doubt.view(torch.int32) >> FINE_BITS).long(), values)

    def merge(self, other: "Reliability") -> None:
        """Add the pixels of ``other``, which is left as it is."""
        self.sums, self.fine = self.sums + other.sums, self.fine + other.fine
        self.nll, self.brier = self.nll + other.nll, self.brier + other.brier

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
        return Calibration(
            nll=self.nll / pixels,
            ece=_error(self.sums),
            adaptive_ece=_error(_equal_shares(self.fine)),
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
    segmented = evaluation.segmented(network, samples, settings, progress=False)
    for one in tqdm(segmented, total=len(samples), desc="calibration", unit="image", disable=not progress):
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


def _check(logits: Tensor, truth: Tensor, shape: tuple, target_shape: tuple) -> None:
    """Raise a ValueError unless there is one target per pixel, each a channel or void."""
    if tuple(shape[:1]) + tuple(shape[2:]) != tuple(target_shape):
        raise ValueError(
            f"need targets (N, ...) for logits (N, C, ...), got {tuple(target_shape)}, {tuple(shape)}"
        )
    if not logits.isfinite().all():
        raise ValueError("logits are not finite; leave out what was never trained")
    wrong = truth[(truth != IGNORE) & ((truth < 0) | (truth >= logits.shape[1]))]
    if len(wrong):
        raise ValueError(
            f"targets are channels, 0 to {logits.shape[1] - 1}, or {IGNORE}; got {wrong[0].item()}"
        )


def _error(sums: Tensor) -> float:
    """Return the mean distance of confidence and accuracy, weighted by pixels."""
    return ((sums[1] - sums[2]).abs().sum() / sums[0].sum()).item()


def _equal_shares(fine: Tensor) -> Tensor:
    """Join fine bins to ``BINS`` groups of about equally many pixels; a fine bin is never cut."""
    pixels = fine[0]
    middle = pixels.cumsum(0) - pixels / 2
    group = (middle / pixels.sum() * BINS).long().clamp(max=BINS - 1)
    return torch.zeros(3, BINS, dtype=fine.dtype).index_add_(1, group, fine)
