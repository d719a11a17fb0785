"""Whether, and from what, a run goes on: another run is neither overwritten nor mixed in."""

from pathlib import Path

from torch import Tensor

from course_lib.training.checkpoint import load_state
from course_lib.training.settings import TrainingSettings

CHECKPOINT = "last.pt"
"""The state of a run in its folder."""


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
    differences = settings.differences(state["settings"])
    if differences:
        raise ValueError(f"{path} is of another run, with {'; '.join(differences)}: choose another --output")
    return state


def check_same_data(state: dict, class_counts: Tensor, images: int) -> None:
    """Raise a ValueError if the training images are not those that the run began with."""
    if state["images"] != images or not state["class_counts"].equal(class_counts):
        raise ValueError(
            f"the training data has changed since this run began ({state['images']} images then, {images} "
            "now, or other labels): bring it back, or start anew with another --output"
        )
