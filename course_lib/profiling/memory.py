"""How much memory a network takes, on a GPU and on a CPU."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from course_lib.models import Network

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler would print its own diary on stderr


@dataclass(frozen=True)
class PeakMemory:
    """The most that torch held at once during a run, beyond what it held before."""

    allocated: float
    """Megabytes (10^6 bytes) in tensors, the weights not counted: what the run needs."""
    reserved: float | None
    """Megabytes that torch has taken from the GPU driver in all, as the paper prints it: weights count, and
    room that is kept for later, and whatever ran before. None on a CPU."""


def peak_of(run: Callable[[], object], device: torch.device) -> PeakMemory | None:
    """Return how much memory a run takes; None on a device that does not tell, such as Apple's.

    Args:
        run: what to measure; it was called before, so that what libraries set aside once is not counted.
        device: where it computes.
    """
    if device.type == "cuda":
        return _peak_on_gpu(run, device)
    return PeakMemory(_peak_on_cpu(run), None) if device.type == "cpu" else None


def _peak_on_gpu(run: Callable[[], object], device: torch.device) -> PeakMemory:
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    run()
    torch.cuda.synchronize(device)
    peak, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
    return PeakMemory((peak - before) / 1e6, reserved / 1e6)


def _peak_on_cpu(run: Callable[[], object]) -> float:
    """Add up what torch's profiler saw taken and given back."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak / 1e6


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
