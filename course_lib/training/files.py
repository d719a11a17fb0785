"""What a training keeps in its folder: its whole state, and a log with one row per epoch."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import torch
from filelock import FileLock, Timeout

from course_lib.labels import CLASS_NAMES
from course_lib.runtime import write_atomically
from course_lib.training.settings import TrainingSettings

CHECKPOINT = "last.pt"
"""The state of a training in its folder."""

FORMAT = 1


@contextmanager
def nobody_else_in(folder: Path) -> Iterator[None]:
    """Make a folder and keep it to this process; a ValueError if another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(f"another process trains in {folder}: wait for it, or use another folder") from None


def save_state(path: Path, state: dict) -> None:
    """Write a state of tensors and plain values: a crash leaves the old file or the new one, no half of one.

    Raises:
        OSError: if the disk is full; the old file is kept.
    """
    buffer = io.BytesIO()
    torch.save(state | {"format": FORMAT}, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict:
    """Return what ``save_state`` wrote, on the CPU; no code in the file is run.

    Raises:
        ValueError: if the file is no state of a training.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds; whatever it is, the file is at fault
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"{path} is not a training checkpoint ({reason}); start anew elsewhere") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a training checkpoint of this version; start anew elsewhere")
    return state


def previous_state(folder: Path, settings: TrainingSettings, resume: bool) -> dict | None:
    """Return the state to go on from, or None to start from the beginning.

    Raises:
        ValueError: if the folder holds a run that is not to be resumed, or one with other settings.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    if not resume:
        raise ValueError(f"{path} exists: add --resume to go on with that run, or choose another --output")
    state = load_state(path)
    if differences := settings.differences(state["settings"]):
        raise ValueError(f"{path} is of another run, with {'; '.join(differences)}: choose another --output")
    return state


def write_log(folder: Path, history: list[dict], events) -> None:
    """Write all rows to ``log.csv``, so that none stands twice, and the newest to ``events`` of TensorBoard.

    Raises:
        OSError: if the disk is full.
    """
    newest = history[-1]
    measured = ["validation_loss", "miou", *(f"iou_{name}" for name in CLASS_NAMES)]
    columns = [name for name in newest if name not in measured] + measured
    table = pd.DataFrame(history, columns=columns).to_csv(index=False)
    write_atomically(folder / "log.csv", table.encode())
    for name in newest.keys() - {"epoch", "step"}:
        events.add_scalar(name.replace("iou_", "iou/"), newest[name], newest["epoch"])
    events.flush()
