"""Whether the tensors in a file are those of a network, by name and shape."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from course_lib.labels import NUM_CLASSES
from course_lib.models.network import Network
from course_lib.models.registry import NETWORKS


def expected_in_file(network: Network, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return those tensors of a network that a file must hold: auxiliary heads all or not at all."""
    state = network.state_dict()
    if any(map(network.is_auxiliary, tensors)):
        return state
    return {key: value for key, value in state.items() if not network.is_auxiliary(key)}


def compare(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise a ValueError that names what is missing, left over or of another shape."""
    missing = [n for n in expected if n not in tensors and not n.endswith("num_batches_tracked")]
    unmatched = [name for name in tensors if name not in expected]
    if missing or unmatched:
        raise ValueError(
            f"{path} does not fit this network: {_some(missing)} missing, {_some(unmatched)} unmatched; "
            + (_whose(tensors) if missing else "ask for a file of the weights alone")
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            got, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            raise ValueError(f"{path} does not fit this network: {name} has shape {got}, expected {wanted}")


def _whose(tensors: Mapping[str, Tensor]) -> str:
    """Say which network weights that do not fit belong to, if any."""
    for name, network_class in NETWORKS.items():
        with torch.device("meta"):  # names only, no memory
            expected = expected_in_file(network_class(NUM_CLASSES), tensors)
        if all(key in tensors or key.endswith("num_batches_tracked") for key in expected):
            return f"they are weights of {name}: choose that network"
    return "they fit no network of this course: fetch them again"


def _some(names: list[str]) -> str:
    """Say how many names there are and show the first three."""
    if not names:
        return "0"
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
