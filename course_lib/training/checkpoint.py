"""The whole state of a run on disk: either the old file or the new one is there, never half of one."""

import io
from pathlib import Path

import torch

from course_lib.runtime import write_atomically

FORMAT = 1


def save_state(path: Path, state: dict) -> None:
    """Write a state of tensors and plain values; see ``runtime.write_atomically``."""
    buffer = io.BytesIO()
    torch.save(state | {"format": FORMAT}, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict:
    """Return what ``save_state`` wrote, on the CPU; no code in the file is run.

    Raises:
        ValueError: if the file is no state of a run.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds; whatever it is, the file is at fault
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"{path} is not a training checkpoint ({reason}); start anew elsewhere") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a training checkpoint of this version; start anew elsewhere")
    return state
