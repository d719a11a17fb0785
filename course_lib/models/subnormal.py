"""Weights too small for full precision, which are slow and count for nothing."""

import torch
from torch import nn


def flush_subnormal(module: nn.Module) -> None:
    """Set weights and buffers that are too small for full precision (float32: below 1.2e-38) to 0, in place.

    Long training with weight decay leaves thousands of them in dead channels. They add to an output less
    than rounding does, and make a convolution on a CPU many times slower. ``torch.set_flush_denormal`` would
    change how the caller's thread computes everything else.
    """
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.masked_fill_(tensor.abs() < torch.finfo(tensor.dtype).tiny, 0)
