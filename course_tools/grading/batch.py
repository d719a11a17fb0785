"""Grade many submissions at once: here in threads that wait for their workers, elsewhere by dask."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course_tools.grading import launch, proof
from course_tools.grading.grading import answer_key, grade
from course_tools.grading.lesson import Lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job


@dataclass(frozen=True)
class Graders:
    """What grades several submissions at a time."""

    pool: Executor
    limits: Limits
    sandbox: bool
    client: Any = None
    """Dask's, if the work is done elsewhere."""

    def prove(self) -> list[str]:
        """Prove the sandbox on every machine; return what held on the first.

        Raises:
            RuntimeError: if it does not hold on one of them.
            ValueError: if dask has no worker.
        """
        if self.client is None:
            return proof.prove(self.limits)
        from course_tools.cluster import workers_of

        hosts = {worker["host"]: address for address, worker in workers_of(self.client).items()}
        held = self.client.run(proof.prove, self.limits, workers=list(hosts.values()))
        return next(iter(held.values()))

    def answer_keys(self, lessons: dict[str, Lesson]) -> dict[str, dict[str, dict]]:
        """Return what is right in each lesson, by its name.

        Raises:
            RuntimeError: if a solved lesson does not run, or does not earn everything.
        """
        waiting = {
            name: self.pool.submit(answer_key, lesson, self.limits, self.sandbox)
            for name, lesson in lessons.items()
        }
        return {name: future.result() for name, future in waiting.items()}

    def grade_all(
        self, jobs: Iterable[Job], lessons: dict[str, Lesson], keys: dict[str, dict]
    ) -> Iterator[tuple[Job, dict[str, Any]]]:
        """Grade submissions; yield each with its result as soon as it is there.

        A submission whose process dies is graded again, once; then its points are held.
        """

        def given(job: Job) -> tuple:
            return job, lessons[job.lesson], keys[job.lesson], self.limits, self.sandbox

        waiting: dict[Future, Job] = {self.pool.submit(grade, *given(job)): job for job in jobs}
        once_dead: set[Job] = set()
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                job, error = waiting.pop(future), future.exception()
                if error is None:
                    yield job, future.result()
                elif not isinstance(error, launch.WorkerDied) and type(error).__name__ != "KilledWorker":
                    raise error  # no process ended (dask calls that KilledWorker): the grading is wrong
                elif job in once_dead:
                    reason = f"the process that graded it died twice; {error}"[:500]
                    yield job, grade(*given(replace(job, error=reason)))
                else:
                    once_dead.add(job)
                    waiting[self.pool.submit(grade, *given(job))] = job


@contextlib.contextmanager
def graders(
    count: int, scheduler: str, limits: Limits, sandbox: bool, tls: Path | None = None
) -> Iterator[Graders]:
    """Have submissions graded; whatever happens, nothing goes on at the end.

    Args:
        count: of submissions at a time on this machine.
        scheduler: the address of dask's scheduler, to grade on its machines instead; empty for none.
        limits: of each submission.
        sandbox: False runs them unprotected.
        tls: the folder of certificates for that scheduler; see ``cluster.workers``.

    Raises:
        ValueError: if nobody answers at the address.
    """
    if scheduler:
        from course_tools.cluster import workers  # dask, which nothing else here needs

        with workers(count, scheduler, tls) as client:
            yield Graders(client.get_executor(pure=False), limits, sandbox, client)
        return
    threads = ThreadPoolExecutor(count, thread_name_prefix="grader")
    try:
        yield Graders(threads, limits, sandbox)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        is_over = False
        while not is_over:  # a thread may be about to start a worker
            is_over = not any(thread.name.startswith("grader") for thread in threading.enumerate())
            launch.end(*launch.WORKERS.copy())
            time.sleep(0.05)
