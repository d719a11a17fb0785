"""What a detector adds to a score: smoothing over neighbouring pixels, and the distance to known features."""

import hashlib
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models import Network

REACH = 3.0
"""The Gaussian ends at so many sigmas; 0.3 % of it lies beyond."""

MOST_BYTES = 2_000_000
"""Of a bank, on disk and in memory."""

CHUNK = 512  # entries of a bank that all places are compared with at once


def smoothed(scores: Tensor, sigma: float) -> Tensor:
    """Return score maps as a Gaussian sees them: objects are larger than pixels.

    Args:
        scores: float (N, H, W), on any device; larger is more anomalous.
        sigma: of the Gaussian, in pixels of these maps. Beyond the edges the last row and column repeat.

    Returns:
        Scores of the same shape, on the same device; larger is more anomalous.

    Raises:
        ValueError: if the shape is another, or sigma is not a positive number.
    """
    check_sigma(sigma)
    if scores.dim() != 3 or not scores.is_floating_point():
        raise ValueError(f"need float scores (N, H, W), got {scores.dtype} of {tuple(scores.shape)}")
    radius = int(REACH * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = (-((offsets / sigma) ** 2) / 2).exp()
    weights = (weights / weights.sum()).to(scores)
    maps = scores[:, None]
    for pads, shape in (((radius, radius, 0, 0), (1, -1)), ((0, 0, radius, radius), (-1, 1))):
        maps = F.conv2d(F.pad(maps, pads, mode="replicate"), weights.view(1, 1, *shape))
    return maps[:, 0]


def check_sigma(sigma: float) -> None:
    """Raise a ValueError unless sigma is a positive number."""
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma of the smoothing must be a positive number of pixels, got {sigma}")


class FeatureBank(nn.Module):
    """What an encoder has seen of training images at one stride: directions of its features."""

    def __init__(self, directions: Tensor, stride: int, weights_digest: str, images_digest: str) -> None:
        """Keep them in half precision.

        Args:
            directions: features (M, C), of length 1; only their directions will count.
            stride: of the encoder's map that they were drawn from.
            weights_digest: of ``digest_of`` the network.
            images_digest: of the images, as ``draw_banks`` makes it.

        Raises:
            ValueError: if the bank is empty, a feature is not finite, or it takes more than ``MOST_BYTES``.
        """
        super().__init__()
        shape, directions = tuple(directions.shape), directions.half()
        if len(shape) != 2 or not directions.numel():
            raise ValueError(f"need features (M, C) for a bank, got {shape}")
        if not directions.isfinite().all():
            raise ValueError("features for a bank are not finite; the network's weights are broken")
        if directions.nbytes > MOST_BYTES:
            raise ValueError(
                f"a bank of {shape} takes {directions.nbytes / 1e6:.1f} MB, more than "
                f"{MOST_BYTES / 1e6:g}; draw fewer"
            )
        self.register_buffer("directions", directions)
        self.stride, self.weights_digest, self.images_digest = stride, weights_digest, images_digest

    def check(self, network: Network) -> None:
        """Raise a ValueError if the bank was drawn with other weights than a network's."""
        if digest_of(network) != self.weights_digest:
            raise ValueError(
                f"the bank at 1/{self.stride} was drawn with other weights than this network's; fit the "
                "detector again"
            )


def distance_to_known(features: Tensor, bank: FeatureBank, neighbours: int = 5) -> Tensor:
    """Return how far each place is from what the encoder knows: 1 - mean cosine of the nearest in a bank.

    All places are compared with some of the bank at a time, so that memory does not grow with the bank.

    Args:
        features: float (N, C, h, w), the encoder's map at the bank's stride, on the bank's device.
        bank: of the same network.
        neighbours: k, how many of the nearest count.

    Returns:
        Scores (N, h, w) in [0, 2]; larger is more anomalous.

    Raises:
        ValueError: if shapes do not fit, or the bank has fewer than ``neighbours`` entries.

    Source: Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022, who take the
    distance of the k-th alone.
    """
    count, channels = bank.directions.shape
    if features.dim() != 4 or features.shape[1] != channels:
        raise ValueError(
            f"need features (N, {channels}, h, w) for a bank of {channels} channels, got "
            f"{tuple(features.shape)}"
        )
    if not 1 <= neighbours <= count:
        raise ValueError(f"neighbours must be 1 to {count}, the entries of the bank; got {neighbours}")
    places = F.normalize(features.float(), dim=1).flatten(2).mT  # (N, h w, C)
    known = F.normalize(bank.directions.float(), dim=1)  # again: half precision has rounded them
    nearest = None
    for start in range(0, count, CHUNK):
        some = known[start : start + CHUNK]
        cosines = (places @ some.mT).topk(min(neighbours, len(some)), dim=2).values
        nearest = cosines if nearest is None else torch.cat([nearest, cosines], dim=2)
    cosines = nearest.topk(neighbours, dim=2).values
    return (1 - cosines.mean(dim=2)).clamp(min=0).unflatten(1, features.shape[-2:])


def digest_of(network: Network) -> str:
    """Return the SHA-256 of all weights that the logits may depend on, as ``load`` would give them back."""
    state = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        if tensor.is_floating_point() and not network.is_auxiliary(name):
            values = tensor.detach().float().cpu()
            values = values.masked_fill(values.abs() < torch.finfo(values.dtype).tiny, 0)
            state.update(name.encode() + b"\0" + values.contiguous().numpy().tobytes())
    return state.hexdigest()
