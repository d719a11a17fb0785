"""What can be counted without a clock: parameters and multiply-adds."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from course_lib.models import Network
from course_lib.profiling.timing import example_images


def count_parameters(network: Network) -> int:
    """Return how many numbers training adjusts, without auxiliary heads, which are dropped afterwards."""
    return sum(p.numel() for name, p in network.named_parameters() if not network.is_auxiliary(name))


def multiply_adds(network: Network, size: tuple[int, int]) -> int:
    """Return how many multiplications with an addition the convolutions do for one image.

    The unit is one multiply-add (MAC). Papers that count floating point operations (FLOPs) mostly mean two of
    them per MAC, some one: compare with care.

    Args:
        network: any network, on any device; it is run once in evaluation mode.
        size: height and width of the image.
    """
    was_training = network.training
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(example_images(network, size))
    network.train(was_training)
    return counter.get_total_flops() // 2
