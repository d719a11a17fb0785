"""The runs of a sweep: each trained and measured by a worker, all of them in tables."""

import contextlib
import io
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from distributed import Client, KilledWorker, get_worker
from filelock import FileLock
from tqdm.auto import tqdm

from course_lib import data, evaluation, models, runtime, training
from course_tools import cluster
from course_tools.result_store import Store, files_of, write_table
from course_tools.sweeps.grid import Planned, Sweep

Outcome = evaluation.NetworkResult | str
"""The metrics of a finished run, or why it failed."""


class Lost(RuntimeError):
    """The scheduler or all workers are gone; what was finished is kept."""


def benchmarks_of(profile: str) -> list[data.BenchmarkImages]:
    """Return the benchmarks of a profile that are here; raise a ValueError if there is none."""
    found, reasons = data.benchmarks_here(data.find_profile(profile))
    if not found:
        raise ValueError(f"none of the benchmarks is here: {next(iter(reasons.values()))}")
    return found


def finished(planned: Planned, folder: Path, device: str = "") -> evaluation.NetworkResult | None:
    """Return the metrics of a run that is trained, None of any other.

    Args:
        planned: the run.
        folder: in which it keeps everything.
        device: to measure what is not kept of these images; by default that gives None.

    Raises:
        ValueError: if the folder holds a run with other settings.
    """
    try:
        training.previous_state(folder, planned.settings, resume=True)
    except ValueError as error:
        raise ValueError(f"{error}; or rename the file of the sweep, or delete {folder}") from None
    weights = folder / planned.settings.weights_name
    if not weights.is_file():
        return None
    network, metadata = models.load(planned.settings.model, weights)
    benchmarks, store = benchmarks_of(planned.settings.profile), Store(folder)
    about = [runtime.sha256_of(weights), [files_of(images) for images in benchmarks]]

    def measured() -> dict:
        settings = evaluation.Settings.of(metadata, device=torch.device(device))
        return {"rows": evaluation.evaluate(network, benchmarks, settings, progress=False)}

    found = store.kept("measured", about, measured) if device else store.read("measured", about)
    ious = [name for name in metadata.metrics if name.startswith("iou ")]
    miou = metadata.metrics["miou"], len(ious)  # as the run itself measured it
    return evaluation.network_result(found["rows"], metadata, weights, miou) if found else None


def run_all(
    client: Client, sweep: Sweep, missing: list[Planned], threads: int | None, command: str
) -> Iterator[tuple[Planned, Outcome]]:
    """Train and measure runs; a run that fails, or whose worker dies, is tried once more.

    Yields each run as soon as it has ended, and its metrics, or why it failed.

    Args:
        client: of the workers, which all see the sweep's folder.
        sweep: it belongs to.
        missing: the runs.
        threads: of torch in each worker; None leaves it to their environment.
        command: for the metadata of the weights.

    Raises:
        Lost: if the scheduler dies, or all workers do and none comes within ``cluster.PATIENCE`` seconds.
    """
    folders = [sweep.folder / planned.name for planned in missing]
    logs = [folder / "log.csv" for folder in folders]
    futures = client.map(work_on, missing, folders, threads=threads, command=command, retries=1, pure=False)
    waiting, alive = dict(zip(futures, missing, strict=True)), time.monotonic()
    lost = Lost(f"lost {client.scheduler.address}")
    with tqdm(total=sum(run.settings.epochs for run in missing), desc=sweep.name, unit="epoch") as bar:
        while waiting:
            time.sleep(0.5)
            for future in [future for future in waiting if future.done()]:
                if future.status in ("cancelled", "lost"):
                    raise lost
                try:
                    outcome = future.result()
                except KilledWorker as error:
                    deaths = error.allowed_failures + 1
                    outcome = f"its worker died {deaths} times; is there too little memory?"
                except Exception as error:  # whatever a run dies of, the others go on
                    outcome = f"{type(error).__name__}: {' '.join(str(error).split())}"
                yield waiting.pop(future), outcome
            epochs = [len(log.read_text("utf-8").splitlines()) - 1 for log in logs if log.is_file()]
            bar.update(sum(epochs) - bar.n)
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
        Timeout: if a worker that was given up still works on the run after two minutes.
        Diverged, MemoryError, OSError: as ``training.train``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    settings, silent = planned.settings, io.StringIO()
    if settings.device == "cuda" and torch.cuda.device_count() > 1:  # given out in turn
        number = str(get_worker().name)  # of a worker that was started elsewhere it is an address
        gpu = int(number) % torch.cuda.device_count() if number.isdigit() else 0
        settings = replace(settings, device=f"cuda:{gpu}")
    with (
        FileLock(folder / ".sweep.lock", timeout=120),
        contextlib.redirect_stdout(silent),  # no bars of several runs at once; log.csv tells how far each is
        contextlib.redirect_stderr(silent),
    ):
        if found := finished(planned, folder):  # the worker that finished it died before it could tell
            return found
        with (folder / "starts.csv").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},{platform.node()},{os.getpid()}\n")
        if not (folder / settings.weights_name).is_file():
            training.train(settings, folder, resume=True, command=command)
        return finished(planned, folder, settings.device)


def write_tables(sweep: Sweep, outcomes: Mapping[str, Outcome]) -> str:
    """Write the tables of what is there into the sweep's folder; return that of the runs, to be printed.

    - ``runs.csv``: one row per run: run, what the grid chose, status (``done``, ``missing`` or why it
      failed), miou in percent;
    - ``numbers.csv``: one row per run, benchmark and score: the columns of ``evaluation.table`` behind those
      of the grid;
    - ``summary.csv``, where there is something to compare: one row per group, benchmark and score: what the
      grid chose but for the seed, and the columns of ``evaluation.compare`` with ``group`` in place of
      ``training``.

    Args:
        sweep: all of it.
        outcomes: of runs, by their names; those that are missing are still to come.
    """
    rows, numbers, results, groups = [], [], [], {}
    for run in sweep.runs:
        outcome, row = outcomes.get(run.name, "missing"), {"run": run.name, **run.columns}
        if isinstance(outcome, str):
            rows.append(row | {"status": outcome, "miou": None})
            continue
        frame = outcome.frame
        rows.append(row | {"status": "done", "miou": float(frame["miou"].iloc[0])})
        numbers.append(_behind(row, frame))
        results.append(outcome._replace(frame=frame.assign(training=run.group)))
        groups[run.group] = {name: value for name, value in run.columns.items() if name != "seed"}
    made = {"runs": pd.DataFrame(rows)}
    made["numbers"] = pd.concat(numbers) if numbers else pd.DataFrame(columns=evaluation.COLUMNS)
    shown = made["runs"].to_string(index=False, float_format="{:.1f}".format, na_rep="")
    try:
        if sweep.baseline not in groups:
            raise ValueError(f"no run of the baseline {sweep.baseline} is finished")
        compared = evaluation.compare(results, sweep.baseline)
        parts = [
            _behind({"group": group, **groups[group]}, part)
            for group, part in compared.drop(columns="training").groupby(compared["training"], sort=False)
        ]
        made["summary"] = pd.concat(parts, ignore_index=True)
    except ValueError as error:  # or runs differ in their epochs, for example
        shown += f"\nno summary: {error}"
        (sweep.folder / "summary.csv").unlink(missing_ok=True)  # of an earlier call, which no longer holds
    for name, frame in made.items():
        write_table(frame, sweep.folder / f"{name}.csv")
    return shown


def _behind(columns: Mapping[str, str], frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table behind some columns, which take the place of its own of the same name."""
    before = pd.DataFrame(dict(columns), index=frame.index)
    return pd.concat([before, frame.drop(columns=[name for name in columns if name in frame])], axis=1)
