"""Grade many submissions at once, on this machine or on many."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed

from course_lib.grading.grading import Job, answer_key, grade
from course_lib.grading.lesson import Lesson
from course_lib.grading.limits import Limits
from course_lib.grading.proof import prove

DEATHS = 1  # of workers that a submission survives; then it is to blame
QUIET = "CRITICAL"


@contextlib.contextmanager
def workers(count: int, scheduler: str = "") -> Iterator[Client]:
    """Start processes that grade, or use those that wait elsewhere.

    Args:
        count: of processes on this machine.
        scheduler: the address of dask's scheduler beyond it, such as ``tcp://head:8786``; empty for none.

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
            "dashboard_address": None,
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


def prove_all(client: Client, limits: Limits) -> list[str]:
    """Prove the sandbox on every machine; return what held on the first.

    Raises:
        RuntimeError: if it does not hold on one of them.
        ValueError: if no worker is there.
    """
    hosts = {worker["host"]: address for address, worker in client.scheduler_info()["workers"].items()}
    if not hosts:
        raise ValueError("the scheduler has no workers; start some: dask worker ADDRESS --nthreads 1")
    return next(iter(client.run(prove, limits, workers=list(hosts.values())).values()))


def answer_keys(
    client: Client, lessons: dict[str, Lesson], limits: Limits, sandbox: bool
) -> dict[str, dict[str, dict]]:
    """Return what is right in each lesson, by its name.

    Raises:
        RuntimeError: if a solved lesson does not run, or does not earn everything.
    """
    waiting = {name: client.submit(answer_key, lesson, limits, sandbox) for name, lesson in lessons.items()}
    return {name: future.result() for name, future in waiting.items()}


def grade_all(
    client: Client,
    jobs: Iterable[Job],
    lessons: dict[str, Lesson],
    keys: dict[str, dict],
    limits: Limits,
    sandbox: bool,
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Grade submissions; yield each with its result as soon as it is there.

    A submission whose worker dies is graded again elsewhere, once.
    """
    waiting = {}  # nothing is kept by workers for each other: who dies must not take a lesson along
    for job in jobs:
        known = lessons[job.lesson], keys[job.lesson]
        waiting[client.submit(_grade, job, *known, limits, sandbox, pure=False)] = job
    for future in as_completed(waiting):
        job = waiting[future]
        yield job, _result(future, job, lessons[job.lesson], keys[job.lesson], limits, sandbox)
        future.release()


def _grade(job: Job, lesson: Lesson, key: dict, limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Grade one submission, in a worker."""
    return grade(job, lesson, key, limits, sandbox)


def _result(
    future: Future, job: Job, lesson: Lesson, key: dict, limits: Limits, sandbox: bool
) -> dict[str, Any]:
    """Return what a worker found; if workers died of it, everything is held."""
    try:
        return future.result()
    except KilledWorker:
        failed = Job(job.student, job.lesson, b"", job.remarks, "the process that graded it died twice")
        return grade(failed, lesson, key, limits, sandbox)
