"""How long something takes: many runs after a warm-up, and waiting for the device, which works on its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.losses import LOSSES
from course_lib.models import Network

WARM_UP = 3
"""Runs that are not counted: libraries choose their kernels, memory is fetched, the clock rises."""

SHORTEST = 0.2
"""Seconds for which something is run again and again, by default."""

FEWEST = 5
"""Runs, however long they take."""

TERMS = {"linear": ("ce",), "isomax": ("eiml", "fl")}
"""What a network with either head is trained with, in the comparison of the paper's Figures 3 and 4."""


@dataclass(frozen=True)
class Latency:
    """What one run took, in milliseconds; smaller is better."""

    median: float
    p5: float
    """Five runs in a hundred were faster."""
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
    once = _by_events if device.type == "cuda" else _by_clock
    for _ in range(WARM_UP):
        once(run, device)
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < FEWEST or time.perf_counter() - started < seconds:
        taken.append(once(run, device))
    p5, median, p95, p99 = np.percentile(taken, [5, 50, 95, 99]).tolist()
    return Latency(median, p5, p95, p99, len(taken))


def _by_clock(run: Callable[[], object], device: torch.device) -> float:
    """Return milliseconds from start to end."""
    started = time.perf_counter()
    run()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return 1000 * (time.perf_counter() - started)


def _by_events(run: Callable[[], object], device: torch.device) -> float:
    """Return the milliseconds between two marks in the GPU's own queue."""
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    run()
    last.record()
    last.synchronize()
    return first.elapsed_time(last)


def example_images(network: Network, size: tuple[int, int], batch: int = 1) -> Tensor:
    """Return noise (batch, 3, H, W) on the network's device, the same on every call."""
    generator = torch.Generator().manual_seed(0)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    return torch.rand(batch, 3, *size, generator=generator).to(device)


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


def paired_speedup(
    slow: Callable[[], object], fast: Callable[[], object], device: torch.device, pairs: int = 20
) -> float:
    """Return how many times faster the second is: the median over runs that take turns.

    Machines are noisy; what disturbs one run of a pair is likely to disturb the other.
    """
    once = _by_events if device.type == "cuda" else _by_clock
    for run in (slow, fast) * WARM_UP:
        once(run, device)
    return float(np.median([once(slow, device) / once(fast, device) for _ in range(pairs)]))
