"""The metrics of one trained run, kept in its folder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from course_lib import data, evaluation, models
from course_tools import result_store
from course_tools.sweeps.grid import Planned, Sweep

STEP = "measured"
"""The name of what is kept."""


def weights_of(planned: Planned, folder: Path) -> Path:
    """Return where a finished run leaves its weights."""
    return folder / f"{planned.settings.model}_{planned.settings.training}.safetensors"


def kept(planned: Planned, folder: Path) -> evaluation.NetworkResult | None:
    """Return what was measured of these weights on these images; None if it was not yet."""
    path = weights_of(planned, folder)
    if not path.is_file():
        return None
    _, metadata = models.read_weights(path)
    found = result_store.Store(folder).read(STEP, _about(path, _benchmarks(planned.settings.profile)))
    return None if found is None else _measured(found, metadata, path)


def measure(planned: Planned, folder: Path) -> evaluation.NetworkResult:
    """Return the metrics of a trained run on those of its profile's benchmarks that are here.

    Raises:
        ValueError: if none of them is here.
    """
    path, settings = weights_of(planned, folder), planned.settings
    network, metadata = models.load(settings.model, path)
    benchmarks = _benchmarks(settings.profile)
    chosen = evaluation.Settings(
        size=tuple(metadata.size),
        known_classes=tuple(metadata.known_classes),
        device=torch.device(settings.device),
    )

    def make() -> dict:
        return evaluation.measured_rows(network, benchmarks, chosen, progress=False)

    found = result_store.Store(folder).kept(STEP, _about(path, benchmarks), make)
    return _measured(found, metadata, path)


def check_data(sweep: Sweep) -> None:
    """Find out before any training whether there is something to learn from, and to measure on.

    Raises:
        FileNotFoundError: if the training data is missing.
        ValueError: if none of the benchmarks is here.
    """
    for split in ("train", "val"):
        sweep.runs[0].settings.samples(split)
    _benchmarks(sweep.profile)


def _about(path: Path, benchmarks: Sequence[data.BenchmarkImages]) -> list:
    """Return all that decides the metrics."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [digest, [result_store.files_of(images) for images in benchmarks]]


def _measured(found: dict, metadata: models.Metadata, path: Path) -> evaluation.NetworkResult:
    """Return metrics as they can be compared; the mean IoU is the one that the run itself measured."""
    ious = [name for name in metadata.metrics if name.startswith("iou ")]
    return evaluation.measured_of(found, metadata, path, (metadata.metrics["miou"], len(ious)))


def _benchmarks(profile: str) -> list[data.BenchmarkImages]:
    """Return the benchmarks of a profile that are here.

    Raises:
        ValueError: if there is none.
    """
    found, reasons = data.benchmarks_here(data.find_profile(profile))
    if not found:
        raise ValueError(f"none of the benchmarks is here: {next(iter(reasons.values()))}")
    return found
