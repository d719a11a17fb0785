"""Give the runs of a sweep to workers, and wait for them."""

import csv
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from distributed import Client, Future, KilledWorker, wait
from tqdm.auto import tqdm

from course_lib.evaluation import NetworkResult
from course_tools import cluster
from course_tools.sweeps.grid import Planned, Sweep
from course_tools.sweeps.work import work_on

LOOK_EVERY = 1.0
"""Seconds between two looks at how far the runs are."""

RETRIES = 1
"""How often a run that failed is tried again, from its last checkpoint."""


class Lost(RuntimeError):
    """The scheduler or all workers are gone; what was finished is kept."""


def run_all(
    client: Client,
    sweep: Sweep,
    missing: list[Planned],
    threads: int | None,
    command: str,
    told: Callable[[Planned, NetworkResult | str], None],
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
    queue, waiting, alive = list(missing), {}, time.monotonic()
    total = sum(planned.settings.epochs for planned in missing)
    with tqdm(total=total, desc=sweep.name, unit="epoch") as bar:
        while queue or waiting:
            workers = _workers(client)
            alive = time.monotonic() if workers else alive
            if time.monotonic() - alive > cluster.PATIENCE:
                raise Lost("no workers are left")
            # one run per worker: the death of a worker is blamed on all that wait for it
            while queue and len(waiting) < workers:
                planned = queue.pop(0)
                given = planned, sweep.folder / planned.name, threads, command
                waiting[client.submit(work_on, *given, retries=RETRIES, pure=False)] = planned
            for future in _ended(client, waiting):
                told(waiting.pop(future), _outcome(client, future))
            _show(bar, sweep, missing)


def _workers(client: Client) -> int:
    """Return how many workers there are now."""
    try:
        return len(client.scheduler_info()["workers"])
    except Exception as error:  # dask raises several kinds where its scheduler is gone
        raise _lost(client, error) from None


def _ended(client: Client, waiting: Mapping[Future, Planned]) -> list[Future]:
    """Wait a moment; return the runs that have ended by then."""
    if not waiting:
        time.sleep(LOOK_EVERY)
        return []
    try:
        done = wait(list(waiting), timeout=LOOK_EVERY, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        done = set()
    except Exception as error:
        raise _lost(client, error) from None
    if client.status != "running":
        raise _lost(client, "no answer")
    return list(done)


def _outcome(client: Client, future: Future) -> NetworkResult | str:
    """Return what became of a run, or why it failed."""
    if future.status in ("cancelled", "lost"):
        raise _lost(client, future.status)
    try:
        return future.result()
    except KilledWorker as error:
        return f"its worker died {error.allowed_failures + 1} times; is there too little memory?"
    except Exception as error:  # whatever a run dies of, the others go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _lost(client: Client, reason: object) -> Lost:
    where = client.scheduler.address if client.scheduler else "the scheduler"
    return Lost(f"lost {where} ({' '.join(str(reason).split())[:120]})")


def _show(bar: tqdm, sweep: Sweep, missing: list[Planned]) -> None:
    """Move the bar to the number of epochs that are done."""
    bar.update(sum(_epochs(sweep.folder / planned.name) for planned in missing) - bar.n)


def _epochs(folder: Path) -> int:
    """Return how many epochs a run has logged."""
    try:
        with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.DictReader(file))
    except FileNotFoundError:
        return 0
