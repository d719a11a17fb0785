"""Replay a network's kernels instead of starting them one by one: what remains is the GPU's own time."""

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3  # runs before the recording, in which libraries choose their kernels and make room


class CudaGraphs:
    """A function of images, recorded once for each shape.

    The result of a call is overwritten by the next one of the same shape, and so is returned as a copy.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Wrap a function that does the same work for every batch of one shape, without looking at values."""
        self.function = function
        self.recorded: dict[tuple, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return what the function returns."""
        key = (*images.shape, images.dtype)
        if key not in self.recorded:
            self.recorded[key] = self._record(images)
        graph, given, result = self.recorded[key]
        given.copy_(images)
        graph.replay()
        return result.clone()

    def _record(self, images: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        """Run the function a few times on a stream of its own, then once more for the record."""
        given, graph = images.clone(), torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.function(given)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            result = self.function(given)
        return graph, given, result
