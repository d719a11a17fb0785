"""What a network costs: parameters, multiply-adds, time, memory and power, one by one and in one row.

What is timed is called many times after a warm-up, and a device that works on its own is waited for.
"""

import copy
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import psutil
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course_lib import inference
from course_lib.losses import LOSSES
from course_lib.models import Network

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler would print its own diary on stderr

WARM_UP = 3
"""Calls that are not counted: libraries choose their kernels, memory is fetched, the clock rises."""


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
        network: any network, on any device; a copy is run once in evaluation mode.
        size: height and width of the image.
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(network).eval()(example_images(network, size))
    return counter.get_total_flops() // 2


@dataclass(frozen=True)
class Latency:
    """What one call took, in milliseconds; smaller is better. A percentile that too few runs tell is None."""

    median: float
    best: float
    """The fastest call."""
    p95: float | None
    """Five calls in a hundred were slower: what a system that must not be late has to reckon with."""
    p99: float | None
    runs: int

    @classmethod
    def of(cls, taken: Sequence[float]) -> "Latency":
        """Sum up the milliseconds of single calls."""
        p95, p99 = (
            float(np.percentile(taken, p)) if len(taken) >= fewest_runs(p) else None for p in (95, 99)
        )
        return cls(float(np.median(taken)), float(min(taken)), p95, p99, len(taken))

    def __repr__(self) -> str:
        """Return it as people read it."""
        tails = {95: self.p95, 99: self.p99}
        told = "".join(f", {p} % below {value:.1f}" for p, value in tails.items() if value is not None)
        return f"median {self.median:.1f} ms (best {self.best:.1f}{told}; {self.runs} runs)"


def fewest_runs(percentile: int) -> int:
    """Return with how many runs one of them may be expected beyond a percentile.

    >>> fewest_runs(95), fewest_runs(99)
    (20, 100)
    """
    return 100 // (100 - percentile)


def latency(
    run: Callable[[], object], device: torch.device, seconds: float = 0.2, fewest: int = 5
) -> Latency:
    """Time something that computes on a device; on a GPU by its own events, else by the clock.

    Args:
        run: what to time.
        device: where it computes.
        seconds: for how long to repeat it.
        fewest: how often to repeat it at least.
    """
    for _ in range(WARM_UP):
        _timed(run, device)
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < fewest or time.perf_counter() - started < seconds:
        taken.append(_timed(run, device)[0])
    return Latency.of(taken)


def in_turns(
    runs: Mapping[str, Callable[[], object]], device: torch.device, rounds: int = 20, warm_up: int = WARM_UP
) -> pd.DataFrame:
    """Time several things in turns, so that what else the machine does disturbs all of them alike.

    Args:
        runs: what to time, by name.
        device: where they compute.
        rounds: how often each has its turn.
        warm_up: and how often before, uncounted.

    Returns:
        Milliseconds, a row for each round, a column for each name.
    """
    rows = range(warm_up + rounds)
    taken = [{name: _timed(run, device)[0] for name, run in runs.items()} for _ in rows]
    return pd.DataFrame(taken[warm_up:])


def in_a_row(
    steps: Mapping[str, Callable[[Any], object]], given: object, device: torch.device, rounds: int = 20
) -> pd.DataFrame:
    """Time steps of which each takes what the one before it returned.

    Args:
        steps: functions of one argument, by name, the first one first.
        given: what the first step takes.
        device: where they compute.
        rounds: how often the whole row is run, after a warm-up.

    Returns:
        Milliseconds, a row for each round, a column for each step; the sum of a row is the whole.
    """
    taken = []
    for _ in range(WARM_UP + rounds):
        found, row = given, {}
        for name, step in steps.items():
            row[name], found = _timed(partial(step, found), device)
        taken.append(row)
    return pd.DataFrame(taken[WARM_UP:])


def _timed(run: Callable[[], object], device: torch.device) -> tuple[float, object]:
    """Return the milliseconds of a call, on a GPU between marks in its own queue, and what it returned."""
    if device.type == "cuda":
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        found = run()
        last.record()
        last.synchronize()
        return first.elapsed_time(last), found
    started = time.perf_counter()
    found = run()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return 1000 * (time.perf_counter() - started), found


@dataclass(frozen=True)
class Load:
    """How busy this machine is with other things; shown as one line, with a warning where they disturb."""

    others: float
    """Cores that other programs keep busy, on average."""
    threads: int
    """With which torch computes."""
    cores: int

    @property
    def is_too_high(self) -> bool:
        """Whether torch and the others together want more cores than there are."""
        return self.others + self.threads > self.cores + SPARE

    def __repr__(self) -> str:
        """Return it as people read it."""
        told = f"other programs keep {self.others:.1f} of {self.cores} cores busy, torch wants {self.threads}"
        if self.is_too_high:
            return f"! {told}: times below are too long and vary; close other programs, or trust ratios alone"
        return f"✓ {told}: there is room for both"


SPARE = 0.3
"""Of a core: so much goes on in any machine at rest."""


def load(seconds: float = 0.5) -> Load:
    """Look for so long at what others compute on this machine, and compute nothing meanwhile."""
    cores = os.cpu_count() or 1
    return Load(psutil.cpu_percent(seconds) / 100 * cores, torch.get_num_threads(), cores)


def forward_latency(network: Network, images: Tensor, seconds: float = 0.2, fewest: int = 5) -> Latency:
    """Time a forward pass without gradients; the network is put in evaluation mode.

    Args:
        network: any network, on any device.
        images: RGB in [0, 1], shape (N, 3, H, W), on its device; the time is that of all of them.
        seconds: for how long to repeat it.
        fewest: how often to repeat it at least.

    Raises:
        ValueError: if the images do not fit into the device's memory.
    """
    network.eval()
    try:
        with torch.inference_mode():
            return latency(lambda: network(images), images.device, seconds, fewest)
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
    taken = in_turns({"slow": slow, "fast": fast}, device, pairs)
    return float((taken["slow"] / taken["fast"]).median())


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
    cpu = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=cpu, profile_memory=True) as profiler:
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

    It is the part of the memory of training that grows with size and number of the images.

    Args:
        network: any network, left as it is; in training mode its auxiliary heads take part.
        images: RGB float in [0, 1], shape (N, 3, H, W).
    """
    network = copy.deepcopy(network)  # running statistics change
    own = {tensor.untyped_storage().data_ptr() for tensor in [*network.state_dict().values(), images]}
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        kept_alive = network.all_logits(images)
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
    """Measure a network.

    Args:
        network: any network, on any device; it is left as it is.
        size: height and width of the image, in pixels.
    """
    network, image = copy.deepcopy(network), example_images(network, size)
    milliseconds = forward_latency(network, image).median
    return Cost(count_parameters(network), milliseconds, saved_bytes(network.train(), image) / 1e6)


# fmt: off
PROFILE_COLUMNS = (
    "model", "head", "speed", "device", "height", "width", "batch",
    "milliseconds", "best", "p95", "p99", "runs", "images_per_second",
    "giga_macs", "million_parameters", "peak_megabytes", "reserved_megabytes", "watts",
    "training_milliseconds", "training_megabytes", "same_class",
)
# fmt: on
"""Of the table of ``profile``. Times are milliseconds for the whole batch; megabytes are those of
``PeakMemory.allocated``; MACs are multiply-adds of one image; ``same_class`` is the percentage of pixels to
which plain inference gives the same class. What a device cannot give is missing."""


@dataclass(frozen=True)
class Subject:
    """A network to be profiled."""

    name: str
    network: Network
    pictures: tuple[torch.Tensor, ...] = ()
    """Images (N, 3, H, W) on the network's device on which the classes of a faster network are compared."""


def profile(
    subject: Subject,
    size: tuple[int, int],
    speed: str = "plain",
    batch: int = 1,
    seconds: float = 1.0,
    fast: Network | None = None,
    found: Latency | None = None,
) -> dict:
    """Measure a network in inference.

    Args:
        subject: any network, on any device.
        size: height and width of the images.
        speed: a name of ``inference.SPEEDS``, or that of ``fast``.
        batch: how many images at once.
        seconds: for how long to repeat.
        fast: what to measure in the network's place; by default ``inference.accelerate`` makes it.
        found: its time, if it was measured already, in turns with others.

    Returns:
        One row with ``PROFILE_COLUMNS``, but for those of training.

    Raises:
        ValueError: if the device cannot take a step, or the images do not fit into its memory.
    """
    plain = subject.network.eval()
    fast = inference.accelerate(plain, speed) if fast is None else fast
    images = example_images(plain, size, batch)
    found = found or forward_latency(fast, images, seconds)
    with torch.inference_mode():
        # torch sees nothing of their memory
        outside = isinstance(fast, inference.NetworkInFile)
        peak = None if outside else peak_of(lambda: fast(images), images.device)
        drawn = watts(lambda: fast(images), images.device)
    pictures = subject.pictures
    return {
        "model": subject.name,
        "head": plain.head_kind,
        "speed": speed,
        "device": str(images.device),
        "height": size[0],
        "width": size[1],
        "batch": batch,
        "milliseconds": found.median,
        "best": found.best,
        "p95": found.p95,
        "p99": found.p99,
        "runs": found.runs,
        "images_per_second": 1000 * batch / found.median,
        "giga_macs": multiply_adds(plain, size) / 1e9,
        "million_parameters": count_parameters(plain) / 1e6,
        "peak_megabytes": peak.allocated if peak else None,
        "reserved_megabytes": peak.reserved if peak else None,
        "watts": drawn,
        "same_class": 100 * inference.agreement(plain, fast, pictures).argmax if pictures else None,
    }


def profile_training(subject: Subject, size: tuple[int, int], batch: int = 1, seconds: float = 1.0) -> dict:
    """Measure a forward and a backward pass with auxiliary heads; the row goes beside one of ``profile``.

    The loss is cross-entropy, with an isomax head EIML and focal loss, as in the paper's Figures 3 and 4.
    """
    step, device = _training_step(subject, size, batch)
    return _training_row(latency(step, device, seconds), step, device)


def compare(
    subjects: Sequence[Subject], size: tuple[int, int], rounds: int = 20, training_rounds: int = 7
) -> pd.DataFrame:
    """Measure networks in turns, one image at a time, in inference and in training.

    Args:
        subjects: any networks, on one device; their names may be equal.
        size: height and width of the image.
        rounds: how often each has its turn in inference.
        training_rounds: and in a training step, as of ``profile_training``.

    Returns:
        The table of ``profile_table``, a row for each network.
    """
    images = [example_images(one.network.eval(), size) for one in subjects]
    steps, device = [_training_step(one, size, 1)[0] for one in subjects], images[0].device
    passes = {n: partial(one.network, images[n]) for n, one in enumerate(subjects)}
    with torch.inference_mode():
        times = in_turns(passes, device, rounds)
    training_times = in_turns(dict(enumerate(steps)), device, training_rounds, warm_up=1)  # they take long
    rows = []
    for n, one in enumerate(subjects):
        row = profile(one, size, found=Latency.of(times[n].tolist()))
        rows.append(row | _training_row(Latency.of(training_times[n].tolist()), steps[n], device))
    return profile_table(rows)


def _training_step(
    subject: Subject, size: tuple[int, int], batch: int
) -> tuple[Callable[[], None], torch.device]:
    """Return a forward and backward pass of a copy of a network, and where it computes."""
    network = copy.deepcopy(subject.network).train()  # running statistics change
    images = example_images(network, size, batch)
    terms = [LOSSES[name] for name in (("eiml", "fl") if network.head_kind == "isomax" else ("ce",))]
    target = torch.zeros(batch, *size, dtype=torch.int64, device=images.device)
    weights = torch.ones(network.num_classes, device=images.device)

    def step() -> None:
        every = network.all_logits(images)
        sum(term(logits, target, weights) for logits in every for term in terms).backward()
        network.zero_grad(set_to_none=True)

    return step, images.device


def _training_row(found: Latency, step: Callable[[], None], device: torch.device) -> dict:
    """Return the columns of training."""
    peak = peak_of(step, device)
    return {"training_milliseconds": found.median, "training_megabytes": peak.allocated if peak else None}


def profile_table(rows: list[dict]) -> pd.DataFrame:
    """Return rows as a tidy table."""
    return pd.DataFrame(rows, columns=PROFILE_COLUMNS)
