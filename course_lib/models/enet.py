"""ENet (Paszke et al., "ENet", 2016), number for number the public davidtvs/PyTorch-ENet.

Its ideas: shrink the image at once, keep few channels, and remember *where* each maximum was when pooling,
so that the decoder can put it back. Names of layers are those of the public weights.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.network import Network

# kind of block and, for dilated ones, the dilation; the encoder's stages 2 and 3 are alike
FIRST_STAGE = (("regular", 1),) * 4
LATER_STAGE = (
    ("regular", 1),
    ("dilated", 2),
    ("asymmetric", 1),
    ("dilated", 4),
    ("regular", 1),
    ("dilated", 8),
    ("asymmetric", 1),
    ("dilated", 16),
)


def _normalised(conv: nn.Module, relu: bool) -> list[nn.Module]:
    """Return a convolution, its batch normalisation and its activation; the encoder learns a PReLU."""
    return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU() if relu else nn.PReLU()]


def _conv(in_channels: int, out_channels: int, kernel: int | tuple[int, int], **options) -> nn.Conv2d:
    """Return a convolution without bias: batch normalisation follows, which would cancel it."""
    return nn.Conv2d(in_channels, out_channels, kernel, bias=False, **options)


class InitialBlock(nn.Module):
    """Halve the image: 13 channels by convolution, 3 by pooling the image itself."""

    def __init__(self) -> None:
        """16 channels come out."""
        super().__init__()
        self.main_branch = _conv(3, 13, 3, stride=2, padding=1)
        self.batch_norm = nn.BatchNorm2d(16)
        self.out_activation = nn.PReLU()

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 16, H/2, W/2)."""
        pooled = F.max_pool2d(images, 3, stride=2, padding=1)
        return self.out_activation(self.batch_norm(torch.cat([self.main_branch(images), pooled], dim=1)))


class Bottleneck(nn.Module):
    """Squeeze to a quarter of the channels, convolve, expand, add to the input."""

    def __init__(self, channels: int, kind: str, dilation: int, dropout: float, relu: bool) -> None:
        """``kind`` is regular, dilated or asymmetric (5x1 then 1x5)."""
        super().__init__()
        inner = channels // 4
        self.ext_conv1 = nn.Sequential(*_normalised(_conv(channels, inner, 1), relu))
        if kind == "asymmetric":
            first = _normalised(_conv(inner, inner, (5, 1), padding=(2, 0)), relu)
            middle = first + _normalised(_conv(inner, inner, (1, 5), padding=(0, 2)), relu)
        else:
            middle = _normalised(_conv(inner, inner, 3, padding=dilation, dilation=dilation), relu)
        self.ext_conv2 = nn.Sequential(*middle)
        self.ext_conv3 = nn.Sequential(*_normalised(_conv(inner, channels, 1), relu))
        self.ext_regul = nn.Dropout2d(dropout)
        self.out_activation = nn.ReLU() if relu else nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        y = self.ext_conv3(self.ext_conv2(self.ext_conv1(x)))
        return self.out_activation(x + self.ext_regul(y))


class DownsamplingBottleneck(nn.Module):
    """Halve both sides; also return where each maximum was."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        """The pooled input is filled up with zero channels to ``out_channels``."""
        super().__init__()
        inner = in_channels // 4
        self.ext_conv1 = nn.Sequential(*_normalised(_conv(in_channels, inner, 2, stride=2), relu=False))
        self.ext_conv2 = nn.Sequential(*_normalised(_conv(inner, inner, 3, padding=1), relu=False))
        self.ext_conv3 = nn.Sequential(*_normalised(_conv(inner, out_channels, 1), relu=False))
        self.ext_regul = nn.Dropout2d(dropout)
        self.out_activation = nn.PReLU()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, in, H, W) to (N, out, H/2, W/2) and the indices (N, in, H/2, W/2) of the maxima."""
        y = self.ext_regul(self.ext_conv3(self.ext_conv2(self.ext_conv1(x))))
        # the initial block's overlapping windows repeat values; of equal maxima torch keeps the first in row
        # order, as the public weights expect
        pooled, indices = F.max_pool2d(x, 2, return_indices=True)
        missing = y.shape[1] - pooled.shape[1]
        return self.out_activation(F.pad(pooled, (0, 0, 0, 0, 0, missing)) + y), indices


class UpsamplingBottleneck(nn.Module):
    """Double both sides, putting values back where the encoder's maxima were."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        """The decoder uses ReLU throughout."""
        super().__init__()
        inner = in_channels // 4
        self.main_conv1 = nn.Sequential(_conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))
        self.ext_conv1 = nn.Sequential(*_normalised(_conv(in_channels, inner, 1), relu=True))
        self.ext_tconv1 = nn.ConvTranspose2d(inner, inner, 2, stride=2, bias=False)
        self.ext_tconv1_bnorm = nn.BatchNorm2d(inner)
        self.ext_conv2 = nn.Sequential(_conv(inner, out_channels, 1), nn.BatchNorm2d(out_channels))
        self.ext_regul = nn.Dropout2d(dropout)

    def forward(self, x: Tensor, indices: Tensor) -> Tensor:
        """(N, in, H, W) and indices (N, out, H, W) to (N, out, 2H, 2W)."""
        height, width = x.shape[-2:]
        # not F.max_unpool2d, which loads sympy, 40 MB, to check the size
        main = torch.ops.aten.max_unpool2d(self.main_conv1(x), indices, (2 * height, 2 * width))
        y = F.relu(self.ext_tconv1_bnorm(self.ext_tconv1(self.ext_conv1(x))))
        return F.relu(main + self.ext_regul(self.ext_conv2(y)))


class ENet(Network):
    """ENet: 0.35 million parameters, features 16 channels at 1/2."""

    size_multiple = 8
    feature_channels = 16
    classifier_name = "transposed_conv"
    scale_modules: ClassVar[dict[int, str]] = {4: "regular1_4", 8: "dilated3_7"}

    def __init__(self, num_classes: int) -> None:
        """Build with random weights; 19 or 20 outputs."""
        super().__init__()
        self.initial_block = InitialBlock()
        self.downsample1_0 = DownsamplingBottleneck(16, 64, dropout=0.01)
        self.stage1 = self._add_stage(1, FIRST_STAGE, channels=64, dropout=0.01)
        self.downsample2_0 = DownsamplingBottleneck(64, 128, dropout=0.1)
        self.stage2 = self._add_stage(2, LATER_STAGE, channels=128, dropout=0.1)
        self.stage3 = self._add_stage(3, LATER_STAGE, channels=128, dropout=0.1, first=0)
        downsampling = ("initial_block", "downsample1_0", "downsample2_0")
        self.encoder_names = (*downsampling, *self.stage1, *self.stage2, *self.stage3)
        self.upsample4_0 = UpsamplingBottleneck(128, 64, dropout=0.1)
        self.regular4_1 = Bottleneck(64, "regular", 1, dropout=0.1, relu=True)
        self.regular4_2 = Bottleneck(64, "regular", 1, dropout=0.1, relu=True)
        self.upsample5_0 = UpsamplingBottleneck(64, 16, dropout=0.1)
        self.regular5_1 = Bottleneck(16, "regular", 1, dropout=0.1, relu=True)
        self.transposed_conv = nn.ConvTranspose2d(
            16, num_classes, 3, stride=2, padding=1, output_padding=1, bias=False
        )

    def _add_stage(
        self, number: int, blocks: tuple, channels: int, dropout: float, first: int = 1
    ) -> list[str]:
        """Add bottlenecks under their public names and return those names."""
        names = [f"{kind}{number}_{i}" for i, (kind, _) in enumerate(blocks, start=first)]
        for name, (kind, dilation) in zip(names, blocks, strict=True):
            self.add_module(name, Bottleneck(channels, kind, dilation, dropout, relu=False))
        return names

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 16, H/2, W/2)."""
        x, indices1 = self.downsample1_0(self.initial_block(images))
        for name in self.stage1:
            x = self.get_submodule(name)(x)
        x, indices2 = self.downsample2_0(x)
        for name in self.stage2 + self.stage3:
            x = self.get_submodule(name)(x)
        x = self.regular4_2(self.regular4_1(self.upsample4_0(x, indices2)))
        return self.regular5_1(self.upsample5_0(x, indices1))
