"""Weights on disk: our own safetensors with metadata, and the public ``.pth`` files.

Nothing is skipped silently: a missing or unmatched name raises and is named.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from course_lib.labels import NUM_CLASSES, VOID
from course_lib.models.files import CLASS_ORDERS, known_class_order, read_pth
from course_lib.models.heads import HEADS
from course_lib.models.matching import compare, expected_in_file
from course_lib.models.network import Network
from course_lib.models.registry import NETWORKS, build
from course_lib.models.subnormal import flush_subnormal
from course_lib.runtime import unknown_name, write_atomically


@dataclass
class Metadata:
    """What a checkpoint says about itself; the defaults describe public weights."""

    model: str = ""
    num_classes: int = NUM_CLASSES
    known_classes: list[int] = field(default_factory=lambda: list(range(NUM_CLASSES)))
    """Train ids that were present in the training data."""
    head: str = "linear"
    """One of ``HEADS``."""
    training: str = "public"
    """The loss, for example ``ce``."""
    term_weights: dict[str, float] = field(default_factory=dict)
    """The weight of each term of the loss by name."""
    encoder: dict[str, str] = field(default_factory=dict)
    """Name (``file``) and ``sha256`` of the checkpoint whose encoder training began with, if any."""
    profile: str = ""
    size: list[int] = field(default_factory=lambda: [512, 1024])
    """Height and width of the training images, in pixels."""
    seed: int | None = None
    epochs: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    command: str = ""
    """The command line that made the weights."""


def save_checkpoint(
    network: Network, path: str | Path, metadata: Metadata, dtype: torch.dtype = torch.float32
) -> None:
    """Write weights and metadata as safetensors; an existing file is replaced only by a whole one.

    Auxiliary heads, which nothing but training needs, are left out.

    Args:
        network: any network of ``build``.
        path: the file to write, by custom ``<model>_<training>.safetensors``.
        metadata: what to remember; ``num_classes`` and ``head`` are taken from the network.
        dtype: of the floating-point weights in the file, but for tensors that hold numbers too large for
            it; a network that is filled with them stays float32.

    Raises:
        ValueError: if a weight is not finite.
        OSError: if the disk is full or the folder cannot be written; an old file is then left as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = asdict(metadata) | {"num_classes": network.num_classes, "head": network.head_kind}
    kept = {name: tensor for name, tensor in network.state_dict().items() if not network.is_auxiliary(name)}
    tensors = {name: _stored(name, tensor, dtype) for name, tensor in kept.items()}
    write_atomically(path, save(tensors, metadata={key: json.dumps(value) for key, value in facts.items()}))


def _stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor as it goes into the file; counters stay integers."""
    stored = tensor.detach().cpu().contiguous()
    if not stored.is_floating_point():
        return stored
    if not stored.isfinite().all():
        raise ValueError(f"{name} holds numbers that are not finite; the weights were not saved")
    smaller = stored.to(dtype)
    return smaller if smaller.isfinite().all() else stored


def load(name: str, path: str | Path, class_order: str | None = None) -> tuple[Network, Metadata]:
    """Return the network ``name`` with the weights of ``path`` in evaluation mode, and their metadata.

    Args:
        name: a key of ``NETWORKS``.
        path: a safetensors checkpoint of ours, or a public ``.pth`` file.
        class_order: see ``load_weights``.

    Raises:
        FileNotFoundError, ValueError: as ``load_weights``; also if the file was made for another network.
    """
    tensors, metadata = read_weights(Path(path))
    network = build(name, _num_outputs(name, metadata.head, tensors), metadata.head)
    _fill(network, tensors, metadata, Path(path), class_order)
    return network.eval(), metadata


def load_weights(network: Network, path: str | Path, class_order: str | None = None) -> Metadata:
    """Fill ``network`` with the weights of ``path``.

    A file without any auxiliary head takes those of the network away: random ones would be of no use.
    Weights too small for full precision (below 1.2e-38) become 0.

    Args:
        network: any network of ``build``; changed in place.
        path: a safetensors checkpoint of ours, or a public ``.pth`` file (loaded without running its code).
        class_order: ``train-id``, or ``unlabelled-first`` for weights whose output 0 is void, which are
            then rolled so that void comes last. By default known public files are recognised by their
            hash, and all others are taken as ``train-id``.

    Returns:
        The metadata in the file, or the defaults of ``Metadata`` for a public file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no weights, or names and shapes that do not match the network's.
    """
    tensors, metadata = read_weights(Path(path))
    _fill(network, tensors, metadata, Path(path), class_order)
    return metadata


def _num_outputs(name: str, head: str, tensors: Mapping[str, Tensor]) -> int:
    """Return how many outputs the classifier in a file has."""
    if name in NETWORKS:
        with torch.device("meta"):  # shapes only, no memory
            with_void = build(name, VOID + 1, head)
        key, weight = next(iter(with_void.classifier.named_parameters(with_void.classifier_name)))
        if key in tensors and tensors[key].shape == weight.shape:
            return VOID + 1
    return NUM_CLASSES


def read_weights(path: Path) -> tuple[dict[str, Tensor], Metadata]:
    """Return the tensors of a file by name, and its metadata.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no weights, or its metadata cannot be true.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise FileNotFoundError(f"no weights at {path}, which is {what}; check the path")
    if path.suffix != ".safetensors":
        return read_pth(path), Metadata()
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            facts = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
            metadata = Metadata(**facts)
    except Exception as error:  # safetensors has its own exceptions; whatever it is, the file is at fault
        raise ValueError(
            f"{path} is not a checkpoint of this course ({error}); fetch or train it again"
        ) from None
    if not _is_sound(metadata):
        raise ValueError(
            f"{path} says size {metadata.size} and known classes {metadata.known_classes}; expected [height, "
            f"width] and 2 or more train ids below {NUM_CLASSES}: save it again with right metadata"
        )
    if metadata.head not in HEADS:
        raise ValueError(f"{path} cannot be used: {unknown_name('head', metadata.head, HEADS)}")
    return tensors, metadata


def _is_sound(metadata: Metadata) -> bool:
    """Tell whether the facts that an evaluation relies on can be true."""
    size, known = metadata.size, metadata.known_classes
    if not (isinstance(size, list) and isinstance(known, list) and all(type(v) is int for v in size + known)):
        return False
    return len(size) == 2 and min(size) > 0 and len(known) > 1 and all(0 <= c < NUM_CLASSES for c in known)


def _fill(
    network: Network,
    tensors: Mapping[str, Tensor],
    metadata: Metadata,
    path: Path,
    class_order: str | None,
) -> None:
    """Copy ``tensors`` into ``network`` after checking every name and shape; complete the metadata."""
    name = next(name for name, network_class in NETWORKS.items() if type(network) is network_class)
    if metadata.model not in ("", name):
        raise ValueError(f"{path} holds weights of {metadata.model}, not {name}; choose that network")
    if metadata.head != network.head_kind:
        raise ValueError(
            f"{path} holds weights of a network whose head is {metadata.head}, this one's is "
            f"{network.head_kind}: build it with head={metadata.head!r}"
        )
    order = class_order or known_class_order(path)
    if order not in CLASS_ORDERS:
        raise unknown_name("class order", order, CLASS_ORDERS)
    if not network.auxiliary_names:  # dropped before: the file's have no place to go
        tensors = {key: value for key, value in tensors.items() if not _is_auxiliary_of(network, key)}
    expected = expected_in_file(network, tensors)
    compare(expected, tensors, path)
    if not any(map(network.is_auxiliary, expected)):
        network.drop_auxiliary()
    if order == "unlabelled-first":
        tensors = _void_last(network, tensors, path)
    counters = {name: value for name, value in expected.items() if name.endswith("num_batches_tracked")}
    network.load_state_dict(counters | dict(tensors))
    flush_subnormal(network)
    metadata.model, metadata.num_classes = name, network.num_classes


def _is_auxiliary_of(network: Network, key: str) -> bool:
    """Tell whether a name belongs to an auxiliary head that the network has, or had."""
    return key.split(".")[0] in type(network).auxiliary_names


def _void_last(network: Network, tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Roll the outputs of every layer that has one per class, so that train id 0 comes first, void last."""
    if network.num_classes != VOID + 1:
        raise ValueError(f"{path} has {network.num_classes} outputs; unlabelled-first needs {VOID + 1}")
    rolled = dict(tensors)
    for name, layer in network.named_modules():
        if getattr(layer, "out_channels", None) == VOID + 1:
            axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
            rolled[f"{name}.weight"] = rolled[f"{name}.weight"].roll(-1, dims=axis)
            if layer.bias is not None:
                rolled[f"{name}.bias"] = rolled[f"{name}.bias"].roll(-1)
    return rolled
