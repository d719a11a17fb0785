"""Running a trained network faster: what can be done, a network with it done, how far off its answers are."""

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from course_lib.inference.graph import fold_batch_norms, traced_features, work_in_place
from course_lib.models import Network, check_images
from course_lib.models.network import pad_to_multiple
from course_lib.runtime import unknown_name

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Of the arithmetic inside the network, None without autocast; logits are float32 in all of them."""


@dataclass(frozen=True)
class Optimizations:
    """What is done to make inference faster; each works without the others. By default nothing is."""

    fold: bool = False
    """Multiply batch normalisation into the convolution before it."""
    in_place: bool = False
    """Let activations and sums overwrite what nobody reads again."""
    channels_last: bool = False
    """Store the channels of a pixel side by side."""
    inference_mode: bool = False
    """Keep no record for a backward pass, not even the version of each tensor."""
    precision: str = "fp32"
    """One of ``PRECISIONS``; but for fp32 by autocast."""
    cuda_graph: bool = False
    """Record the kernels of a size once and replay them; CUDA only."""
    compiled: bool = False
    """Let ``torch.compile`` write the kernels: the first image of every size takes long."""

    def __post_init__(self) -> None:
        """Raise a ValueError if the precision is unknown."""
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)


_FAST = {"fold": True, "in_place": True, "channels_last": True, "inference_mode": True}

SPEEDS: dict[str, Optimizations] = {
    "plain": Optimizations(),
    "fast": Optimizations(**_FAST),
    "bf16": Optimizations(**_FAST, precision="bf16"),
    "fp16": Optimizations(**_FAST, precision="fp16"),
    "cuda_graph": Optimizations(**_FAST, cuda_graph=True),
    "compiled": Optimizations(**_FAST, compiled=True),
}
"""Optimizations that belong together, by name. ``plain`` is the network as it is; ``fast`` is float32 with
the same logits but for rounding; half the bits make larger errors."""


def find_optimizations(speed: str | Optimizations) -> Optimizations:
    """Return the optimizations called ``speed``; those that were put together by hand stay as they are.

    Raises:
        ValueError: if the name is unknown.
    """
    if isinstance(speed, Optimizations):
        return speed
    if speed not in SPEEDS:
        raise unknown_name("speed", speed, SPEEDS)
    return SPEEDS[speed]


def accelerate(network: Network, speed: str | Optimizations = "fast") -> Network:
    """Return a network that is used as the given one is, in evaluation mode, and is faster.

    Args:
        network: any trained network; it is left as it is.
        speed: a name of ``SPEEDS`` or optimizations put together by hand; ``plain`` gives the network itself.

    Raises:
        ValueError: if the name is unknown, or the device cannot do one of them.
    """
    chosen = find_optimizations(speed)
    return network.eval() if chosen == Optimizations() else FastNetwork(network, chosen)


class FastNetwork(Network):
    """A copy of a trained network, rewritten for inference; it cannot be trained.

    In float32 the logits are those of the network but for rounding.
    """

    classifier_name = "last_layer"

    def __init__(self, network: Network, chosen: Optimizations) -> None:
        """Copy any trained network and rewrite the copy."""
        super().__init__()
        self.chosen = chosen
        self.size_multiple, self.feature_channels = network.size_multiple, network.feature_channels
        self.align_corners = network.align_corners
        self.scale_modules = {stride: f"body.scale_{stride}" for stride in network.scale_modules}
        original = copy.deepcopy(network).eval().requires_grad_(False)
        self.body = traced_features(original)
        self.last_layer = original.classifier
        device = next(network.parameters()).device
        if chosen.fold:
            fold_batch_norms(self.body)
        if chosen.in_place:
            side = 2 * self.size_multiple
            work_in_place(self.body, torch.full((1, 3, side, side), 0.5, device=device))
        if chosen.channels_last:
            self.to(memory_format=torch.channels_last)
        self.compute = self._logits
        if chosen.cuda_graph:
            if device.type != "cuda":
                raise ValueError(f"CUDA graphs need a network on a CUDA device, this one is on {device}")
            self.compute = CudaGraphs(self._logits)
        elif chosen.compiled:
            self.compute = torch.compile(self._logits)
        self.eval()

    def train(self, mode: bool = True) -> "FastNetwork":
        """Stay in evaluation mode."""
        return super().train(False)

    def features(self, images: Tensor) -> Tensor:
        """Return what the classifier reads, as the network does."""
        if self.chosen.channels_last:  # copied, since one image may pass for a layout that it does not have
            images = images.to(memory_format=torch.channels_last, copy=True)
        return self.body(images)

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits in float32, at their own resolution."""
        with self._computing(images.device.type):
            return [self.compute(images).float()]

    def logits_in_strips(self, images: Tensor, rows: int) -> Iterator[Tensor]:
        """Yield the logits from top to bottom; behind a transposed convolution each strip is made alone."""
        if self.chosen.cuda_graph or self.chosen.compiled or not _reads_only_below(self.classifier):
            yield from super().logits_in_strips(images, rows)
            return
        check_images(images, check_range=self.checks_range)
        height, width = images.shape[-2:]
        stride = self.classifier.stride[0]
        with self._computing(images.device.type):
            features = self.features(pad_to_multiple(images, self.size_multiple))
        for start in range(0, height, rows):
            first, last = start // stride, (start + rows) // stride
            with self._computing(images.device.type):  # one more row: the last output row may read it
                strip = self.classifier(features[:, :, first : last + 1]).float()
            yield strip[:, :, : min(rows, height - start), :width]

    def _logits(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))

    @contextlib.contextmanager
    def _computing(self, device_type: str) -> Iterator[None]:
        """Keep no record for a backward pass, and compute in the chosen precision."""
        mode = torch.inference_mode() if self.chosen.inference_mode else torch.no_grad()
        half = PRECISIONS[self.chosen.precision]
        with mode, torch.autocast(device_type, half, enabled=half is not None):
            yield


def _reads_only_below(layer: nn.Module) -> bool:
    """Tell whether row s i of what a layer with stride s makes reads input rows i and i + 1 at the most."""
    if not isinstance(layer, nn.ConvTranspose2d):
        return False
    kernel, padding, stride = layer.kernel_size[0], layer.padding[0], layer.stride[0]
    return layer.dilation[0] == 1 and kernel - 1 - padding < stride and stride - 1 + padding < 2 * stride


GRAPHS = 4
"""Of so many shapes the recordings are kept, each with its memory; the one that was used longest ago goes."""


class CudaGraphs:
    """A function of images whose kernels are recorded once for each shape, and replayed.

    Kernels are then not started one by one: what remains is the GPU's own time.
    The result of a call is overwritten by the next one of the same shape, and so is returned as a copy.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Wrap a function that does the same work for every batch of one shape, without looking at values."""
        self.function = function
        self.recorded = lru_cache(GRAPHS)(self.record)

    def __call__(self, images: Tensor) -> Tensor:
        """Return what the function returns."""
        graph, given, result = self.recorded(images.shape, images.dtype, images.device)
        given.copy_(images)
        graph.replay()
        return result.clone()

    def record(
        self, shape: torch.Size, dtype: torch.dtype, device: torch.device
    ) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        """Return a recording, the images that it reads and the result that it writes."""
        given, graph = torch.zeros(shape, dtype=dtype, device=device), torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):  # in which libraries choose their kernels and make room
                self.function(given)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            result = self.function(given)
        return graph, given, result


@dataclass(frozen=True)
class Agreement:
    """Two networks on the same images."""

    argmax: float
    """Share of pixels to which both give the same class; 1 is best."""
    largest_difference: float
    """Between two logits of the same pixel and class; 0 is best."""


def agreement(reference: Network, other: Network, batches: Iterable[Tensor]) -> Agreement:
    """Compare the logits of two networks.

    Args:
        reference: the network as it was trained; its mode and device stay as they are.
        other: what should give the same.
        batches: RGB float in [0, 1], shape (N, 3, H, W).

    Raises:
        ValueError: if there is no batch.
    """
    same = pixels = 0
    largest = 0.0
    for images in batches:
        with torch.inference_mode():
            first, second = reference(images).float(), other(images).float()
        same += int((first.argmax(dim=1) == second.argmax(dim=1)).sum())
        pixels += first[:, 0].numel()
        largest = max(largest, float((first - second).abs().amax()))
    if not pixels:
        raise ValueError("need one batch of images or more to compare two networks, got none")
    return Agreement(same / pixels, largest)
