"""ESPNetv2 (Mehta et al., "ESPNetv2", CVPR 2019), number for number the public sacmehta/EdgeNets.

Its idea: see much with few numbers. Each block looks at its input through four windows of growing width, made
by *dilated* convolutions of each channel on its own, and adds them up from narrow to wide. Every time the
encoder halves the image, a small copy of the image itself is added again. The decoder looks at each level in
five sizes. Names of layers are those of the public weights.

Those weights have a 20th output, *background*, which was trained as a class of its own.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.network import Network, enlarge

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of each colour channel in [0, 1]: what the public weights were normalised with."""

BRANCHES = 4  # windows in a block
PYRAMID = (2.0, 1.5, 1.0, 0.5, 0.1)
"""The sizes, relative to a feature map, in which the decoder looks at it."""

SMALLEST = 5  # pixels: no side of a map in the pyramid is smaller


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, **more: int) -> nn.Conv2d:
    """Return a convolution that keeps the size up to its stride; no bias, which what follows would cancel."""
    padding = kernel // 2 * more.get("dilation", 1)
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False, **more)


def _named(**layers: nn.Module) -> nn.Sequential:
    """Return layers one after the other, under the names that the public weights give them."""
    return nn.Sequential(OrderedDict(layers))


def _normalised(channels: int) -> nn.Sequential:
    """Return a normalisation and a PReLU with a slope for each channel."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.PReLU(channels))


class EESP(nn.Module):
    """Squeeze, look through four windows, add them up from narrow to wide, mix again."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, widest: int) -> None:
        """Windows are 3, 5, 7 and 9 pixels wide; one wider than ``widest`` is 3 instead."""
        super().__init__()
        inner = out_channels // BRANCHES
        widths = sorted(width if width <= widest else 3 for width in range(3, 3 + 2 * BRANCHES, 2))
        squeeze = _conv(in_channels, inner, 1, groups=BRANCHES)
        self.proj_1x1 = _named(conv=squeeze, bn=nn.BatchNorm2d(inner), act=nn.PReLU(inner))
        self.spp_dw = nn.ModuleList(
            _named(conv=_conv(inner, inner, 3, stride, groups=inner, dilation=(width - 1) // 2))
            for width in widths
        )
        self.br_after_cat = _named(bn=nn.BatchNorm2d(out_channels), act=nn.PReLU(out_channels))
        mix = _conv(out_channels, out_channels, 1, groups=BRANCHES)
        self.conv_1x1_exp = _named(conv=mix, bn=nn.BatchNorm2d(out_channels))
        self.module_act = nn.PReLU(out_channels)

    def mixed(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride), before the last sum."""
        x = self.proj_1x1(x)
        seen = [self.spp_dw[0](x)]
        for window in self.spp_dw[1:]:
            seen.append(window(x) + seen[-1])
        return self.conv_1x1_exp(self.br_after_cat(torch.cat(seen, dim=1)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return self.module_act(self.mixed(x) + x)


class Downsampling(nn.Module):
    """Halve both sides: averages and an EESP block side by side, plus a small copy of the image."""

    def __init__(self, in_channels: int, out_channels: int, widest: int, halvings: int) -> None:
        """``halvings``: how often the image is halved until it has the size of the output."""
        super().__init__()
        self.halvings = halvings
        self.eesp = EESP(in_channels, out_channels - in_channels, 2, widest)
        self.inp_reinf = nn.Sequential(
            _named(conv=_conv(3, 3, 3), bn=nn.BatchNorm2d(3), act=nn.PReLU(3)),
            _named(conv=_conv(3, out_channels, 1), bn=nn.BatchNorm2d(out_channels)),
        )
        self.act = nn.PReLU(out_channels)

    def forward(self, x: Tensor, images: Tensor) -> Tensor:
        """(N, in, H, W) and images (N, 3, ...) to (N, out, H/2, W/2)."""
        for _ in range(self.halvings):
            images = F.avg_pool2d(images, 3, stride=2, padding=1)
        pooled = F.avg_pool2d(x, 3, stride=2, padding=1)
        halved = torch.cat([pooled, self.eesp.mixed(x)], dim=1)
        return self.act(halved + self.inp_reinf(images))


class Encoder(nn.Module):
    """Image to four levels: 1/2, 1/4, 1/8 and 1/16."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        """Take the channels of level 1 to 4."""
        super().__init__()
        first, second, third, fourth = channels
        self.level1 = _named(conv=_conv(3, first, 3, 2), bn=nn.BatchNorm2d(first), act=nn.PReLU(first))
        self.level2_0 = Downsampling(first, second, 13, 2)
        self.level3_0 = Downsampling(second, third, 11, 3)
        self.level3 = nn.Sequential(*(EESP(third, third, 1, 9) for _ in range(3)))
        self.level4_0 = Downsampling(third, fourth, 9, 4)
        self.level4 = nn.Sequential(*(EESP(fourth, fourth, 1, 7) for _ in range(7)))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Normalised images (N, 3, H, W) to the levels, coarsest last."""
        one = self.level1(images)
        two = self.level2_0(one, images)
        three = self.level3(self.level3_0(two, images))
        return [one, two, three, self.level4(self.level4_0(three, images))]


class Pyramid(nn.ModuleList):
    """The same map in five sizes, each convolved by itself and brought back to the first size."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 5 C, H, W)."""
        size = x.shape[-2:]
        seen = []
        for scale, stage in zip(PYRAMID, self, strict=True):
            scaled = [torch.sym_max(math.ceil(side * scale), SMALLEST) for side in size]
            if scale < 1:
                seen.append(enlarge(stage(_shrunk(x, scaled)), size, align_corners=True))
            elif scale > 1:
                seen.append(_shrunk(stage(enlarge(x, scaled, align_corners=True)), size))
            else:
                seen.append(stage(x))
        return torch.cat(seen, dim=1)


def _shrunk(x: Tensor, size: Sequence[int]) -> Tensor:
    """(N, C, H, W) to (N, C, *size): each pixel the average of those that it covers, if only in part."""
    if not torch.compiler.is_exporting():
        return F.adaptive_avg_pool2d(x, size)
    # an ONNX file has no such operation, but for one size; as two products with averages it fits every size
    rows, columns = (_averages(side, smaller).to(x) for side, smaller in zip(x.shape[-2:], size, strict=True))
    return rows @ x @ columns.T


def _averages(side: int, smaller: int) -> Tensor:
    """Return (smaller, side): what each of ``side`` pixels counts in an average."""
    first, pixel = torch.arange(smaller)[:, None] * side, torch.arange(side) * smaller
    covered = (pixel > first - smaller) & (pixel < first + side)
    return covered / covered.sum(dim=1, keepdim=True)


class PyramidPooling(nn.Module):
    """Few channels of a level, seen in five sizes, shuffled and mixed."""

    def __init__(self, in_channels: int, out_channels: int, inner: int = 10) -> None:
        """``inner``: channels in each of the five sizes."""
        super().__init__()
        seen = inner * len(PYRAMID)
        self.projection_layer = _named(cbr=nn.Sequential(_conv(in_channels, inner, 1), *_normalised(inner)))
        self.stages = Pyramid(_conv(inner, inner, 3, groups=inner) for _ in PYRAMID)
        self.merge_layer = nn.Sequential(
            _named(br=_normalised(seen)),
            nn.ChannelShuffle(len(PYRAMID)),
            _named(cbr=nn.Sequential(_conv(seen, inner, 3, groups=inner), *_normalised(inner))),
            nn.Conv2d(inner, out_channels, 1, bias=False),
        )
        self.br = _named(br=_normalised(out_channels))

    def mixed(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, ``inner``, H, W)."""
        merge, shuffle, mix, _ = self.merge_layer
        return mix(shuffle(merge(self.stages(self.projection_layer(x)))))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H, W)."""
        return self.br(self.merge_layer[3](self.mixed(x)))


class Gate(nn.Module):
    """A level of the encoder for the decoder, each channel weighed by what the whole image holds."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Convolve in as many groups as fit both."""
        super().__init__()
        expand = _conv(in_channels, out_channels, 3, groups=math.gcd(in_channels, out_channels))
        self.expansion_layer = _named(cbr=nn.Sequential(expand, *_normalised(out_channels)))
        weigh = _conv(in_channels, out_channels, 1)
        self.wt_layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), weigh, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H, W)."""
        return self.expansion_layer(x) * self.wt_layer(x)


class ESPNetv2(Network):
    """ESPNetv2 in one of four sizes; features are 10 channels at 1/2."""

    size_multiple = 16
    feature_channels = 10
    classifier_name = "bu_dec_l4.merge_layer.3"
    align_corners = True
    encoder_names = ("base_net",)
    scale_modules: ClassVar[dict[int, str]] = {
        4: "base_net.level2_0",
        8: "base_net.level3",
        16: "base_net.level4",
    }
    idle_names = tuple(f"base_net.level{level}_0.eesp.module_act" for level in (2, 3, 4))
    channels: tuple[int, ...]
    """Of the encoder's four levels."""

    def __init__(self, num_classes: int) -> None:
        """Build with random weights; 19 or 20 outputs."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)
        first, second, third, fourth = self.channels
        self.base_net = Encoder(self.channels)
        self.bu_dec_l1 = PyramidPooling(fourth, 64)
        self.merge_enc_dec_l2, self.bu_br_l2 = Gate(third, 64), _normalised(64)
        self.bu_dec_l2 = PyramidPooling(64, 48)
        self.merge_enc_dec_l3, self.bu_br_l3 = Gate(second, 48), _normalised(48)
        self.bu_dec_l3 = PyramidPooling(48, 32)
        self.merge_enc_dec_l4, self.bu_br_l4 = Gate(first, 32), _normalised(32)
        self.bu_dec_l4 = PyramidPooling(32, num_classes)
        del self.bu_dec_l4.br  # the logits are neither normalised nor cut
        self.bu_dec_l4.merge_layer[3] = nn.Conv2d(10, num_classes, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 10, H/2, W/2)."""
        one, two, three, four = self.base_net((images - self.mean) / self.std)
        x = self.bu_dec_l1(four)
        x = self.bu_dec_l2(self.bu_br_l2(_doubled(x) + self.merge_enc_dec_l2(three)))
        x = self.bu_dec_l3(self.bu_br_l3(_doubled(x) + self.merge_enc_dec_l3(two)))
        return self.bu_dec_l4.mixed(self.bu_br_l4(_doubled(x) + self.merge_enc_dec_l4(one)))


def _doubled(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, 2H, 2W), bilinear, corner on corner."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class ESPNetv2Half(ESPNetv2):
    """Size 0.5: 0.08 million parameters."""

    channels = (16, 32, 64, 128)


class ESPNetv2One(ESPNetv2):
    """Size 1.0: 0.23 million parameters."""

    channels = (32, 64, 128, 256)


class ESPNetv2OneHalf(ESPNetv2):
    """Size 1.5: 0.47 million parameters."""

    channels = (32, 96, 192, 384)


class ESPNetv2Two(ESPNetv2):
    """Size 2.0: 0.79 million parameters."""

    channels = (32, 128, 256, 512)
