"""What a network's encoder sees at several scales, taken along in the pass that makes the logits.

The layers of a network are watched while it runs: none of them has to know.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from course_lib.models.network import Network, enlarge


@contextmanager
def watched_scales(network: Network, strides: Sequence[int]) -> Iterator[dict[int, Tensor]]:
    """Yield a dictionary that the network, whenever it runs, fills with its encoder's maps by stride.

    Args:
        network: any network; it is left as it is.
        strides: keys of its ``scale_modules``.

    Raises:
        ValueError: if the network has no map at one of them.
    """
    maps: dict[int, Tensor] = {}
    absent = [stride for stride in strides if stride not in network.scale_modules]
    if absent:
        offered = ", ".join(f"1/{stride}" for stride in network.scale_modules) or "none"
        raise ValueError(
            f"{type(network).__name__} has no map of its encoder at 1/{absent[0]}; it has {offered}"
        )

    def keep(stride: int):
        def note(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            maps[stride] = output

        return note

    modules = {stride: network.get_submodule(network.scale_modules[stride]) for stride in strides}
    hooks = [module.register_forward_hook(keep(stride)) for stride, module in modules.items()]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def logits_and_scales(
    network: Network, images: Tensor, strides: Sequence[int]
) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the logits, and maps of the encoder, of one pass.

    Args:
        network: any network, in evaluation mode.
        images: RGB in [0, 1], (N, 3, H, W), both sides a multiple of ``size_multiple``.
        strides: keys of its ``scale_modules``.

    Returns:
        Logits (N, C, H, W); by stride s, the map (N, C', H / s, W / s), where C' depends on the stride.

    Raises:
        ValueError: if the network has no map at one of the strides.
    """
    with watched_scales(network, strides) as maps:
        logits = network.head_logits(images)[0]
    return enlarge(logits, images.shape[-2:], network.align_corners), dict(maps)
