"""Weights by a closed form, so that two implementations can be compared without a weights file."""

import numpy as np
import torch

GAIN = {"erfnet": 4.0, "enet": 5.1, "bisenetv2": 8.0, "espnetv2_0.5": 6.0, "efficientnet_lite0": 6.0}


def uniform(count: int, k: int) -> np.ndarray:
    """Return ``count`` reproducible numbers in [-1, 1)."""
    i = np.arange(count, dtype=np.int64)
    h = (48271 * i * i + 1597334677 * i + 1013904223 * (k + 1)) % 2147483647
    return 2.0 * h / 2147483647 - 1.0


def value_of(name: str, shape: tuple[int, ...], k: int, gain: float) -> torch.Tensor:
    """Return the tensor that stands at position ``k`` of a state_dict."""
    count, last = int(np.prod(shape)), name.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    u = uniform(count, k)
    if len(shape) >= 2:
        filled = u * np.sqrt(gain / (count / shape[0]))
    elif last == "weight":
        filled = (0.25 if count == 1 else 1.0) + 0.1 * u
    elif last == "running_mean":
        filled = 0.05 * u
    elif last == "running_var":
        filled = 1.0 + 0.2 * u
    else:
        filled = 0.1 * u
    return torch.from_numpy(filled.astype(np.float32).reshape(shape))


def fill(network: torch.nn.Module, gain: float) -> None:
    """Fill a whole network, in float32."""
    state = network.state_dict()
    network.load_state_dict(
        {name: value_of(name, tuple(t.shape), k, gain) for k, (name, t) in enumerate(state.items())}
    )
