"""What to do when a batch does not fit into memory."""

from collections.abc import Callable

import torch

PHRASES = ("out of memory", "not enough memory", "can't allocate memory")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error of any device means that memory ran out."""
    message = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(phrase in message for phrase in PHRASES)


def parts_that_fit(batch: int, attempt: Callable[[int], None]) -> int | None:
    """Return into how few parts (2, 4, 8, ...) a batch must be split to fit, or None if one image does not.

    Args:
        batch: images per step.
        attempt: runs one forward and backward pass of so many images, and raises if they do not fit.
    """
    parts = 1
    while parts < batch:
        parts = min(2 * parts, batch)
        try:
            attempt(-(-batch // parts))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            return parts
    return None
