"""The whole state of a run on disk: either the old file or the new one is there, never half of one."""

import io
import os
import pickle
from pathlib import Path

import torch

FORMAT = 1


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a crash, a kill or a full disk at any moment leaves the old one or the new one.

    Raises:
        OSError: if it cannot be written; the old file is then untouched.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else the new name may reach the disk before the content does
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "the previous one is kept" if path.exists() else "nothing was saved"
        raise OSError(f"could not write {path} ({error.strerror}); {kept}: free some space") from None


def save_state(path: Path, state: dict) -> None:
    """Write a state of tensors and plain values; see ``write_atomically``."""
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
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ValueError(f"{path} is not a training checkpoint ({reason}); start anew elsewhere") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a training checkpoint of this version; start anew elsewhere")
    return state
