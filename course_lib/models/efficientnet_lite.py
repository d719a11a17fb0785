"""EfficientNet-Lite0, made to segment (Tan and Le, "EfficientNet", ICML 2019; Lite0 is for small devices).

Its idea: to look around in each channel on its own is cheap, so a block can afford many channels for it: a
1x1 convolution widens the map before, another one narrows it behind. The encoder is, number for number, that
of the public network that was trained on ImageNet, whose weights ``imagenet_encoder`` reads. The decoder is
ours: from coarse to fine it adds up what the encoder saw at four scales, 64 channels wide.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.bisenetv2 import BatchNorm
from course_lib.models.network import Network

MEAN, STD = 0.498, 0.502
"""Of all colour channels in [0, 1]: what the public weights were normalised with."""

STAGES = (
    (1, 16, 3, 1, 1),
    (2, 24, 3, 2, 6),
    (2, 40, 5, 2, 6),
    (3, 80, 3, 2, 6),
    (3, 112, 5, 1, 6),
    (4, 192, 5, 2, 6),
    (1, 320, 3, 1, 6),
)
"""Blocks, output channels, kernel, stride of the first block, and how many times wider a block is inside."""

CHANNELS = {4: 24, 8: 40, 16: 112, 32: 320}
"""Of the last map that the encoder makes at each stride."""

WIDTH = 64  # channels of the decoder


def _encoder_norm(channels: int) -> BatchNorm:
    """Return a normalisation as the public network has it; TensorFlow's momentum of 0.99 is torch's 0.01."""
    return BatchNorm(channels, eps=1e-3, momentum=0.01)


def _same(in_channels: int, out_channels: int, kernel: int, stride: int, groups: int = 1) -> dict:
    """Return the padding, if it is one apart, and the convolution that keep the size up to the stride.

    TensorFlow pads one row and column less in front than behind, where it halves sides that are even.
    """
    shape = (in_channels, out_channels, kernel, stride)
    if stride == 1:
        return {"conv": nn.Conv2d(*shape, padding=kernel // 2, groups=groups, bias=False)}
    front, behind = kernel // 2 - 1, kernel // 2
    pad = nn.ZeroPad2d((front, behind, front, behind))
    return {"pad": pad, "conv": nn.Conv2d(*shape, groups=groups, bias=False)}


class Block(nn.Sequential):
    """Widen, look around in each channel on its own, narrow; added to the input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        """``expansion``: how many times wider the block is inside; 1 leaves the widening out."""
        inner, layers = in_channels * expansion, {}
        if expansion > 1:
            layers["expand"] = nn.Conv2d(in_channels, inner, 1, bias=False)
            layers |= {"expand_norm": _encoder_norm(inner), "expand_act": nn.ReLU6()}
        layers |= _same(inner, inner, kernel, stride, groups=inner)
        layers |= {"norm": _encoder_norm(inner), "act": nn.ReLU6()}
        layers["project"] = nn.Conv2d(inner, out_channels, 1, bias=False)
        layers["project_norm"] = _encoder_norm(out_channels)
        super().__init__(OrderedDict(layers))
        self.stride, self.adds = stride, stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        y = super().forward(x)
        return x + y if self.adds else y


class Encoder(nn.Module):
    """Image to maps of four scales, ``CHANNELS``: 24 channels at 1/4 to 320 at 1/32."""

    def __init__(self) -> None:
        """Build a stem and sixteen blocks."""
        super().__init__()
        stem = _same(3, 32, kernel=3, stride=2) | {"norm": _encoder_norm(32), "act": nn.ReLU6()}
        self.stem, self.blocks, channels = nn.Sequential(OrderedDict(stem)), nn.ModuleList(), 32
        for count, out_channels, kernel, stride, expansion in STAGES:
            for number in range(count):
                self.blocks.append(Block(channels, out_channels, kernel, 1 if number else stride, expansion))
                channels = out_channels

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """RGB images in [0, 1] (N, 3, H, W), sides a multiple of 32, to the last map at each stride."""
        x, stride, found = self.stem((images - MEAN) / STD), 2, {}
        for block in self.blocks:
            x, stride = block(x), stride * block.stride
            if stride in CHANNELS:
                found[stride] = x  # a later block of the same stride takes its place
        return found


class Decoder(nn.Module):
    """From coarse to fine: enlarge, add what the encoder saw at that scale, smooth."""

    def __init__(self) -> None:
        """Every scale gets ``WIDTH`` channels; the modules of each are named by its stride."""
        super().__init__()
        self.lateral, self.smooth = nn.ModuleDict(), nn.ModuleDict()
        for stride, channels in CHANNELS.items():
            self.lateral[str(stride)] = nn.Sequential(
                nn.Conv2d(channels, WIDTH, 1, bias=False), BatchNorm(WIDTH)
            )
            self.smooth[str(stride)] = nn.Sequential(
                nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH, bias=False),
                BatchNorm(WIDTH),
                nn.ReLU(),
                nn.Conv2d(WIDTH, WIDTH, 1, bias=False),
                BatchNorm(WIDTH),
                nn.ReLU(),
            )

    def forward(self, levels: Mapping[int, Tensor]) -> Tensor:
        """The encoder's maps by stride to (N, ``WIDTH``, H/4, W/4)."""
        coarse: Tensor | None = None
        for stride in sorted(levels, reverse=True):
            x = self.lateral[str(stride)](levels[stride])
            if coarse is not None:
                x = F.interpolate(coarse, scale_factor=2, mode="bilinear") + x
            coarse = self.smooth[str(stride)](F.relu(x))
        return coarse


class EfficientNetLite0(Network):
    """EfficientNet-Lite0 with a light decoder: 3.01 million parameters, features 64 channels at 1/4."""

    size_multiple = 32
    feature_channels = WIDTH
    classifier_name = "output_conv"
    encoder_names = ("encoder",)
    scale_modules: ClassVar[dict[int, str]] = {
        4: "encoder.blocks.2",
        8: "encoder.blocks.4",
        16: "encoder.blocks.10",
        32: "encoder.blocks.15",
    }

    def __init__(self, num_classes: int) -> None:
        """Build with random weights; 19 or 20 outputs."""
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.output_conv = nn.Conv2d(WIDTH, num_classes, 1)

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 64, H/4, W/4)."""
        return self.decoder(self.encoder(images))
