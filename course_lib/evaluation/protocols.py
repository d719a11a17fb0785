"""Three ways to evaluate, which give three different tables from the same weights."""

from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional as F

from course_lib.data import Benchmark, Sample, resize_image, resize_mask, to_tensor
from course_lib.labels import IGNORE
from course_lib.runtime import unknown_name

PEER_SIZE = (512, 1024)


@dataclass(frozen=True)
class Protocol:
    """What happens to images, masks and scores on the way to a metric."""

    description: str
    raw_input: bool = False
    """Whether images are fed in [0, 255] to networks made for [0, 1]."""
    size: str = "given"
    """``given`` (by the user or the checkpoint), ``peer`` (512 x 1024) or ``native``."""
    resizes_masks: bool = False
    """Whether masks are brought to the size of the scores, instead of scores to the size of the masks."""
    skips_anomaly_free: bool = False
    counts_void: bool = False
    """Whether void counts as anomaly on the benchmarks where the paper's code did so."""
    inverts_void: bool = False
    """Whether the void score is 1 - P(void) with an underflowing softmax, as in the paper."""
    fpr_convention: str = "step"

    def input_size(self, given: tuple[int, int]) -> tuple[int, int] | None:
        """Return the height and width that images are resized to, None for their own."""
        return {"given": given, "peer": PEER_SIZE, "native": None}[self.size]

    def input(self, sample: Sample, given: tuple[int, int]) -> Tensor:
        """Return what the network is fed, float32 (1, 3, H, W).

        Args:
            sample: an image with its target.
            given: height and width, where the protocol leaves the choice.
        """
        size = self.input_size(given)
        image = sample.image if size is None else resize_image(sample.image, size)
        return to_tensor(image, scale=not self.raw_input)[None]

    def target(self, sample: Sample, benchmark: Benchmark) -> Tensor | None:
        """Return the mask that counts, uint8 (H, W) of 0, 1 and 255; None if the image is left out."""
        target = sample.target
        if self.counts_void and benchmark.paper_counts_void:
            target = target.where(target != IGNORE, 1)
        if self.resizes_masks:
            target = resize_mask(target, PEER_SIZE)
        if self.skips_anomaly_free and not (target == 1).any():
            return None
        return target


def to_size_of(target: Tensor, scores: Tensor) -> Tensor:
    """Return one score map (h, w) at the size of ``target`` (H, W), bilinear; untouched if it fits."""
    if scores.shape == target.shape:
        return scores
    return F.interpolate(scores[None, None], target.shape, mode="bilinear", align_corners=False)[0, 0]


PROTOCOLS = {
    "benchmark": Protocol("images in [0, 1], scores resized to the masks, void ignored, all images"),
    "peer": Protocol(
        "512 x 1024, masks resized to it, void ignored, anomaly-free images skipped, FPR95 on the chord",
        size="peer",
        resizes_masks=True,
        skips_anomaly_free=True,
        fpr_convention="chord",
    ),
    "paper": Protocol(
        "as the paper's code: images in [0, 255] at native size, void counted as anomaly on the two "
        "Fishyscapes sets, inverted void score, FPR95 on the chord",
        raw_input=True,
        size="native",
        counts_void=True,
        inverts_void=True,
        fpr_convention="chord",
    ),
}
"""``benchmark`` is right and the default; ``peer`` is what most re-implementations report; ``paper`` gives
the paper's tables, mistakes included."""

DEVIATIONS = ("raw_input", "inverts_void", "counts_void", "size", "fpr_convention")
"""In what protocol ``paper`` differs from ``benchmark``; its last two are choices that have to be told."""


def with_fix(protocol: Protocol, mistake: str) -> Protocol:
    """Return a protocol that does one thing as ``benchmark`` does, and the others as before.

    Raises:
        ValueError: if there is no such mistake.
    """
    if mistake not in DEVIATIONS:
        raise unknown_name("mistake", mistake, DEVIATIONS)
    return replace(protocol, **{mistake: getattr(PROTOCOLS["benchmark"], mistake)})


def find_protocol(name: str | Protocol) -> Protocol:
    """Return the protocol called ``name``; one that was made up stays as it is.

    Raises:
        ValueError: if the name is unknown.
    """
    if isinstance(name, Protocol):
        return name
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
