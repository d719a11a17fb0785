"""Weights on disk: our own safetensors with metadata, and the public ``.pth`` files.

Nothing is skipped silently: a missing or unmatched name raises and is named.
"""

import hashlib
import itertools
import json
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from course_lib.labels import NUM_CLASSES, VOID
from course_lib.models.espnetv2 import ESPNetv2
from course_lib.models.network import HEADS, Network, flush_subnormal
from course_lib.models.registry import NETWORKS, build
from course_lib.runtime import COMMAND, sha256_of, unknown_name, what_instead, write_atomically

CLASS_ORDERS = ("train-id", "unlabelled-first")
"""How the outputs of a file are ordered: train ids first and void last, or void first."""

KNOWN_ORDERS = {
    "44ede15395be2d08030b28d9b6a4193a603ea318": "unlabelled-first",  # davidtvs' ENet
    "44fc485db5072d2144f58d520c2694a2e5b44ac4": "train-id",  # the official ERFNet
}
"""Of public files with 20 outputs, by the digest that git gives them."""


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
    """Name (``file``) and ``sha256`` of what holds the encoder that training began with, if any; of one from
    ImageNet also the ``package`` and its ``licence``."""
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
    tensors = {}
    for name, tensor in network.state_dict().items():
        if network.is_auxiliary(name):
            continue
        tensor = tensor.detach().cpu().contiguous()
        if tensor.is_floating_point():  # counters stay integers
            if not tensor.isfinite().all():
                raise ValueError(f"{name} holds numbers that are not finite; the weights were not saved")
            smaller = tensor.to(dtype)
            tensor = smaller if smaller.isfinite().all() else tensor
        tensors[name] = tensor
    write_atomically(path, save(tensors, metadata={key: json.dumps(value) for key, value in facts.items()}))


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
    with torch.device("meta"):  # shapes only, no memory
        with_void = build(name, VOID + 1, metadata.head)
    key, weight = next(iter(with_void.classifier.named_parameters(with_void.classifier_name)))
    has_void = key in tensors and tensors[key].shape == weight.shape
    network = build(name, VOID + 1 if has_void else NUM_CLASSES, metadata.head)
    metadata = load_weights(network, path, class_order)  # complete
    return network.eval(), metadata


def load_weights(network: Network, path: str | Path, class_order: str | None = None) -> Metadata:
    """Fill ``network`` with the weights of ``path``.

    A file without any auxiliary head takes those of the network away: random ones would be of no use.
    Weights too small for full precision (below 1.2e-38) become 0.

    Args:
        network: any network of ``build``; changed in place.
        path: a safetensors checkpoint of ours, or a public ``.pth`` file (loaded without running its code).
        class_order: ``train-id``, or ``unlabelled-first`` for weights whose output 0 is void, which are
            then rolled so that void comes last. By default that of a known file, else ``train-id``, which
            nothing verifies: of a public file with 20 outputs a line on stderr says so.

    Returns:
        The metadata in the file, or the defaults of ``Metadata`` for a public file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no weights, or names and shapes that do not match the network's.
    """
    path = Path(path)
    if isinstance(network, ESPNetv2) and "city_512x256" in path.name:
        right = path.name.replace("512x256", "1024x512")
        raise ValueError(
            f"{path} was trained on images of 256 x 512, half the size that this course scores at; use "
            f"{right}, which {COMMAND} fetch espnetv2_weights fetches"
        )
    tensors, metadata = read_weights(path)
    model = next(model for model, network_class in NETWORKS.items() if type(network) is network_class)
    if metadata.model not in ("", model):
        raise ValueError(
            f"{path} holds weights of {metadata.model}, not {model}; say --model {metadata.model}"
        )
    if metadata.head != network.head_kind:
        raise ValueError(
            f"{path} holds weights of a network whose head is {metadata.head}, this one's is "
            f"{network.head_kind}: build it with head={metadata.head!r}"
        )
    if class_order not in (None, *CLASS_ORDERS):
        raise unknown_name("class order", class_order, CLASS_ORDERS)
    if class_order is None and not metadata.model and network.num_classes == VOID + 1:
        content = path.read_bytes()
        as_git_does = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        class_order = KNOWN_ORDERS.get(as_git_does)
    expected = _expected_in_file(network, tensors)
    _check_fit(expected, tensors, path)
    if not any(map(network.is_auxiliary, expected)):
        network.drop_auxiliary()
    if class_order == "unlabelled-first":
        if network.num_classes != VOID + 1:
            raise ValueError(f"{path} has {network.num_classes} outputs; unlabelled-first needs {VOID + 1}")
        for name, layer in network.named_modules():  # every one with an output per class is rolled
            if getattr(layer, "out_channels", None) == VOID + 1:
                axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
                tensors[f"{name}.weight"] = tensors[f"{name}.weight"].roll(-1, dims=axis)
                if layer.bias is not None:
                    tensors[f"{name}.bias"] = tensors[f"{name}.bias"].roll(-1)
    elif (
        class_order is None
        and not metadata.model
        and network.num_classes == VOID + 1
        and not isinstance(network, ESPNetv2)  # of which there are public weights in one order only
    ):
        print(
            f"{path.name}: the order of its outputs is not verified, taken as train-id; a file that begins "
            "with unlabelled, such as the public ENet of davidtvs, needs --class-order unlabelled-first",
            file=sys.stderr,
        )
    counters = {key: value for key, value in expected.items() if key.endswith("num_batches_tracked")}
    network.load_state_dict(counters | tensors)
    flush_subnormal(network)
    metadata.model, metadata.num_classes = model, network.num_classes
    return metadata


def read_weights(path: Path) -> tuple[dict[str, Tensor], Metadata]:
    """Return the tensors of a file by name, and its metadata.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no weights, or its metadata cannot be true.
    """
    if path.suffix != ".safetensors":
        _check_file(path)
        return _bare_names(_read_pth(path), path), Metadata()
    tensors, facts = read_safetensors(path)
    if "detector" in facts:
        raise ValueError(
            f"{path} holds a detector, this needs a network's checkpoint; detectors are for evaluate, score, "
            "compare"
        )
    return _bare_names(tensors, path), metadata_from(facts, path)


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of one of our own files by name, and the facts that were saved beside them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such file.
    """
    _check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return tensors, {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
    except Exception as error:  # safetensors has its own exceptions; whatever it is, the file is at fault
        raise _not_ours(path, error) from None


def metadata_from(facts: Mapping[str, Any], path: Path) -> Metadata:
    """Return the metadata among the facts of a file; raise a ValueError if they cannot be true."""
    try:
        metadata = Metadata(**facts)
    except TypeError as error:
        raise _not_ours(path, error) from None
    size, known = metadata.size, metadata.known_classes
    is_sound = (
        all(isinstance(part, list) and all(type(v) is int for v in part) for part in (size, known))
        and (len(size) == 2 and min(size) > 0)
        and (len(known) > 1 and set(known) <= set(range(NUM_CLASSES)))
    )
    if not is_sound:
        raise ValueError(
            f"{path} says size {size} and known classes {known}; expected [height, width] and 2 or more "
            f"train ids below {NUM_CLASSES}: save it again with right metadata"
        )
    if metadata.head not in HEADS:
        raise ValueError(f"{path} cannot be used: {unknown_name('head', metadata.head, HEADS)}")
    return metadata


def _check_file(path: Path) -> None:
    """Raise an error if there is no file, or something else than weights came in its place."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise FileNotFoundError(f"no weights at {path}, which is {what}; check the path")
    if instead := what_instead(path):
        raise ValueError(f"{path} {instead}; fetch it again")


def _not_ours(path: Path, error: Exception) -> ValueError:
    """Return the error for a file that this course did not write."""
    return ValueError(f"{path} is not a checkpoint of this course ({error}); fetch or train it again")


def _bare_names(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Take away what DataParallel, ``torch.compile`` and training programs write before every name."""
    bare = {re.sub(r"^((module|_orig_mod|model|net)\.)+", "", name): value for name, value in tensors.items()}
    if len(bare) < len(tensors):
        raise ValueError(f"{path} holds some weights twice, with and without module.; ask for a clean file")
    return bare


def _read_pth(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a public file: a ``state_dict``, or a dictionary that holds one."""
    # numbers saved beside the weights may be NumPy scalars, which are data and safe to load
    numpy_scalars = [
        np._core.multiarray.scalar,
        (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # its name in files of NumPy 1
        np.dtype,
        np.dtypes.Float64DType,
        np.dtypes.Float32DType,
        np.dtypes.Int64DType,
    ]
    try:
        with torch.serialization.safe_globals(numpy_scalars), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickle formats
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # broken pickles raise anything at all
        raise ValueError(
            f"{path} is not a weights file that is safe to load: it holds code, is cut short or is no "
            "PyTorch file; expected a state_dict: download it again or ask for one"
        ) from None
    if _is_state_dict(content):
        return content
    inside = content if isinstance(content, dict) else {}
    found = [name for name, value in inside.items() if _is_state_dict(value)]
    if len(found) > 1:
        raise ValueError(
            f"{path} holds several sets of weights: {', '.join(map(str, found))}; save the right one alone"
        )
    if not found:
        names = f" of {', '.join(map(str, [*inside][:5]))}" if inside else ""
        raise ValueError(
            f"{path} holds a {type(content).__name__}{names} that is no state_dict; expected tensors by "
            "name: is it a checkpoint?"
        )
    return inside[found[0]]


def _is_state_dict(content: object) -> bool:
    """Tell whether something is a dictionary of tensors by name."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(name, str) and torch.is_tensor(value) for name, value in content.items())
    )


class Encoder(NamedTuple):
    """The weights of an encoder, or of all of a network, for a training to begin with, and their source."""

    tensors: dict[str, Tensor]
    """Under their names in the whole network's ``state_dict``, running statistics included."""
    source: dict[str, str]
    """The name of the ``file`` and the ``sha256`` of its content; of one from a package also the ``package``
    and its ``licence``."""


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
    _check_fit(expected, found or tensors, path)  # of a foreign file all names, to tell whose they are
    return Encoder(found, {"file": path.name, "sha256": sha256_of(path)})


def read_network(name: str, path: str | Path, num_classes: int, head: str) -> Encoder:
    """Return all of a network in a checkpoint, so that a training can go on from it.

    Args:
        name: a key of ``NETWORKS``.
        path: as of ``load``.
        num_classes: outputs that it must have.
        head: the kind of its last layer, one of ``HEADS``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds another network, or one with other outputs.
    """
    network, _ = load(name, path)
    if (network.num_classes, network.head_kind) != (num_classes, head):
        raise ValueError(
            f"{path} has {network.num_classes} outputs of a {network.head_kind} layer, this training needs "
            f"{num_classes} of a {head} one: choose the weights of another training"
        )
    return Encoder(network.state_dict(), {"file": Path(path).name, "sha256": sha256_of(Path(path))})


def _expected_in_file(network: Network, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return those tensors of a network that a file must hold: auxiliary heads all or not at all."""
    state = network.state_dict()
    if any(map(network.is_auxiliary, tensors)):
        return state
    return {key: value for key, value in state.items() if not network.is_auxiliary(key)}


def _check_fit(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise a ValueError that names what is missing, left over or of another shape."""
    missing = [n for n in expected if n not in tensors and not n.endswith("num_batches_tracked")]
    unmatched = [name for name in tensors if name not in expected]
    if missing or unmatched:
        hint = _whose(tensors) if missing else "ask for a file of the weights alone"
        raise ValueError(
            f"{path} does not fit this network: {_some(missing)} missing, {_some(unmatched)} unmatched; "
            f"{hint}"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            got, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            raise ValueError(
                f"{path} does not fit this network: {name} has shape {got}, expected {wanted}; "
                f"{_whose(tensors)}"
            )


def _whose(tensors: Mapping[str, Tensor]) -> str:
    """Say which network the weights in a file are of."""
    for model, outputs in itertools.product(NETWORKS, (NUM_CLASSES, VOID + 1)):
        with torch.device("meta"):  # names and shapes only, no memory
            theirs = _expected_in_file(build(model, outputs), tensors)
        shapes = {key: value.shape for key, value in theirs.items() if "num_batches_tracked" not in key}
        if all(key in tensors and tensors[key].shape == shape for key, shape in shapes.items()):
            return f"they are weights of {model}: choose that network, with {outputs} outputs"
    return "they fit no network of this course: fetch them again"


def _some(names: list[str]) -> str:
    """Say how many names there are and show the first three."""
    if not names:
        return "0"
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
