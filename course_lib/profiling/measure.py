"""What a network costs: parameters, multiply-adds, time, memory and power.

What is timed is called many times after a warm-up, and a device that works on its own is waited for.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from course_lib.losses import LOSSES
from course_lib.models import Network

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler would print its own diary on stderr

WARM_UP = 3
"""Calls that are not counted: libraries choose their kernels, memory is fetched, the clock rises."""

SHORTEST = 0.2
"""Seconds for which something is called again and again, by default."""

FEWEST = 5
"""Calls, however long they take."""

TERMS = {"linear": ("ce",), "isomax": ("eiml", "fl")}
"""What a network with either head is trained with, in the comparison of the paper's Figures 3 and 4."""


def example_images(network: Network, size: tuple[int, int], batch: int = 1) -> Tensor:
    """Return noise (batch, 3, H, W) on the network's device, the same on every call."""
    generator = torch.Generator().manual_seed(0)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    return torch.rand(batch, 3, *size, generator=generator).to(device)


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


@dataclass(frozen=True)
class Latency:
    """What one call took, in milliseconds; smaller is better."""

    median: float
    p5: float
    """Five calls in a hundred were faster."""
    p95: float
    """Five in a hundred were slower: what a system that must not be late has to reckon with."""
    p99: float
    runs: int

    def __repr__(self) -> str:
        """Return it as people read it."""
        tails = f"5 % below {self.p5:.1f}, 95 % below {self.p95:.1f}, 99 % below {self.p99:.1f}"
        return f"median {self.median:.1f} ms ({tails}; {self.runs} runs)"


def latency(run: Callable[[], object], device: torch.device, seconds: float = SHORTEST) -> Latency:
    """Time something that computes on a device; on a GPU by its own events, else by the clock.

    Args:
        run: what to time.
        device: where it computes.
        seconds: for how long to repeat it.
    """
    for _ in range(WARM_UP):
        _milliseconds(run, device)
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < FEWEST or time.perf_counter() - started < seconds:
        taken.append(_milliseconds(run, device))
    p5, median, p95, p99 = np.percentile(taken, [5, 50, 95, 99]).tolist()
    return Latency(median, p5, p95, p99, len(taken))


def _milliseconds(run: Callable[[], object], device: torch.device) -> float:
    """Return how long one call takes: on a GPU between two marks in its own queue, else by the clock."""
    if device.type == "cuda":
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        run()
        last.record()
        last.synchronize()
        return first.elapsed_time(last)
    started = time.perf_counter()
    run()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return 1000 * (time.perf_counter() - started)


def forward_latency(network: Network, images: Tensor, seconds: float = SHORTEST) -> Latency:
    """Time a forward pass without gradients; the network is put in evaluation mode.

    Args:
        network: any network, on any device.
        images: RGB in [0, 1], shape (N, 3, H, W), on its device; the time is that of all of them.
        seconds: for how long to repeat it.

    Raises:
        ValueError: if the images do not fit into the device's memory.
    """
    network.eval()
    try:
        with torch.inference_mode():
            return latency(lambda: network(images), images.device, seconds)
    except RuntimeError as error:
        batch, _, height, width = images.shape
        reason = str(error).splitlines()[0][:120]
        raise ValueError(f"{batch} images of {height} x {width} do not fit ({reason})") from None


def paired_speedup(
    slow: Callable[[], object], fast: Callable[[], object], device: torch.device, pairs: int = 20
) -> float:
    """Return how many times faster the second is: the median over calls that take turns.

    Machines are noisy; what disturbs one call of a pair is likely to disturb the other.
    """
    for run in (slow, fast) * WARM_UP:
        _milliseconds(run, device)
    ratios = [_milliseconds(slow, device) / _milliseconds(fast, device) for _ in range(pairs)]
    return float(np.median(ratios))


def training_step(network: Network, images: Tensor) -> Callable[[], None]:
    """Return a forward and a backward pass in training mode, auxiliary heads included.

    The loss is that of ``TERMS``; gradients are dropped. Running statistics of batch normalisation change:
    give a copy of a network that is still wanted.
    """
    network.train()
    terms = [LOSSES[name] for name in TERMS[network.head_kind]]
    target = torch.zeros(len(images), *images.shape[2:], dtype=torch.int64, device=images.device)
    weights = torch.ones(network.num_classes, device=images.device)

    def step() -> None:
        every = network.all_logits(images)
        sum(term(logits, target, weights) for logits in every for term in terms).backward()
        network.zero_grad(set_to_none=True)

    return step


@dataclass(frozen=True)
class PeakMemory:
    """The most that torch held at once during a call, beyond what it held before."""

    allocated: float
    """Megabytes (10^6 bytes) in tensors, the weights not counted: what the call needs."""
    reserved: float | None
    """Megabytes that torch has taken from the GPU driver in all, as the paper prints it: weights count, and
    room that is kept for later, and whatever came before. None on a CPU."""


def peak_of(run: Callable[[], object], device: torch.device) -> PeakMemory | None:
    """Return how much memory a call takes; None on a device that does not tell, such as Apple's.

    Args:
        run: what to measure; it was called before, so that what libraries set aside once is not counted.
        device: where it computes.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        torch.cuda.synchronize(device)
        peak, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
        return PeakMemory((peak - before) / 1e6, reserved / 1e6)
    if device.type != "cpu":
        return None
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    # add up what the profiler saw taken and given back
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return PeakMemory(peak / 1e6, None)


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


def watts(run: Callable[[], object], device: torch.device, seconds: float = 1.0) -> float | None:
    """Return the mean power of a GPU while something runs again and again; None where nothing tells.

    Only NVIDIA GPUs with the package ``nvidia-ml-py`` tell: no processor does so without special rights. The
    driver averages over a fraction of a second, and the first half of the time does not count.
    """
    if device.type != "cuda":
        return None
    try:
        torch.cuda.power_draw(device)
    except (ImportError, ModuleNotFoundError, RuntimeError):
        return None
    drawn = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        run()
        torch.cuda.synchronize(device)
        drawn.append(torch.cuda.power_draw(device) / 1000)
    return float(np.mean(drawn[len(drawn) // 2 :]))


@dataclass(frozen=True)
class Cost:
    """What one network costs on the device that it is on."""

    parameters: int
    """Numbers that training adjusts; auxiliary heads, which are dropped afterwards, not counted."""
    milliseconds: float
    """For one image in evaluation mode: the median of many calls, after a warm-up."""
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
