"""The runs of a sweep: each trained and measured by a worker, all of them in tables."""

import contextlib
import hashlib
import io
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from distributed import Client, Future, KilledWorker, get_worker
from filelock import FileLock
from tqdm.auto import tqdm

from course_lib import data, evaluation, models, training
from course_lib.metrics import Resampled
from course_tools import cluster
from course_tools.result_store import Store, files_of
from course_tools.sweeps.grid import SEED, Planned, Sweep

LOOK_EVERY = 0.5
"""Seconds between two looks at how far the runs are."""

RETRIES = 1
"""How often a run that failed is tried again, from its last checkpoint."""

PATIENCE = 120.0
"""Seconds to wait for a worker that was given up, but still works on a run."""

STARTS = "starts.csv"
"""The file in a run's folder with a line for each time that a worker began with it."""


class Lost(RuntimeError):
    """The scheduler or all workers are gone; what was finished is kept."""


def check_data(sweep: Sweep) -> None:
    """Find out before any training whether there is something to learn from, and to measure on.

    Raises:
        FileNotFoundError: if the training data is missing.
        ValueError: if none of the benchmarks is here.
    """
    for split in ("train", "val"):
        sweep.runs[0].settings.samples(split)
    _benchmarks(sweep.profile)


def finished(planned: Planned, folder: Path) -> evaluation.NetworkResult | None:
    """Return the metrics of a run that is trained and measured on these images, None of any other.

    Raises:
        ValueError: if the folder holds a run with other settings.
    """
    try:
        training.previous_state(folder, planned.settings, resume=True)
    except ValueError as error:
        raise ValueError(f"{error}; or rename the file of the sweep, or delete {folder}") from None
    weights = _weights(planned, folder)
    found = Store(folder).read("measured", _about(planned, weights)) if weights.is_file() else None
    return found and _result(found)


def run_all(
    client: Client,
    sweep: Sweep,
    missing: list[Planned],
    threads: int | None,
    command: str,
    told: Callable[[Planned, evaluation.NetworkResult | str], None],
) -> None:
    """Train and measure runs; a run that fails, or whose worker dies, is tried once more.

    Args:
        client: of the workers, which all see the sweep's folder.
        sweep: it belongs to.
        missing: the runs.
        threads: of torch in each worker; None leaves it to their environment.
        command: for the metadata of the weights.
        told: called with each run as soon as it has ended, and its metrics, or why it failed.

    Raises:
        Lost: if the scheduler dies, or all workers do and none comes within ``cluster.PATIENCE`` seconds.
    """
    folders = [sweep.folder / planned.name for planned in missing]
    options = {"threads": threads, "command": command}
    futures = client.map(work_on, missing, folders, **options, retries=RETRIES, pure=False)
    waiting, alive = dict(zip(futures, missing, strict=True)), time.monotonic()
    lost = Lost(f"lost {client.scheduler.address}")
    with tqdm(total=sum(run.settings.epochs for run in missing), desc=sweep.name, unit="epoch") as bar:
        while waiting:
            time.sleep(LOOK_EVERY)
            for future in [future for future in waiting if future.done()]:
                if future.status in ("cancelled", "lost"):
                    raise lost
                told(waiting.pop(future), _outcome(future))
            bar.update(sum(map(_epochs, folders)) - bar.n)
            try:
                workers = client.scheduler_info()["workers"]
            except Exception:  # dask raises several kinds where its scheduler is gone
                raise lost from None
            alive = time.monotonic() if workers else alive
            if waiting and time.monotonic() - alive > cluster.PATIENCE:
                raise Lost("no workers are left")


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
        Timeout: if another process still works on the run after ``PATIENCE`` seconds.
        Diverged, MemoryError, OSError: as ``training.train``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    settings, weights, silent = planned.settings, _weights(planned, folder), io.StringIO()
    if settings.device == "cuda" and torch.cuda.device_count() > 1:  # given out in turn
        number = str(get_worker().name)  # of a worker that was started elsewhere it is an address
        gpu = int(number) % torch.cuda.device_count() if number.isdigit() else 0
        settings = replace(settings, device=f"cuda:{gpu}")
    with (
        FileLock(folder / ".sweep.lock", timeout=PATIENCE),
        contextlib.redirect_stdout(silent),  # no bars of several runs at once; log.csv tells how far each is
        contextlib.redirect_stderr(silent),
    ):
        if found := finished(planned, folder):  # the worker that finished it died before it could tell
            return found
        with (folder / STARTS).open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},{platform.node()},{os.getpid()}\n")
        if not weights.is_file():
            training.train(settings, folder, resume=True, command=command)
        return _measure(planned, settings.device, folder)


def _measure(planned: Planned, device: str, folder: Path) -> evaluation.NetworkResult:
    """Return the metrics of a trained run on the benchmarks of its profile, and keep them in its folder."""
    weights = _weights(planned, folder)
    network, metadata = models.load(planned.settings.model, weights)
    chosen = evaluation.Settings(
        size=tuple(metadata.size), known_classes=tuple(metadata.known_classes), device=torch.device(device)
    )
    ious = [name for name in metadata.metrics if name.startswith("iou ")]
    miou = metadata.metrics["miou"], len(ious)  # as the run itself measured it

    def make() -> dict:
        benchmarks = _benchmarks(planned.settings.profile)
        rows = evaluation.evaluate(network, benchmarks, chosen, progress=False)
        result = evaluation.network_result(rows, metadata, weights, miou)
        drawn = {key: tuple(resampled) for key, resampled in result.drawn.items()}
        plain = result.frame.astype(object).where(result.frame.notna(), None).to_dict("list")
        return {"frame": plain, "types": result.frame.dtypes.astype(str).to_dict(), "drawn": drawn}

    return _result(Store(folder).kept("measured", _about(planned, weights), make))


def _result(kept: dict) -> evaluation.NetworkResult:
    """Return metrics as they can be compared, from what is kept."""
    drawn = {key: Resampled(*one) for key, one in kept["drawn"].items()}
    return evaluation.NetworkResult(pd.DataFrame(kept["frame"]).astype(kept["types"]), drawn)


def _weights(planned: Planned, folder: Path) -> Path:
    """Return where a finished run leaves its weights."""
    return folder / f"{planned.settings.model}_{planned.settings.training}.safetensors"


def _about(planned: Planned, weights: Path) -> list:
    """Return all that decides the metrics."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return [digest, [files_of(images) for images in _benchmarks(planned.settings.profile)]]


def _benchmarks(profile: str) -> list[data.BenchmarkImages]:
    """Return the benchmarks of a profile that are here; raise a ValueError if there is none."""
    found, reasons = data.benchmarks_here(data.find_profile(profile))
    if not found:
        raise ValueError(f"none of the benchmarks is here: {next(iter(reasons.values()))}")
    return found


def _outcome(future: Future) -> evaluation.NetworkResult | str:
    """Return what became of a run, or why it failed."""
    try:
        return future.result()
    except KilledWorker as error:
        return f"its worker died {error.allowed_failures + 1} times; is there too little memory?"
    except Exception as error:  # whatever a run dies of, the others go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _epochs(folder: Path) -> int:
    """Return how many epochs a run has logged."""
    log = folder / "log.csv"
    return len(log.read_text(encoding="utf-8").splitlines()) - 1 if log.is_file() else 0


def tables(
    sweep: Sweep, measured: Mapping[str, evaluation.NetworkResult], failures: Mapping[str, str]
) -> tuple[dict[str, pd.DataFrame], str]:
    """Return the tables of what is there, and why there is no summary, or nothing.

    Args:
        sweep: all of it.
        measured: the metrics of finished runs by name.
        failures: why others failed, by name.

    Returns:
        - ``runs``: one row per run: run, what the grid chose, status (``done``, ``missing`` or why it
          failed), miou in percent;
        - ``numbers``: one row per run, benchmark and score: the columns of ``evaluation.table`` behind those
          of the grid;
        - ``summary``, where there is something to compare: one row per group, benchmark and score: what the
          grid chose but for the seed, and the columns of ``evaluation.compare`` with ``group`` in place of
          ``training``.
    """
    here = {run.name: run for run in sweep.runs if run.name in measured}
    rows = [
        {"run": run.name, **run.columns}
        | {"status": "done" if run.name in here else failures.get(run.name, "missing")}
        | {"miou": float(measured[run.name].frame["miou"].iloc[0]) if run.name in here else None}
        for run in sweep.runs
    ]
    numbers = [_behind({"run": name, **run.columns}, measured[name].frame) for name, run in here.items()]
    made = {"runs": pd.DataFrame(rows)}
    made["numbers"] = pd.concat(numbers) if numbers else pd.DataFrame(columns=evaluation.COLUMNS)
    groups = {run.group: run for run in here.values()}
    if sweep.baseline not in groups:
        return made, f"no run of the baseline {sweep.baseline} is finished"
    results = [
        measured[name]._replace(frame=measured[name].frame.assign(training=run.group))
        for name, run in here.items()
    ]
    try:
        compared = evaluation.compare(results, sweep.baseline)
    except ValueError as error:  # runs differ in their epochs, for example
        return made, str(error)
    parts = [
        _behind({"group": group} | {k: v for k, v in groups[group].columns.items() if k != SEED}, part)
        for group, part in compared.drop(columns="training").groupby(compared["training"], sort=False)
    ]
    return made | {"summary": pd.concat(parts, ignore_index=True)}, ""


def _behind(columns: Mapping[str, str], frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table behind some columns, which take the place of its own of the same name."""
    before = pd.DataFrame(dict(columns), index=frame.index)
    return pd.concat([before, frame.drop(columns=[name for name in columns if name in frame])], axis=1)
