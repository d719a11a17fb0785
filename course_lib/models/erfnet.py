"""ERFNet (Romera et al., "ERFNet", IEEE T-ITS 2018), number for number the authors' public PyTorch version.

Its idea is the non-bottleneck-1D block: a residual block whose 3x3 convolutions are split into 3x1 and 1x3,
a third fewer weights, wide receptive field by dilation. Names of layers are those of the public weights.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.network import Network

BATCH_NORM_EPS = 1e-3  # the authors' value, not torch's default of 1e-5


class Downsampler(nn.Module):
    """Halve both sides: a strided convolution and a max-pool of the input, side by side."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """The convolution supplies the channels that the pooled input lacks."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(out_channels, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H/2, W/2)."""
        return F.relu(self.bn(torch.cat([self.conv(x), F.max_pool2d(x, 2)], dim=1)))


class NonBottleneck1D(nn.Module):
    """Two factorised 3x3 convolutions, the second dilated, added to the input."""

    def __init__(self, channels: int, dropout: float, dilation: int) -> None:
        """Keep channels and size; drop whole channels with probability ``dropout``."""
        super().__init__()
        self.conv3x1_1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.conv1x3_1 = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1))
        self.bn1 = nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS)
        self.conv3x1_2 = nn.Conv2d(channels, channels, (3, 1), padding=(dilation, 0), dilation=(dilation, 1))
        self.conv1x3_2 = nn.Conv2d(channels, channels, (1, 3), padding=(0, dilation), dilation=(1, dilation))
        self.bn2 = nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        y = F.relu(self.conv3x1_1(x))
        y = F.relu(self.bn1(self.conv1x3_1(y)))
        y = F.relu(self.conv3x1_2(y))
        y = self.dropout(self.bn2(self.conv1x3_2(y)))
        return F.relu(x + y)


def example_block(channels: int, dropout: float, dilation: int) -> NonBottleneck1D:
    """Return a block in evaluation mode in which every number matters, as after training.

    In a fresh block the normalisations change next to nothing, so that a wrong order would go unnoticed.
    """
    block = NonBottleneck1D(channels, dropout, dilation).eval()
    with torch.no_grad():
        for norm in (block.bn1, block.bn2):
            norm.weight.normal_()
            norm.bias.normal_()
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.001, 0.1)
    return block


class Upsampler(nn.Module):
    """Double both sides with a strided transposed convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """``output_padding=1`` makes the result exactly twice as large."""
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
        self.bn = nn.BatchNorm2d(out_channels, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, 2H, 2W)."""
        return F.relu(self.bn(self.conv(x)))


class Encoder(nn.Module):
    """Image to 128 channels at 1/8; ``output_conv`` serves only to train the encoder alone."""

    def __init__(self, num_classes: int) -> None:
        """Five blocks at 1/4, then eight at 1/8 whose dilation grows from 2 to 16, twice."""
        super().__init__()
        self.initial_block = Downsampler(3, 16)
        self.layers = nn.Sequential(
            Downsampler(16, 64),
            *(NonBottleneck1D(64, dropout=0.03, dilation=1) for _ in range(5)),
            Downsampler(64, 128),
            *(NonBottleneck1D(128, dropout=0.3, dilation=d) for d in (2, 4, 8, 16) * 2),
        )
        self.output_conv = nn.Conv2d(128, num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 128, H/8, W/8)."""
        return self.layers(self.initial_block(images))


class Decoder(nn.Module):
    """128 channels at 1/8 to 16 channels at 1/2; ``output_conv`` is the network's classifier."""

    def __init__(self, num_classes: int) -> None:
        """Two upsamplers with two blocks behind each."""
        super().__init__()
        self.layers = nn.Sequential(
            Upsampler(128, 64),
            *(NonBottleneck1D(64, dropout=0, dilation=1) for _ in range(2)),
            Upsampler(64, 16),
            *(NonBottleneck1D(16, dropout=0, dilation=1) for _ in range(2)),
        )
        self.output_conv = nn.ConvTranspose2d(16, num_classes, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 128, H/8, W/8) to (N, 16, H/2, W/2)."""
        return self.layers(x)


class ERFNet(Network):
    """ERFNet: 2.07 million parameters, features 16 channels at 1/2."""

    size_multiple = 8
    feature_channels = 16
    classifier_name = "decoder.output_conv"
    encoder_names = ("encoder",)
    idle_names = ("encoder.output_conv",)
    scale_modules: ClassVar[dict[int, str]] = {4: "encoder.layers.5", 8: "encoder"}

    def __init__(self, num_classes: int) -> None:
        """Build with random weights; 19 or 20 outputs."""
        super().__init__()
        self.encoder = Encoder(num_classes)
        self.decoder = Decoder(num_classes)

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 16, H/2, W/2)."""
        return self.decoder(self.encoder(images))
