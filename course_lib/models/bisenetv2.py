"""BiSeNetV2 (Yu et al., "BiSeNet V2", 2020), number for number the public CoinCheung/BiSeNet.

Its idea: two branches that judge each other. A wide, shallow one keeps detail at 1/8; a narrow, deep one
takes in the scene at 1/32; each is then weighed by the other. Four auxiliary heads make the deep branch learn
at every depth, and are dropped afterwards. Names of layers are those of the public weights.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.network import Network

MEAN, STD = (0.3257, 0.3690, 0.3223), (0.2112, 0.2148, 0.2115)
"""Of each colour channel of Cityscapes in [0, 1]: what the public weights were normalised with."""

AUXILIARY = {"aux2": (16, 4), "aux3": (32, 8), "aux4": (64, 16), "aux5_4": (128, 32)}
"""Each auxiliary head with the channels and the stride of the semantic level that it reads."""


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation that also works on a single value, such as the pooled channel of a lone image."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape; a single value has no variance: the running statistics serve."""
        if self.training and x[:, 0].numel() == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the size up to its stride; no bias, which what follows would cancel."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)


def _depthwise(in_channels: int, out_channels: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution of each channel on its own, and its normalisation."""
    return [_conv(in_channels, out_channels, 3, stride, groups=in_channels), BatchNorm(out_channels)]


def _pointwise(in_channels: int, out_channels: int) -> list[nn.Module]:
    """Return a 1x1 convolution and its normalisation."""
    return [_conv(in_channels, out_channels, 1), BatchNorm(out_channels)]


class ConvBlock(nn.Module):
    """A convolution, its normalisation and a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> None:
        """Keep the size, or halve it with ``stride`` 2."""
        super().__init__()
        self.conv = _conv(in_channels, out_channels, kernel, stride)
        self.bn = BatchNorm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        return F.relu(self.bn(self.conv(x)))


class DetailBranch(nn.Module):
    """Image to 128 channels at 1/8 by eight plain convolutions."""

    def __init__(self) -> None:
        """Each stage halves both sides with its first convolution."""
        super().__init__()
        self.S1 = nn.Sequential(ConvBlock(3, 64, stride=2), ConvBlock(64, 64))
        self.S2 = nn.Sequential(ConvBlock(64, 64, stride=2), ConvBlock(64, 64), ConvBlock(64, 64))
        self.S3 = nn.Sequential(ConvBlock(64, 128, stride=2), ConvBlock(128, 128), ConvBlock(128, 128))

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 128, H/8, W/8)."""
        return self.S3(self.S2(self.S1(images)))


class Stem(nn.Module):
    """Image to 16 channels at 1/4: a convolution and a max-pool side by side."""

    def __init__(self) -> None:
        """Both ways start from the same strided convolution."""
        super().__init__()
        self.conv = ConvBlock(3, 16, stride=2)
        self.left = nn.Sequential(ConvBlock(16, 8, kernel=1), ConvBlock(8, 16, stride=2))
        self.fuse = ConvBlock(32, 16)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 16, H/4, W/4)."""
        x = self.conv(images)
        pooled = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.fuse(torch.cat([self.left(x), pooled], dim=1))


class GatherExpansion(nn.Module):
    """Gather neighbours, expand each channel sixfold on its own, project back, add to the input."""

    def __init__(self, channels: int) -> None:
        """Keep channels and size."""
        super().__init__()
        self.conv1 = ConvBlock(channels, channels)
        self.dwconv = nn.Sequential(*_depthwise(channels, 6 * channels), nn.ReLU())
        self.conv2 = nn.Sequential(*_pointwise(6 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return F.relu(x + self.conv2(self.dwconv(self.conv1(x))))


class DownsamplingGatherExpansion(nn.Module):
    """The same with two depthwise convolutions, the first strided; the shortcut is convolved too."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Halve both sides."""
        super().__init__()
        inner = 6 * in_channels
        self.conv1 = ConvBlock(in_channels, in_channels)
        self.dwconv1 = nn.Sequential(*_depthwise(in_channels, inner, stride=2))
        self.dwconv2 = nn.Sequential(*_depthwise(inner, inner), nn.ReLU())
        self.conv2 = nn.Sequential(*_pointwise(inner, out_channels))
        self.shortcut = nn.Sequential(
            *_depthwise(in_channels, in_channels, stride=2), *_pointwise(in_channels, out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H/2, W/2)."""
        y = self.conv2(self.dwconv2(self.dwconv1(self.conv1(x))))
        return F.relu(self.shortcut(x) + y)


class ContextEmbedding(nn.Module):
    """Tell every pixel what the whole image looks like on average."""

    def __init__(self, channels: int) -> None:
        """Keep channels and size."""
        super().__init__()
        self.bn = BatchNorm(channels)
        self.conv_gap = ConvBlock(channels, channels, kernel=1)
        self.conv_last = ConvBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        context = self.conv_gap(self.bn(x.mean(dim=(2, 3), keepdim=True)))
        return self.conv_last(context + x)


class SemanticBranch(nn.Module):
    """Image to 128 channels at 1/32, by way of 1/4, 1/8 and 1/16."""

    def __init__(self) -> None:
        """Few channels, many layers."""
        super().__init__()
        self.S1S2 = Stem()
        self.S3 = nn.Sequential(DownsamplingGatherExpansion(16, 32), GatherExpansion(32))
        self.S4 = nn.Sequential(DownsamplingGatherExpansion(32, 64), GatherExpansion(64))
        self.S5_4 = nn.Sequential(
            DownsamplingGatherExpansion(64, 128), *(GatherExpansion(128) for _ in range(3))
        )
        self.S5_5 = ContextEmbedding(128)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to 16, 32, 64 and 128 channels at 1/4, 1/8, 1/16, 1/32, and the last with context."""
        levels, x = [], images
        for stage in (self.S1S2, self.S3, self.S4, self.S5_4, self.S5_5):
            x = stage(x)
            levels.append(x)
        return levels


class GuidedAggregation(nn.Module):
    """Each branch is weighed by a sigmoid of the other, at 1/8 and at 1/32; then both are added."""

    def __init__(self, channels: int) -> None:
        """``left`` reads the detail branch, ``right`` the semantic one; 1 works at 1/8, 2 at 1/32."""
        super().__init__()
        self.left1 = nn.Sequential(*_depthwise(channels, channels), _conv(channels, channels, 1))
        self.left2 = nn.Sequential(
            _conv(channels, channels, 3, stride=2), BatchNorm(channels), nn.AvgPool2d(3, stride=2, padding=1)
        )
        self.right1 = nn.Sequential(_conv(channels, channels, 3), BatchNorm(channels))
        self.right2 = nn.Sequential(*_depthwise(channels, channels), _conv(channels, channels, 1))
        self.conv = nn.Sequential(_conv(channels, channels, 3), BatchNorm(channels), nn.ReLU())

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        """(N, C, h, w) and (N, C, h/4, w/4) to (N, C, h, w)."""
        fine = self.left1(detail) * F.interpolate(self.right1(semantic), scale_factor=4).sigmoid()
        coarse = self.left2(detail) * self.right2(semantic).sigmoid()
        return self.conv(fine + F.interpolate(coarse, scale_factor=4))


class Head(nn.Module):
    """Features to logits, at the features' resolution or, for an auxiliary head, at twice that."""

    def __init__(self, in_channels: int, channels: int, num_classes: int, widened: int | None = None) -> None:
        """An auxiliary head enlarges its features first and convolves them to ``widened`` channels."""
        super().__init__()
        self.conv = ConvBlock(in_channels, channels)
        self.drop = nn.Dropout(0.1)
        enlarge = [nn.Upsample(scale_factor=2), ConvBlock(channels, widened)] if widened else []
        self.conv_out = nn.Sequential(nn.Sequential(*enlarge), nn.Conv2d(widened or channels, num_classes, 1))

    def features(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to the channels that the classifier reads."""
        return self.conv_out[0](self.drop(self.conv(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to logits (N, C, h, w), or (N, C, 2h, 2w)."""
        return self.conv_out[1](self.features(x))


class BiSeNetV2(Network):
    """BiSeNetV2: 3.36 million parameters, 1.87 more in auxiliary heads; features 1024 channels at 1/8."""

    size_multiple = 32
    feature_channels = 1024
    classifier_name = "head.conv_out.1"
    auxiliary_names = tuple(AUXILIARY)
    scale_modules: ClassVar[dict[int, str]] = {
        4: "segment.S1S2",
        8: "segment.S3",
        16: "segment.S4",
        32: "segment.S5_5",
    }

    def __init__(self, num_classes: int) -> None:
        """Build with random weights, drawn as the authors did; 19 or 20 outputs."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)
        self.detail = DetailBranch()
        self.segment = SemanticBranch()
        self.bga = GuidedAggregation(128)
        self.head = Head(128, 1024, num_classes)
        for name, (channels, stride) in AUXILIARY.items():
            self.add_module(name, Head(channels, 128, num_classes, widened=stride**2))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 1024, H/8, W/8)."""
        return self._features_and_levels(images)[0]

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits at 1/8; in training mode also those of the auxiliary heads, at 1/2 to 1/16."""
        features, levels = self._features_and_levels(images)
        heads = [self.get_submodule(name) for name in self.auxiliary_names] if self.training else []
        return [self.classifier(features), *(head(x) for head, x in zip(heads, levels, strict=False))]

    def _features_and_levels(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return what the classifier reads, and all levels of the semantic branch."""
        normalised = (images - self.mean) / self.std
        levels = self.segment(normalised)
        fused = self.bga(self.detail(normalised), levels[-1])
        return self.head.features(fused), levels
