"""Processes that share work: on this machine, or on others that dask's scheduler knows."""

import contextlib
from collections.abc import Iterator

import dask
from distributed import Client, LocalCluster

DEATHS = 1
"""Of workers that a piece of work survives; then it is to blame."""

QUIET = "CRITICAL"

PATIENCE = 30.0
"""Seconds in which workers that were started a moment ago may still come."""


@contextlib.contextmanager
def workers(count: int, scheduler: str = "", dashboard: str | None = None) -> Iterator[Client]:
    """Start processes that work, or use those that wait elsewhere.

    Args:
        count: of processes on this machine.
        scheduler: the address of dask's scheduler beyond it, such as ``tcp://head:8786``; empty for none.
        dashboard: the address for dask's page of what is going on, such as ``127.0.0.1:0``; None for no page.

    Raises:
        ValueError: if nobody answers at the address.
    """
    with dask.config.set({"distributed.scheduler.allowed-failures": DEATHS}):
        if scheduler:
            with _connected(scheduler) as client:
                yield client
            return
        options = {
            "n_workers": count,
            "threads_per_worker": 1,
            "memory_limit": None,
            "dashboard_address": dashboard,
            # without a page dask still serves its state: at a free port, to this machine only
            "scheduler_kwargs": {"dashboard_address": dashboard or "127.0.0.1:0"},
        }
        with LocalCluster(**options, silence_logs=QUIET) as cluster, Client(cluster) as client:
            yield client


def _connected(scheduler: str) -> Client:
    """Return a client of a scheduler.

    Raises:
        ValueError: if nobody answers.
    """
    try:
        return Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no scheduler answers at {scheduler} ({error}); start one: dask scheduler"
        ) from None


def workers_of(client: Client) -> dict[str, dict]:
    """Return what the scheduler knows of each worker, by its address; wait for the first one.

    Raises:
        ValueError: if none comes within ``PATIENCE`` seconds.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ValueError(
            "the scheduler has no workers; start some: dask worker ADDRESS --nthreads 1"
        ) from None
    return client.scheduler_info(n_workers=-1)["workers"]  # by default it names five
