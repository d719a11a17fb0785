"""What every network has in common: the range of its input, any size, features, and its last layer."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar, NamedTuple

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
            ours, theirs = features.square().sum(dim=1, keepdim=True), prototypes.square().sum(dim=1)
            squares = ours + theirs.view(-1, 1, 1) - 2 * F.conv2d(features, prototypes[:, :, None, None])
            return -self.distance_scale.abs() * squares.clamp(min=1e-12).sqrt()


class Network(nn.Module, ABC):
    """A segmentation network: RGB images in [0, 1] in, logits of the same size out.

    A subclass has ``classifier``, a last layer from features to logits, which are enlarged where they are
    smaller than the image. It may have auxiliary heads, which help it learn and have no part in the logits.
    """

    size_multiple: int
    """Sides are padded up to a multiple of this by repeating the last row and column, the logits cropped."""

    feature_channels: int
    """Channels of the feature map that the classifier reads."""

    classifier_name: str
    """The public name of the classifier in ``state_dict``, so that others can find or replace it."""

    auxiliary_names: tuple[str, ...] = ()
    """The public names of the auxiliary heads, if any."""

    encoder_names: tuple[str, ...] = ()
    """The modules that make up the encoder, where a network has one that can be trained on its own."""

    idle_names: tuple[str, ...] = ()
    """The modules of the public weights that no logit depends on."""

    scale_modules: ClassVar[dict[int, str]] = {}
    """By stride, the module of ours whose output is the encoder's map at that stride, finest first."""

    checks_range = True
    """Whether images outside [0, 1] are refused."""

    align_corners = False
    """Whether logits are enlarged corner on corner, as some networks were trained, or edge on edge."""

    @property
    def classifier(self) -> nn.Module:
        """The last layer: features in, logits out."""
        return self.get_submodule(self.classifier_name)

    @property
    def num_classes(self) -> int:
        """How many logits a pixel gets: 19, or 20 with void."""
        return self.classifier.out_channels

    @property
    def head_kind(self) -> str:
        """The kind of the classifier, one of ``HEADS``."""
        return "isomax" if isinstance(self.classifier, IsoMaxPlus) else "linear"

    @property
    def classifier_names(self) -> tuple[str, ...]:
        """The names of all last layers, those of auxiliary heads after the network's own."""
        place = self.classifier_name.partition(".")[2]  # auxiliary heads are built like the network's own
        return (self.classifier_name, *(f"{name}.{place}" for name in self.auxiliary_names))

    def use_isomax(self) -> None:
        """Put a new ``IsoMaxPlus`` in the place of every classifier, auxiliary heads included."""
        for name in self.classifier_names:
            replaced = self.get_submodule(name)
            self.set_submodule(name, IsoMaxPlus(replaced.in_channels, replaced.out_channels))

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Return the feature map that the classifier reads.

        Args:
            images: RGB in [0, 1], shape (N, 3, H, W), both sides a multiple of ``size_multiple``.

        Returns:
            Features (N, ``feature_channels``, H / s, W / s) with a stride s that depends on the network.
        """

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the classifier's logits and, in training mode, those of each auxiliary head.

        Args:
            images: as for ``features``.

        Returns:
            Logits (N, C, h, w), each at its head's own resolution.
        """
        return [self.classifier(self.features(images))]

    def all_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits and, in training mode, those of each auxiliary head after them.

        Args:
            images: RGB float in [0, 1], shape (N, 3, H, W), any size.

        Returns:
            One or more logits (N, C, H, W), not normalised; larger means more likely.

        Raises:
            ValueError: if the images have another shape, dtype or range.
        """
        check_images(images, check_range=self.checks_range)
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, self.size_multiple)
        found, size = self.head_logits(padded), padded.shape[-2:]
        return [enlarge(logits, size, self.align_corners)[..., :height, :width] for logits in found]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits alone, (N, C, H, W); see ``all_logits``."""
        return self.all_logits(images)[0]

    def logits_in_strips(self, images: Tensor, rows: int) -> Iterator[Tensor]:
        """Yield the logits from top to bottom, so that what follows can work on a little at a time.

        Args:
            images: as for ``all_logits``.
            rows: of each strip, a multiple of ``size_multiple``; the last one may have fewer.

        Returns:
            Logits (N, C, ``rows``, W).
        """
        yield from self(images).split(rows, dim=2)

    def is_auxiliary(self, key: str) -> bool:
        """Tell whether a name in ``state_dict`` belongs to an auxiliary head."""
        return key.split(".")[0] in self.auxiliary_names

    def is_encoder(self, key: str) -> bool:
        """Tell whether a name in ``state_dict`` belongs to the encoder."""
        return key.split(".")[0] in self.encoder_names

    def drop_auxiliary(self) -> None:
        """Remove the auxiliary heads; the logits stay the same."""
        for name in self.auxiliary_names:
            delattr(self, name)
        self.auxiliary_names = ()


def check_images(images: Tensor, check_range: bool = True) -> None:
    """Raise a ValueError unless ``images`` are RGB floats (N, 3, H, W), by default in [0, 1]."""
    if images.dim() != 4 or images.shape[1] != 3 or images.numel() == 0:
        raise ValueError(f"need RGB images of shape (N, 3, H, W), got {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"need float images in [0, 1], got {images.dtype}; convert and divide by 255")
    if not check_range or torch.compiler.is_compiling():
        return
    low, high = (value.item() for value in images.aminmax())
    # resizing may leave [0, 1] by a rounding error; so written, NaN is caught too
    if not (low >= -0.01 and high <= 1.01):
        cure = "divide by 255" if high > 2 else "check how they were normalised"
        raise ValueError(f"need images in [0, 1], got values from {low:g} to {high:g}; {cure}")


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides of (N, C, H, W) are multiples of ``multiple``."""
    height, width = images.shape[-2:]
    padding = (0, -width % multiple, 0, -height % multiple)
    return F.pad(images, padding, mode="replicate") if any(padding) else images


def enlarge(logits: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Return logits (N, C, h, w) at (height, width), bilinear; those that have that size are untouched."""
    if logits.shape[-2:] == size:
        return logits
    return F.interpolate(logits, size, mode="bilinear", align_corners=align_corners)


def flush_subnormal(module: nn.Module) -> None:
    """Set weights and buffers that are too small for full precision (float32: below 1.2e-38) to 0, in place.

    Long training with weight decay leaves thousands of them in dead channels. They add to an output less
    than rounding does, and make a convolution on a CPU many times slower. ``torch.set_flush_denormal`` would
    change how the caller's thread computes everything else.
    """
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.masked_fill_(tensor.abs() < torch.finfo(tensor.dtype).tiny, 0)


class LayerShape(NamedTuple):
    """The output of one layer."""

    name: str
    """In the network's ``state_dict``."""
    kind: str
    """The class of the layer."""
    channels: int
    height: int
    width: int


def layer_shapes(network: Network, size: tuple[int, int]) -> list[LayerShape]:
    """Return the shape after each block of a network, in the order of computation.

    A block directly holds a batch normalisation, or is the classifier; what only strings blocks together is
    not listed.

    Args:
        network: any network; it is left as it is.
        size: height and width of an image.
    """
    shapes: list[LayerShape] = []

    def record(name: str, module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        shapes.append(LayerShape(name, type(module).__name__, *output.shape[1:]))

    watched = copy.deepcopy(network).eval()
    for name, module in watched.named_modules():
        if name == network.classifier_name or any(isinstance(c, nn.BatchNorm2d) for c in module.children()):
            module.register_forward_hook(partial(record, name))
    with torch.inference_mode():
        watched(torch.zeros(1, 3, *size, device=next(network.parameters()).device))
    return shapes
