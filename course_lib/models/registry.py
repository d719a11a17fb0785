"""The networks by name."""

import torch

from course_lib.labels import NUM_CLASSES, VOID, Titles
from course_lib.models.bisenetv2 import BiSeNetV2
from course_lib.models.efficientnet_lite import EfficientNetLite0
from course_lib.models.enet import ENet
from course_lib.models.erfnet import ERFNet
from course_lib.models.espnetv2 import ESPNetv2Half, ESPNetv2One, ESPNetv2OneHalf, ESPNetv2Two
from course_lib.models.network import HEADS, Network
from course_lib.runtime import unknown_name

PAPER_NETWORKS: dict[str, type[Network]] = {"erfnet": ERFNet, "enet": ENet, "bisenetv2": BiSeNetV2}
"""Those of the paper."""

NETWORKS: dict[str, type[Network]] = PAPER_NETWORKS | {
    "espnetv2_0.5": ESPNetv2Half,
    "espnetv2_1.0": ESPNetv2One,
    "espnetv2_1.5": ESPNetv2OneHalf,
    "espnetv2_2.0": ESPNetv2Two,
    "efficientnet_lite0": EfficientNetLite0,
}
"""Every network that ``build`` knows."""

TITLES = Titles(
    {name: name.replace("espnetv2_", "ESPNetv2 ") for name in NETWORKS},
    erfnet="ERFNet",
    enet="ENet",
    bisenetv2="BiSeNetV2",
    efficientnet_lite0="EfficientNet-Lite0",
)
"""How papers write the networks."""


def build(name: str, num_classes: int = NUM_CLASSES, head: str = "linear") -> Network:
    """Return a network with random weights, in training mode.

    Args:
        name: a key of ``NETWORKS``.
        num_classes: 19, or 20 for a network with void as the last output.
        head: ``linear``, or ``isomax`` for one whose logits are minus distances to prototypes.

    Raises:
        ValueError: if a name is unknown or the number of classes is neither.
    """
    if name not in NETWORKS:
        raise unknown_name("network", name, NETWORKS)
    if num_classes not in (NUM_CLASSES, NUM_CLASSES + 1):
        raise ValueError(
            f"a network has {NUM_CLASSES} outputs, or {NUM_CLASSES + 1} with void; got {num_classes}"
        )
    if head not in HEADS:
        raise unknown_name("head", head, HEADS)
    network = NETWORKS[name](num_classes)
    if head == "isomax":
        network.use_isomax()
    return network


def with_void_output(network: Network) -> Network:
    """Return a new network, as of ``build``, with void as a 20th output and all weights of one with 19.

    The weights of the new output are random: until it has been trained, it says nothing.

    Args:
        network: any network of ``build``; it is left as it is.

    Raises:
        ValueError: if it has a 20th output already.
    """
    if network.num_classes != NUM_CLASSES:
        raise ValueError(f"need a network with {NUM_CLASSES} outputs, got one with {network.num_classes}")
    wider = type(network)(VOID + 1)
    if network.head_kind == "isomax":
        wider.use_isomax()
    if not network.auxiliary_names:
        wider.drop_auxiliary()
    known = network.state_dict()
    with torch.no_grad():
        for name, tensor in wider.state_dict().items():
            tensor[tuple(slice(length) for length in known[name].shape)] = known[name]
    return wider
