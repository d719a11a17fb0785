"""What comes out of each layer of a network."""

from typing import NamedTuple

import torch
from torch import nn

from course_lib.models.network import Network


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

    A block is a module whose children hold the weights; one that only strings blocks together is not listed.

    Args:
        network: any network; its mode does not change.
        size: height and width of an image.
    """
    shapes: list[LayerShape] = []

    def record(name: str):
        def hook(module: nn.Module, _inputs, output: torch.Tensor) -> None:
            shapes.append(LayerShape(name, type(module).__name__, *output.shape[1:]))

        return hook

    blocks = [(name, module) for name, module in network.named_modules() if _is_block(network, name, module)]
    hooks = [module.register_forward_hook(record(name)) for name, module in blocks]
    was_training = network.training
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, *size, device=next(network.parameters()).device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return shapes


def _is_block(network: Network, name: str, module: nn.Module) -> bool:
    """Tell whether a module is a block: the classifier, or what directly holds a batch normalisation."""
    if name == network.classifier_name:
        return True
    return any(isinstance(child, nn.BatchNorm2d) for child in module.children())
