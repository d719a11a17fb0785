"""How near a layer comes to what the machine could do: the roofline."""

from dataclasses import dataclass

import pandas as pd
import torch

from course_lib.profiling.timing import latency

MATRIX = 1024  # rows and columns of the product that shows the peak of arithmetic
BLOCK = 64 << 20  # bytes of the copy that shows the peak of memory; larger than any cache


@dataclass(frozen=True)
class Ceilings:
    """What this machine reaches at its best, measured."""

    giga_macs_per_second: float
    """10^9 multiply-adds in float32 a second, in a product of large matrices."""
    gigabytes_per_second: float
    """10^9 bytes a second, read and written, in a copy of a large block."""

    @property
    def ridge(self) -> float:
        """MACs per byte from which on arithmetic is the limit, and below which memory is."""
        return self.giga_macs_per_second / self.gigabytes_per_second


def measure_ceilings(device: torch.device) -> Ceilings:
    """Measure a device in a second or so."""
    matrix = torch.rand(MATRIX, MATRIX, device=device)
    block = torch.zeros(BLOCK // 4, device=device)
    copied = torch.empty_like(block)
    product = latency(lambda: matrix @ matrix, device)
    copy = latency(lambda: copied.copy_(block), device)
    return Ceilings(MATRIX**3 / product.p5 / 1e6, 2 * BLOCK / copy.p5 / 1e6)


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
