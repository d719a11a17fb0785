"""A trained network rewritten for inference."""

import contextlib
import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from course_lib.inference.cuda_graph import CudaGraphs
from course_lib.inference.graph import fold_batch_norms, traced_features, work_in_place
from course_lib.inference.optimizations import Optimizations, find_optimizations
from course_lib.models import Network, check_images
from course_lib.models.network import pad_to_multiple

PRECISION_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def accelerate(network: Network, speed: str | Optimizations = "fast") -> Network:
    """Return a network that is used as the given one is, in evaluation mode, and is faster.

    Args:
        network: any trained network; it is left as it is.
        speed: a name of ``SPEEDS`` or steps put together by hand; ``plain`` gives the network itself.

    Raises:
        ValueError: if the name is unknown, or the device cannot take a step.
    """
    steps = find_optimizations(speed)
    return network.eval() if steps == Optimizations() else FastNetwork(network, steps)


class FastNetwork(Network):
    """A copy of a trained network with the steps taken; it cannot be trained.

    The logits of the fp32 steps are those of the network but for rounding.
    """

    classifier_name = "last_layer"

    def __init__(self, network: Network, steps: Optimizations) -> None:
        """Copy and rewrite.

        Args:
            network: any trained network.
            steps: which to take.
        """
        super().__init__()
        self.steps = steps
        self.size_multiple, self.feature_channels = network.size_multiple, network.feature_channels
        original = copy.deepcopy(network).eval().requires_grad_(False)
        self.body = traced_features(original)
        self.last_layer = original.classifier
        device = next(network.parameters()).device
        if steps.fold:
            fold_batch_norms(self.body)
        if steps.in_place:
            side = 2 * self.size_multiple
            work_in_place(self.body, torch.full((1, 3, side, side), 0.5, device=device))
        if steps.channels_last:
            self.to(memory_format=torch.channels_last)
        self.run = self._runner(device)
        self.eval()

    def train(self, mode: bool = True) -> "FastNetwork":
        """Stay in evaluation mode."""
        return super().train(False)

    def features(self, images: Tensor) -> Tensor:
        """Return what the classifier reads, as the network does."""
        if self.steps.channels_last:  # copied, since one image may pass for a layout that it does not have
            images = images.to(memory_format=torch.channels_last, copy=True)
        return self.body(images)

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits in float32, at their own resolution."""
        with self._computing(images.device.type):
            return [self.run(images).float()]

    def logits_in_strips(self, images: Tensor, rows: int) -> Iterator[Tensor]:
        """Yield the logits from top to bottom; behind a transposed convolution each strip is made alone."""
        if self.steps.cuda_graph or self.steps.compiled or not _reads_only_below(self.classifier):
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

    def _runner(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """Return what turns images into logits."""
        if self.steps.cuda_graph:
            if device.type != "cuda":
                raise ValueError(f"CUDA graphs need a network on a CUDA device, this one is on {device}")
            return CudaGraphs(self._logits)
        return torch.compile(self._logits) if self.steps.compiled else self._logits

    @contextlib.contextmanager
    def _computing(self, device_type: str) -> Iterator[None]:
        """Keep no record for a backward pass, and compute in the chosen precision."""
        mode = torch.inference_mode() if self.steps.inference_mode else torch.no_grad()
        half = PRECISION_TYPES.get(self.steps.precision)
        with mode, torch.autocast(device_type, half, enabled=half is not None):
            yield


def _reads_only_below(layer: nn.Module) -> bool:
    """Tell whether row s i of what a layer with stride s makes reads input rows i and i + 1 at the most."""
    if not isinstance(layer, nn.ConvTranspose2d):
        return False
    kernel, padding, stride = layer.kernel_size[0], layer.padding[0], layer.stride[0]
    return layer.dilation[0] == 1 and kernel - 1 - padding < stride and stride - 1 + padding < 2 * stride
