"""What a worker does for one run of a sweep: train it, or go on with it, and measure it."""

import contextlib
import io
import multiprocessing
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from distributed import get_worker
from filelock import FileLock, Timeout

from course_lib import evaluation, training
from course_tools.sweeps.grid import Planned
from course_tools.sweeps.measuring import kept, measure, weights_of

PATIENCE = 120.0
"""Seconds to wait for a worker that was given up, but still works on a run."""

STARTS = "starts.csv"
"""The file in a run's folder with a line for each time that a worker began with it."""


def finished(planned: Planned, folder: Path) -> evaluation.NetworkResult | None:
    """Return the metrics of a run that is trained and measured, None of any other.

    Raises:
        ValueError: if the folder holds a run with other settings.
    """
    try:
        training.previous_state(folder, planned.settings, resume=True)
    except ValueError as error:
        raise ValueError(f"{error}; or rename the file of the sweep, or delete {folder}") from None
    return kept(planned, folder)


def work_on(
    planned: Planned, folder: Path, threads: int | None = None, command: str = ""
) -> evaluation.NetworkResult:
    """Train a run, from its last checkpoint if it has one, and return its metrics; in a worker.

    Args:
        planned: the run.
        folder: of the run; all workers must see it.
        threads: of torch; None leaves what the worker's environment says.
        command: for the metadata of the weights.

    Raises:
        ValueError: if another process still works on the run after ``PATIENCE`` seconds.
        Diverged, MemoryError, OSError: as ``training.train``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    with _alone(folder), _silent():
        if measured := kept(planned, folder):  # the worker that finished it died before it could tell
            return measured
        with (folder / STARTS).open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},{platform.node()},{os.getpid()}\n")
        if not weights_of(planned, folder).is_file():
            training.train(_here(planned.settings), folder, resume=True, command=command)
        return measure(planned, folder)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else works on a run; a worker whose scheduler died may be at it for a while."""
    try:
        with FileLock(folder / ".sweep.lock", timeout=PATIENCE):
            yield
    except Timeout:
        raise ValueError(f"another process still works on {folder}; stop it and call again") from None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Show no bars of several runs at once; ``log.csv`` tells how far each is."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _here(settings: training.TrainingSettings) -> training.TrainingSettings:
    """Return settings for this worker; dask's own processes are daemons, which may not start others."""
    alone = multiprocessing.current_process().daemon
    return replace(settings, device=_device(settings.device), workers=0 if alone else settings.workers)


def _device(device: str) -> str:
    """Return the GPU of this worker: those of a machine are given out in turn."""
    if device != "cuda" or torch.cuda.device_count() < 2:
        return device
    number = str(get_worker().name)  # of a worker that was started elsewhere it is an address
    return f"cuda:{int(number) % torch.cuda.device_count()}" if number.isdigit() else device
