"""A fitted temperature on disk, beside the checkpoint that it belongs to."""

import json
from pathlib import Path

from course_lib.runtime import sha256_of, write_atomically

SUFFIX = ".temperature.json"


def temperature_file(weights: Path) -> Path:
    """Return where the temperature of a checkpoint is kept."""
    return weights.with_suffix(SUFFIX)


def write_temperature(path: Path, weights: Path, about: dict) -> None:
    """Write what was fitted, and for which weights.

    Args:
        path: of ``temperature_file``, or any other.
        weights: the checkpoint; its hash is kept, so that the number is never used for another one.
        about: with ``fitted``, which has ``temperature``.

    Raises:
        OSError: if it cannot be written.
    """
    content = about | {"weights_sha256": sha256_of(weights)}
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


def read_temperature(weights: Path) -> float:
    """Return the temperature that was fitted for a checkpoint.

    Raises:
        FileNotFoundError: if none was fitted.
        ValueError: if the file is damaged, or was written for other weights.
    """
    path = temperature_file(weights)
    command = f"python3 start.py calibrate --weights {weights}"
    if not path.is_file():
        raise FileNotFoundError(f"no fitted temperature at {path}; run {command}")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        temperature, fitted_for = float(about["fitted"]["temperature"]), about["weights_sha256"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} holds no fitted temperature; run {command}") from None
    if fitted_for != sha256_of(weights):
        raise ValueError(f"{path} was fitted for other weights than {weights.name}; run {command}")
    return temperature
