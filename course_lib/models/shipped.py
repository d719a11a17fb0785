"""The weights that come with the course, and those that were trained on this machine."""

import sys
from pathlib import Path

from course_lib.runtime import COMMAND, LIBRARY, PROJECT_ROOT, unknown_name

FOLDER = LIBRARY / "weights"
RESULTS = PROJECT_ROOT / "results"


def results_folder(profile: str) -> Path:
    """Return the folder of all that was made on this machine in a profile."""
    return RESULTS / profile


def run_folder(profile: str, model: str, training: str, seed: int) -> Path:
    """Return the folder in which a training run keeps its files, unless it is told another."""
    return results_folder(profile) / "runs" / f"{model}_{training}_seed{seed}"


def shipped_file(profile: str, model: str, training: str) -> Path:
    """Return where the shipped weights of a training are, if they were shipped at all."""
    return FOLDER / profile / f"{model}_{training}.safetensors"


def shipped_weights(profile: str, model: str, training: str = "ce") -> Path:
    """Return the file of shipped weights: ``<profile>/<model>_<training>.safetensors``.

    Where none were shipped, those of a run of seed 0 on this machine; it says so, since it may be any run.

    Raises:
        ValueError: if there are neither; the message names those that were shipped.
    """
    shipped = shipped_file(profile, model, training)
    trained = run_folder(profile, model, training, seed=0) / shipped.name
    if shipped.is_file():
        return shipped
    if trained.is_file():
        print(
            f"{shipped.stem} was not shipped for {profile}; taking this machine's {trained}", file=sys.stderr
        )
        return trained
    known = [p.relative_to(FOLDER).with_suffix("").as_posix() for p in sorted(FOLDER.glob("*/*.safetensors"))]
    error = unknown_name("shipped weights", f"{profile}/{model}_{training}", known)
    raise ValueError(f"{error}; others are made by {COMMAND} train")
