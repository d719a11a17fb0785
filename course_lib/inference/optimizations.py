"""What can be done to make inference faster, step by step."""

from dataclasses import dataclass

from course_lib.runtime import unknown_name

PRECISIONS = ("fp32", "bf16", "fp16")
"""Of the arithmetic inside the network; logits are float32 in all of them."""


@dataclass(frozen=True)
class Optimizations:
    """Which steps to take; each works without the others. By default none is taken."""

    fold: bool = False
    """Multiply batch normalisation into the convolution before it."""
    in_place: bool = False
    """Let activations and sums overwrite what nobody reads again."""
    channels_last: bool = False
    """Store the channels of a pixel side by side."""
    inference_mode: bool = False
    """Keep no record for a backward pass, not even the version of each tensor."""
    precision: str = "fp32"
    """One of ``PRECISIONS``; but for fp32 by autocast."""
    cuda_graph: bool = False
    """Record the kernels of a size once and replay them; CUDA only."""
    compiled: bool = False
    """Let ``torch.compile`` write the kernels: the first image of every size takes long."""

    def __post_init__(self) -> None:
        """Raise a ValueError if the precision is unknown."""
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)


_FAST = {"fold": True, "in_place": True, "channels_last": True, "inference_mode": True}

SPEEDS: dict[str, Optimizations] = {
    "plain": Optimizations(),
    "fast": Optimizations(**_FAST),
    "bf16": Optimizations(**_FAST, precision="bf16"),
    "fp16": Optimizations(**_FAST, precision="fp16"),
    "cuda_graph": Optimizations(**_FAST, cuda_graph=True),
    "compiled": Optimizations(**_FAST, compiled=True),
}
"""Optimizations that belong together, by name. ``plain`` is the network as it is; ``fast`` is float32 with
the same logits but for rounding; half the bits make larger errors."""


def find_optimizations(speed: str | Optimizations) -> Optimizations:
    """Return the steps called ``speed``; those that were put together by hand stay as they are.

    Raises:
        ValueError: if the name is unknown.
    """
    if isinstance(speed, Optimizations):
        return speed
    if speed not in SPEEDS:
        raise unknown_name("speed", speed, SPEEDS)
    return SPEEDS[speed]
