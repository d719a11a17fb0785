"""What a network costs: parameters, time and memory."""

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.models import Network

SHORTEST_RUN = 0.2
"""Seconds for which a network is run again and again to time it."""


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
            parameters=sum(p.numel() for n, p in network.named_parameters() if not network.is_auxiliary(n)),
            milliseconds=1000 * _seconds(network.eval(), image),
            training_megabytes=saved_bytes(network.train(), image) / 1e6,
        )
    finally:
        network.train(was_training)


def _seconds(network: Network, image: Tensor) -> float:
    """Return the median time of one run; on a GPU the timer waits for it."""
    # its import warns where there is a CUDA toolkit but no GPU
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    from torch.utils.benchmark import Timer

    with torch.inference_mode():
        network(image)
        timer = Timer("network(image)", globals={"network": network, "image": image})
        timer.num_threads = torch.get_num_threads()
        return timer.blocked_autorange(min_run_time=SHORTEST_RUN).median


def saved_bytes(network: Network, images: Tensor) -> int:
    """Return how many bytes a forward pass keeps for the backward pass, weights and images not counted.

    It is the part of the memory of training that grows with size and number of the images. Running statistics
    of batch normalisation stay as they were.

    Args:
        network: any network; in training mode its auxiliary heads take part.
        images: RGB float in [0, 1], shape (N, 3, H, W).
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in [*network.state_dict().values(), images]}
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    devices = [images.device] if images.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices), torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
            kept_alive = network.all_logits(images)
    finally:
        for name, buffer in network.named_buffers():
            buffer.copy_(before[name])
    del kept_alive
    return sum(size for address, size in sizes.items() if address not in own)
