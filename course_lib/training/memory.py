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


def advice(shape: torch.Size, device: torch.device, attempt: Callable[[int], None]) -> str:
    """Say that a batch of images (N, 3, H, W) does not fit and, after some attempts, what would."""
    parts = parts_that_fit(shape[0], attempt)
    if parts is None:
        return f"{_problem(shape, device)}, nor does one image: choose a smaller --size"
    return f"{_problem(shape, device)}; {-(-shape[0] // parts)} at a time fit: add --accumulate {parts}"


def guess(shape: torch.Size, device: torch.device, accumulate: int) -> str:
    """Say the same where nothing can be attempted; so far a batch was worked through in so many parts."""
    return (
        f"{_problem(shape, device)} in {accumulate} part(s): add --accumulate {2 * accumulate} or choose a "
        "smaller --size"
    )


def _problem(shape: torch.Size, device: torch.device) -> str:
    """Say what does not fit."""
    count, _, height, width = shape
    return f"a batch of {count} images of {height} x {width} does not fit into the memory of {device}"


def free(device: torch.device) -> None:
    """Give cached memory back before the next attempt."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
