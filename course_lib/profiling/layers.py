"""Where the time and the memory of a network go, layer by layer, and how near each comes to the roofline."""

import copy
import time
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.models import Network
from course_lib.profiling.measure import example_images, latency


def profile_layers(network: Network, size: tuple[int, int], runs: int = 5) -> pd.DataFrame:
    """Measure every layer of a network on one image, in evaluation mode.

    What happens between layers (sums, activations without a module) is in no row, so that the rows add up to
    less than the whole.

    Args:
        network: any network, on any device; it is left as it is.
        size: height and width of the image.
        runs: how often each layer is timed; the median counts.

    Returns:
        One row per layer, in the order of calls: layer, kind, milliseconds, output_megabytes (10^6 bytes that
        it writes), moved_megabytes (read and written, weights included), mega_macs (10^6 multiply-adds).
    """
    network, images = copy.deepcopy(network).eval(), example_images(network, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)
    counts = counter.get_flop_counts()
    rows: dict[str, dict] = {}
    taken: dict[str, list[float]] = defaultdict(list)

    def now() -> float:  # a GPU is waited for, which makes the whole slower but the parts right
        if images.device.type != "cpu":
            torch.accelerator.synchronize(images.device)
        return 1000 * time.perf_counter()

    def before(name: str, *_: object) -> None:
        taken[name].append(-now())

    def after(name: str, layer: nn.Module, given: tuple, result: Tensor) -> None:
        taken[name][-1] += now()
        numbers = sum(t.numel() for t in (*given, result, *layer.parameters()))
        rows[name] = {
            "layer": name,
            "kind": type(layer).__name__,
            "output_megabytes": result.numel() * result.element_size() / 1e6,
            "moved_megabytes": numbers * result.element_size() / 1e6,
            "mega_macs": sum(counts.get(f"{type(network).__name__}.{name}", {}).values()) / 2e6,
        }

    for name, layer in network.named_modules():
        if not list(layer.children()):
            layer.register_forward_pre_hook(partial(before, name))
            layer.register_forward_hook(partial(after, name))
    with torch.inference_mode():
        for _ in range(runs + 1):
            network(images)
    frame = pd.DataFrame(rows.values())
    # the first time warms up
    frame.insert(2, "milliseconds", [float(np.median(taken[name][1:])) for name in rows])
    return frame


@dataclass(frozen=True)
class Ceilings:
    """What this machine reaches at its best, measured."""

    giga_macs_per_second: float
    """10^9 multiply-adds in float32 a second, in the fastest product of matrices."""
    gigabytes_per_second: float
    """10^9 bytes a second, read and written, in the fastest copy of a block."""

    @property
    def ridge(self) -> float:
        """MACs per byte from which on arithmetic is the limit, and below which memory is."""
        return self.giga_macs_per_second / self.gigabytes_per_second


SIDES = {"cpu": (256, 512, 1024)}
"""Of square matrices whose products are timed, by device; a GPU gets ``LARGE_SIDES``."""

MEBIBYTES = {"cpu": (1, 4, 16)}
"""Of blocks that are copied; a processor is at its best where they fit into its cache, as small images do."""

LARGE_SIDES, LARGE_MEBIBYTES = (1024, 4096, 8192), (64, 256)

SECONDS = 0.5
"""For which each product is repeated."""


def measure_ceilings(device: torch.device) -> Ceilings:
    """Measure a device in some seconds: the fastest of many short products, and of many copies.

    However many of them something disturbs, the fastest tells what the device can do.
    """
    products = {}
    for side in SIDES.get(device.type, LARGE_SIDES):
        matrix, result = torch.rand(side, side, device=device), torch.empty(side, side, device=device)
        products[side] = latency(partial(torch.mm, matrix, matrix, out=result), device, SECONDS).best
    copies = {}
    for size in MEBIBYTES.get(device.type, LARGE_MEBIBYTES):
        block = torch.zeros(size << 18, device=device)
        copies[2 * block.nbytes] = latency(partial(torch.empty_like(block).copy_, block), device).best
    giga_macs = max(side**3 / taken for side, taken in products.items()) / 1e6
    return Ceilings(giga_macs, max(moved / taken for moved, taken in copies.items()) / 1e6)


def roofline(layers: pd.DataFrame, ceilings: Ceilings) -> pd.DataFrame:
    """Return layers that compute, with their place under the roof.

    Args:
        layers: of ``profile_layers``.
        ceilings: of the same device.

    Returns:
        The rows with multiply-adds, and of each: intensity (MACs per byte moved), giga_macs_per_second, and
        roof, the most that the machine allows at that intensity.

    Source: Williams, Waterman and Patterson, "Roofline", Communications of the ACM, 2009.
    """
    computing = layers[layers["mega_macs"] > 0].copy()
    computing["intensity"] = computing["mega_macs"] / computing["moved_megabytes"]
    computing["giga_macs_per_second"] = computing["mega_macs"] / computing["milliseconds"]
    by_memory = computing["intensity"] * ceilings.gigabytes_per_second
    computing["roof"] = by_memory.clip(upper=ceilings.giga_macs_per_second)
    return computing
