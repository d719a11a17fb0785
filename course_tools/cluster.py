"""Processes that share work: on this machine, or on others that dask's scheduler knows."""

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

PATIENCE = 30.0
"""Seconds in which workers that were started a moment ago may still come."""


@contextlib.contextmanager
def workers(count: int, scheduler: str = "", tls: Path | None = None) -> Iterator[Client]:
    """Start processes that work, or use those that wait elsewhere.

    Whoever reaches a scheduler can run code as its user. Those that are started here take nobody without a
    certificate that is made for them alone and never written to a file.

    Args:
        count: of processes on this machine.
        scheduler: the address of dask's scheduler beyond it, such as ``tcp://head:8786``; empty for none.
        tls: a folder with ``ca.pem``, ``cert.pem`` and ``key.pem`` for a scheduler that asks for them; None
            leaves it to dask's own settings.

    Raises:
        ValueError: if nobody answers at the address, or a file of ``tls`` is missing.
    """
    if scheduler:
        security = _security(tls) if tls else None
        try:
            client, problem = Client(scheduler, timeout="10s", security=security), ""
        except TypeError:  # what dask raises where it has none
            problem = f"{scheduler} asks for certificates: name their folder with --tls"
        except (OSError, ValueError, AssertionError) as error:  # the last where the answer is cut short
            problem = f"no scheduler answers at {scheduler} ({error}); start one: dask scheduler"
        if problem:
            # the half-made client goes now: collected while another one starts, it waits for a lock for ever
            # (distributed 2026.8, Client.__del__ and LoopRunner._lock)
            gc.collect()
            raise ValueError(problem)
        with client:
            yield client
        return
    rules = {
        "distributed.scheduler.allowed-failures": 1,  # deaths of workers that a piece of work survives
        "distributed.scheduler.worker-saturation": 1.0,  # work waits with the scheduler, not with a worker
    }
    options = {
        "n_workers": count,
        "threads_per_worker": 1,
        "memory_limit": None,
        "dashboard_address": "127.0.0.1:0",  # the page of what is going on: to this machine only
        "silence_logs": "CRITICAL",
        "security": Security.temporary(),
    }
    with dask.config.set(rules), LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


def _security(folder: Path) -> Security:
    """Return what dask needs for TLS; ValueError names a file that is missing."""
    authority, certificate, key = paths = [folder / name for name in ("ca.pem", "cert.pem", "key.pem")]
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise ValueError(f"no {', '.join(missing)}: --tls needs a folder with ca.pem, cert.pem and key.pem")
    return Security(
        require_encryption=True,
        tls_ca_file=str(authority),
        tls_client_cert=str(certificate),
        tls_client_key=str(key),
    )


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
