"""Last layers other than a convolution: what turns features into logits."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HEADS = ("linear", "isomax")
"""The kinds of last layer: the networks' own convolution, or ``IsoMaxPlus``."""


class IsoMaxPlus(nn.Module):
    """Logits are minus the distances from a pixel's feature to one learnt prototype per class.

    Only directions count: features and prototypes are brought to length 1, so that a distance is 0 to 2
    before it is multiplied by a learnt scale.

    Source: Macêdo and Ludermir, "Enhanced Isotropy Maximization Loss", 2021.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Draw ``out_channels`` prototypes of ``in_channels`` numbers; the scale starts at 1."""
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.prototypes = nn.Parameter(torch.randn(out_channels, in_channels))
        self.distance_scale = nn.Parameter(torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, in, h, w) to logits (N, out, h, w), at most 0; those of a feature of length 0 are all equal."""
        with torch.autocast(features.device.type, enabled=False):  # small distances need every digit
            features = F.normalize(features.to(self.prototypes.dtype), dim=1, eps=1e-4)
            prototypes = F.normalize(self.prototypes, dim=1)
            lengths = features.square().sum(dim=1, keepdim=True) + prototypes.square().sum(dim=1).view(
                -1, 1, 1
            )
            squares = lengths - 2 * F.conv2d(features, prototypes[:, :, None, None])
            return -self.distance_scale.abs() * squares.clamp(min=1e-12).sqrt()
