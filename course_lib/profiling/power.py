"""How many watts a GPU draws, where its driver tells."""

import time
from collections.abc import Callable

import torch

SECONDS = 1.0
"""The driver averages over a fraction of a second; shorter runs would show the time before."""


def watts(run: Callable[[], object], device: torch.device, seconds: float = SECONDS) -> float | None:
    """Return the mean power of a GPU while something runs again and again; None where nothing tells.

    Only NVIDIA GPUs with the package ``nvidia-ml-py`` tell: no processor does so without special rights.
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
    return sum(drawn[len(drawn) // 2 :]) / (len(drawn) - len(drawn) // 2)
