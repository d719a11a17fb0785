"""Kill what grades in the middle of it: nothing is left running, nothing is lost, nothing counts twice."""

import os
import signal
import subprocess
import sys

import nbformat
import pytest
from distributed import WorkerPlugin
from sandbox_here import needs_sandbox, running
from small_notebooks import answered, write_lesson
from waiting import wait_until

from course_tools.cluster import workers
from course_tools.grading import Job, Limits, answer_key, cluster, grade_all, read_lesson

pytestmark = needs_sandbox
SLOW = "import time\n\n\ndef twice(x):\n    time.sleep(4)\n    return 2 * x\n"
ALONE = """
from course_tools.grading.limits import Limits
from course_tools.grading.launch import run_cells
cell = {"source": "import time; time.sleep(5717)", "probe": "", "exercise": "", "instead": ""}
run_cells([cell], Limits(), True)
"""


@pytest.fixture
def lesson(tmp_path):
    write_lesson(tmp_path / "solutions" / "07_small" / "07_small.ipynb")
    return read_lesson("07_small", root=tmp_path)


@pytest.fixture
def kernels(own_temporary):
    """Counts the kernels of submissions that run now."""
    return lambda: len(running(f"{own_temporary}/grading-"))


def test_a_killed_grader_leaves_no_kernel_behind(kernels):
    grader = subprocess.Popen([sys.executable, "-c", ALONE])
    wait_until(kernels)
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    wait_until(lambda: not kernels())


def test_a_submission_whose_worker_is_killed_is_graded_elsewhere_once(lesson, kernels):
    content = nbformat.writes(answered(lesson, {"twice": SLOW})).encode()
    jobs = [Job(f"student {number}", lesson.name, content) for number in range(3)]
    key = {lesson.name: answer_key(lesson, Limits(), True)}
    with workers(2) as client:
        victim = next(iter(client.run(os.getpid).values()))
        found = grade_all(client, jobs, {lesson.name: lesson}, key, Limits(), True)
        first = next(found)  # by now all workers have begun
        wait_until(kernels)
        os.kill(victim, signal.SIGKILL)
        results = [first, *found]
    assert sorted(job.student for job, _ in results) == [job.student for job in jobs]
    assert [result["exercises"][0]["points"] for _, result in results] == [2.0] * 3


def test_a_submission_that_kills_every_worker_is_held(lesson):
    poison = Job("poison", lesson.name, b"x")
    key = {lesson.name: answer_key(lesson, Limits(), True)}
    with workers(1) as client:
        client.register_plugin(Poison())
        ((_, result),) = grade_all(client, [poison], {lesson.name: lesson}, key, Limits(), True)
    assert result["exercises"][0]["reasons"] == ("the process that graded it died twice",)
    assert result["exercises"][0]["points"] is None


class Poison(WorkerPlugin):
    """Makes every worker die that grades, new ones as well."""

    def setup(self, worker):
        cluster.grade = lambda *given: os._exit(1)
