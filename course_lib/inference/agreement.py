"""How far a faster network's answers are from the original's."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.models import Network


@dataclass(frozen=True)
class Agreement:
    """Two networks on the same images."""

    argmax: float
    """Share of pixels to which both give the same class; 1 is best."""
    largest_difference: float
    """Between two logits of the same pixel and class; 0 is best."""
    pixels: int


def agreement(reference: Network, other: Network, batches: Iterable[Tensor]) -> Agreement:
    """Compare the logits of two networks.

    Args:
        reference: the network as it was trained; its mode and device stay as they are.
        other: what should give the same.
        batches: RGB float in [0, 1], shape (N, 3, H, W).

    Raises:
        ValueError: if there is no batch.
    """
    same = pixels = 0
    largest = 0.0
    for images in batches:
        with torch.inference_mode():
            first, second = reference(images).float(), other(images).float()
        same += int((first.argmax(dim=1) == second.argmax(dim=1)).sum())
        pixels += first[:, 0].numel()
        largest = max(largest, float((first - second).abs().amax()))
    if not pixels:
        raise ValueError("need one batch of images or more to compare two networks, got none")
    return Agreement(same / pixels, largest, pixels)
