"""From a trained network or detector to one ONNX file: uint8 pixels in, score maps, classes and alarms out.

The file holds four graphs in a row. ``before`` brings the pixels to the network's size, as Pillow does.
``network`` makes logits, and maps of the encoder if a detector needs them. ``scores`` makes of them score
maps and classes. ``after`` brings those to the size of the image. fp16 and int8 change ``network`` alone.
"""

import copy
import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib import inference, runtime
from course_lib.deployment import graphs
from course_lib.detectors import Detector, Recipe, ScorePart
from course_lib.models import Metadata, Network, watched_scales
from course_lib.models.network import enlarge

PRECISIONS = ("fp32", "fp16", "int8")
"""Of the network's weights and activations; what follows the network is computed in float32."""


@dataclass(frozen=True)
class Plan:
    """What a file should do."""

    size: tuple[int, int]
    """Height and width at which the network sees every image; images of another shape are squeezed to it."""
    scores: tuple[str, ...] = ("msp",)
    """Of a network, names of ``scores.SCORES``; a detector has its own."""
    smooth: float | None = None
    """Sigma of a Gaussian on each score of a network, in pixels at ``size``."""
    temperature: float = 1.0
    """Of those of a network's scores that take one."""
    precision: str = "fp32"
    """One of ``PRECISIONS``."""
    coarse: bool = False
    """Score at the logits' own resolution, and enlarge one map instead of one per class."""

    def __post_init__(self) -> None:
        """Raise a ValueError if a setting is unknown or out of range."""
        if self.precision not in PRECISIONS:
            raise runtime.unknown_name("precision", self.precision, PRECISIONS)
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"the temperature must be a positive number, got {self.temperature}")


def build(
    subject: Network | Detector,
    metadata: Metadata,
    plan: Plan,
    path: Path,
    about: dict | None = None,
    training_images: Iterable[Tensor] = (),
) -> None:
    """Write the file.

    It takes one image, uint8 (1, H, W, 3) of any size, as ``image``. It gives a map float32 (H, W) for each
    score, larger is more anomalous, and ``classes``, uint8 (H, W), the train id of each pixel.

    Args:
        subject: a trained network, or a detector; it is left as it is.
        metadata: of the network.
        plan: what the file should do.
        path: of the file, which is replaced.
        about: facts to be read in the file, beside those of plan and metadata.
        training_images: for int8, on which the ranges of activations are measured: float in [0, 1], at
            the plan's size, (1, 3, H, W).

    Raises:
        ValueError: if the size does not fit the network, the plan does not fit a detector, or packages are
            missing.
    """
    (height, width), multiple = plan.size, subject.size_multiple
    if height % multiple or width % multiple:
        raise ValueError(f"both sides of the size must be multiples of {multiple}, got {height} x {width}")
    if metadata.head == "isomax" and plan.precision != "fp32":
        raise ValueError(f"distances of IsoMax need float32, {plan.precision} would drown small ones")
    subject = copy.deepcopy(subject).cpu().eval()
    scorers = _scorers(subject, metadata, plan)
    network = inference.accelerate(scorers[0].network, inference.Optimizations(fold=True))
    first = _Network(network, sorted({s for one in scorers for s in one.recipe.strides}), plan)
    last = _Scores(scorers, first.strides, plan)
    example = torch.full((1, 3, height, width), 0.5)
    with torch.no_grad():
        seen = first(example)
    names = [f"map_{n}" for n in range(len(seen))]
    with tempfile.TemporaryDirectory() as folder:
        parts = {name: Path(folder) / f"{name}.onnx" for name in ("network", "smaller", "scores")}
        inference.write_graph(first, (example,), parts["network"], ["images"], names)
        found = [graphs.found_name(number) for number in range(len(last.names) + 1)]
        inference.write_graph(last, tuple(seen), parts["scores"], names, found)
        if plan.precision == "int8":
            inference.quantise_file(parts["network"], parts["smaller"], training_images, multiple)
        elif plan.precision == "fp16":
            graphs.write_half(parts["network"], parts["smaller"])
        used = parts["network" if plan.precision == "fp32" else "smaller"]
        whole = graphs.joined(plan.size, used, parts["scores"], last.names)
    facts = {"plan": asdict(plan), "metadata": asdict(metadata), **(about or {})}
    graphs.write(whole, path, facts)


def _scorers(subject: Network | Detector, metadata: Metadata, plan: Plan) -> list[Detector]:
    """Return a detector for each map of the file; a score of a network is one with a single part."""
    if isinstance(subject, Detector):
        if plan.scores or plan.smooth is not None or plan.temperature != 1:
            raise ValueError("a detector has its own score; leave scores, smoothing and temperature out")
        return [subject]
    if not plan.scores:
        raise ValueError("name one score or more")
    parts = {name: ScorePart(name, plan.smooth) for name in plan.scores}
    return [Detector(Recipe(f"{name} alone", (part,)), subject, metadata) for name, part in parts.items()]


class _Network(nn.Module):
    """Images to logits and maps of the encoder."""

    def __init__(self, network: Network, strides: Sequence[int], plan: Plan) -> None:
        super().__init__()
        self.network, self.strides, self.plan = network, strides, plan

    def forward(self, images: Tensor) -> list[Tensor]:
        with watched_scales(self.network, self.strides) as maps:
            logits = self.network.head_logits(images)[0]
        if not self.plan.coarse:
            logits = enlarge(logits, images.shape[-2:], self.network.align_corners)
        return [logits, *(maps[stride] for stride in self.strides)]


class _Scores(nn.Module):
    """Logits and maps of the encoder to score maps and classes, each (1, 1, h, w)."""

    def __init__(self, scorers: Sequence[Detector], strides: Sequence[int], plan: Plan) -> None:
        super().__init__()
        self.scorers, self.strides, self.plan = nn.ModuleList(scorers), strides, plan
        is_network = bool(plan.scores)
        self.names = list(plan.scores) if is_network else [scorers[0].name]
        known = torch.tensor(scorers[0].metadata.known_classes)
        self.register_buffer("known", known)

    def forward(self, logits: Tensor, *maps: Tensor) -> list[Tensor]:
        scales, size = dict(zip(self.strides, maps, strict=True)), logits.shape[-2:]
        shrunk = size[0] / self.plan.size[0]  # smoothing is in pixels at the network's size
        warmth = self.plan.temperature
        parts = [one.maps_of(logits, scales, size, shrunk, warmth) for one in self.scorers]
        found = [sum(one.in_one_unit(maps)) for one, maps in zip(self.scorers, parts, strict=True)]
        classes = self.known[logits[:, self.known].argmax(dim=1)]
        return [*(one[:, None] for one in found), classes[:, None].to(torch.uint8)]
