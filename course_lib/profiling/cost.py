"""What a network costs in three numbers: parameters, time and memory."""

from dataclasses import dataclass

import torch

from course_lib.models import Network
from course_lib.profiling.counts import count_parameters
from course_lib.profiling.memory import saved_bytes
from course_lib.profiling.timing import forward_latency


@dataclass(frozen=True)
class Cost:
    """What one network costs on the device that it is on."""

    parameters: int
    """Numbers that training adjusts; auxiliary heads, which are dropped afterwards, not counted."""
    milliseconds: float
    """For one image in evaluation mode: the median of many runs, after a warm-up."""
    training_megabytes: float
    """Kept per image for the backward pass, in units of 10^6 bytes; auxiliary heads counted."""


def cost(network: Network, size: tuple[int, int]) -> Cost:
    """Measure a network; its mode stays as it was.

    Args:
        network: any network, on any device.
        size: height and width of the image, in pixels.
    """
    image = torch.full((1, 3, *size), 0.5, device=next(network.parameters()).device)
    was_training = network.training
    try:
        return Cost(
            parameters=count_parameters(network),
            milliseconds=forward_latency(network, image).median,
            training_megabytes=saved_bytes(network.train(), image) / 1e6,
        )
    finally:
        network.train(was_training)
