"""The encoder alone out of a checkpoint, so that a training can begin with it."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.models.checkpoints import read_weights
from course_lib.models.matching import compare
from course_lib.models.registry import build


class Encoder(NamedTuple):
    """The weights of an encoder, and where they come from."""

    tensors: dict[str, Tensor]
    """Under their names in the whole network's ``state_dict``, running statistics included."""
    source: dict[str, str]
    """The name of the ``file`` and the ``sha256`` of its content."""


def read_encoder(name: str, path: str | Path, num_classes: int) -> Encoder:
    """Return the encoder in a checkpoint of a network; decoder and classifier in the file may be any.

    Args:
        name: a key of ``NETWORKS``.
        path: a safetensors checkpoint of ours, or a public ``.pth`` file of the whole network.
        num_classes: outputs of the network to fill; ERFNet's encoder has a classifier of its own.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the network has no encoder of its own, or the file does not hold one that fits.
    """
    path = Path(path)
    with torch.device("meta"):  # names and shapes only, no memory
        network = build(name, num_classes)
    if not network.encoder_names:
        raise ValueError(f"{name} has no encoder apart from the rest; train it without --encoder")
    tensors, metadata = read_weights(path)
    if metadata.model not in ("", name):
        raise ValueError(f"{path} holds weights of {metadata.model}, not {name}; choose its encoder's file")
    expected = {key: value for key, value in network.state_dict().items() if network.is_encoder(key)}
    found = {key: value for key, value in tensors.items() if network.is_encoder(key)}
    compare(expected, found or tensors, path)  # of a foreign file all names, to tell whose they are
    source = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return Encoder(found, source)
