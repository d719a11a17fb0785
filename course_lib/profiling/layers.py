"""Where the time and the memory of a network go, layer by layer."""

import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.models import Network
from course_lib.profiling.timing import example_images

RUNS = 5


def profile_layers(network: Network, size: tuple[int, int], runs: int = RUNS) -> pd.DataFrame:
    """Measure every layer of a network on one image, in evaluation mode.

    What happens between layers (sums, activations without a module) is in no row, so that the rows add up to
    less than the whole.

    Args:
        network: any network, on any device.
        size: height and width of the image.
        runs: of each layer; the median counts.

    Returns:
        One row per layer, in the order of calls: layer, kind, milliseconds, output_megabytes (10^6 bytes that
        it writes), moved_megabytes (read and written, weights included), mega_macs (10^6 multiply-adds).
    """
    images = example_images(network, size)
    network.eval()
    rows = _sizes(network, images)
    seconds: dict[str, list[float]] = defaultdict(list)
    handles = [h for name, layer in _layers(network) for h in _stopwatch(name, layer, seconds, images.device)]
    try:
        with torch.inference_mode():
            for _ in range(runs + 1):
                network(images)
    finally:
        for handle in handles:
            handle.remove()
    frame = pd.DataFrame(rows)
    # the first run warms up; a layer that is called more than once counts each time
    calls = {name: len(taken) // (runs + 1) for name, taken in seconds.items()}
    taken = {n: 1000 * calls[n] * float(np.median(s[calls[n] :])) for n, s in seconds.items()}
    frame.insert(2, "milliseconds", frame["layer"].map(taken))
    return frame


def _layers(network: Network) -> list[tuple[str, nn.Module]]:
    """Return the modules that have no parts."""
    return [(name, layer) for name, layer in network.named_modules() if not list(layer.children())]


def _sizes(network: Network, images: Tensor) -> list[dict]:
    """Return what can be counted of each layer, from one run."""
    rows: list[dict] = []
    counter, counted = FlopCounterMode(display=False), 0

    def note(name: str) -> Callable:
        def hook(layer: nn.Module, given: tuple, result: Tensor) -> None:
            nonlocal counted
            numbers = sum(t.numel() for t in (*given, result, *layer.parameters()))
            before, counted = counted, counter.get_total_flops() // 2
            rows.append(
                {
                    "layer": name,
                    "kind": type(layer).__name__,
                    "output_megabytes": result.numel() * result.element_size() / 1e6,
                    "moved_megabytes": numbers * result.element_size() / 1e6,
                    "mega_macs": (counted - before) / 1e6,
                }
            )

        return hook

    handles = [layer.register_forward_hook(note(name)) for name, layer in _layers(network)]
    try:
        with counter, torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return rows


def _stopwatch(name: str, layer: nn.Module, seconds: dict[str, list[float]], device: torch.device) -> list:
    """Time each call of a layer; a GPU is waited for, which makes the whole slower but the parts right."""
    started: list[float] = []

    def wait() -> float:
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        return time.perf_counter()

    return [
        layer.register_forward_pre_hook(lambda *_: started.append(wait())),
        layer.register_forward_hook(lambda *_: seconds[name].append(wait() - started.pop())),
    ]
