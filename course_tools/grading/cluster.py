"""Grade many submissions at once, on this machine or on many."""

from collections.abc import Iterable, Iterator
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed

from course_tools.cluster import workers_of
from course_tools.grading.grading import Job, answer_key, grade
from course_tools.grading.lesson import Lesson
from course_tools.grading.limits import Limits
from course_tools.grading.proof import prove


def prove_all(client: Client, limits: Limits) -> list[str]:
    """Prove the sandbox on every machine; return what held on the first.

    Raises:
        RuntimeError: if it does not hold on one of them.
        ValueError: if no worker is there.
    """
    hosts = {worker["host"]: address for address, worker in workers_of(client).items()}
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
