"""Kill what grades in the middle of it: nothing is left running, nothing is lost, nothing counts twice."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from distributed import Client
from sandbox_here import needs_sandbox, running
from small_notebooks import answered, write_lesson
from waiting import wait_until

from course_tools.grading import batch, launch
from course_tools.grading.batch import graders
from course_tools.grading.lesson import read_lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job

pytestmark = needs_sandbox
SLOW = "import time\n\n\ndef twice(x):\n    time.sleep(1.5)\n    return 2 * x\n"
ALONE = """
from course_tools.grading.launch import run_cells
from course_tools.grading.sandbox import Limits
cell = {"source": "import time; time.sleep(5717)", "probe": "", "exercise": "", "instead": ""}
run_cells([cell], Limits(), True)
"""


@pytest.fixture
def lessons(tmp_path):
    write_lesson(tmp_path / "solutions" / "07_small" / "07_small.ipynb")
    return {"07_small": read_lesson("07_small", root=tmp_path)}


@pytest.fixture
def slow_jobs(lessons):
    content = nbformat.writes(answered(lessons["07_small"], {"twice": SLOW})).encode()
    return [Job(f"student {number}", "07_small", content) for number in range(3)]


@pytest.fixture
def kernels(own_temporary):
    """Counts the kernels of submissions that run now."""
    return lambda: len(running(f"{own_temporary}/grading-"))


def test_a_killed_grader_leaves_no_kernel_behind(kernels, own_temporary):
    grader = subprocess.Popen([sys.executable, "-c", ALONE])
    # until the kernel itself runs: bwrap has then asked to end with the grader, which takes it a moment
    wait_until(lambda: any("bwrap" not in line for line in running(f"{own_temporary}/grading-")))
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    wait_until(lambda: not kernels())


def test_a_submission_whose_worker_is_killed_is_graded_once_more(lessons, slow_jobs, kernels):
    with graders(2, "", Limits(), sandbox=True) as grading:
        keys = grading.answer_keys(lessons)
        found = grading.grade_all(slow_jobs, lessons, keys)
        first = next(found)
        wait_until(lambda: launch.WORKERS and kernels())
        next(iter(launch.WORKERS)).kill()
        results = [first, *found]
    assert sorted(job.student for job, _ in results) == [job.student for job in slow_jobs]
    assert [result["exercises"][0]["points"] for _, result in results] == [2.0] * 3


def test_a_submission_that_kills_every_worker_is_held(lessons, monkeypatch):
    poison, began = Job("poison", "07_small", b"x"), []

    def die(job, *given):
        began.append(job)
        if job.error:
            return grade(job, *given)
        raise launch.WorkerDied("it could not be run (killed)")

    grade = batch.grade
    with graders(1, "", Limits(), sandbox=True) as grading:
        keys = grading.answer_keys(lessons)
        monkeypatch.setattr(batch, "grade", die)
        ((job, result),) = grading.grade_all([poison], lessons, keys)
    (reason,) = result["exercises"][0]["reasons"]
    assert job == poison and len(began) == 3 and result["exercises"][0]["points"] is None
    assert reason == "the process that graded it died twice; it could not be run (killed)"


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ((1, time.sleep, 60), RuntimeError, "not finished after 1 s"),
        ((60, bytearray, 4 << 30), launch.WorkerDied, "MemoryError"),
        ((60, ctypes.string_at, 0), launch.WorkerDied, "exit status -11"),
        ((60, int, "x"), ValueError, "invalid literal"),
    ],
)
def test_whatever_happens_apart_is_an_error_and_the_next_call_goes_on(given, error, told):
    with pytest.raises(error, match=told):
        launch.apart(*given)
    assert launch.apart(60, str, "\ud800 on") == "? on"
    launch.end(*launch.WORKERS)


def test_a_stopped_grading_leaves_no_worker_behind(lessons, slow_jobs, kernels):
    with pytest.raises(KeyboardInterrupt), graders(2, "", Limits(), sandbox=True) as grading:
        keys = grading.answer_keys(lessons)
        for _ in grading.grade_all(slow_jobs, lessons, keys):
            raise KeyboardInterrupt
    wait_until(lambda: not kernels() and not launch.WORKERS)


def test_dasks_workers_grade_as_well(lessons, slow_jobs, tmp_path):
    from course_tools.cluster import workers

    with (
        workers(2) as client,
        graders(1, client.scheduler.address, Limits(), True, written(client.security, tmp_path)) as grading,
    ):
        keys = grading.answer_keys(lessons)
        victim = next(iter(client.run(os.getpid).values()))
        found = grading.grade_all(slow_jobs, lessons, keys)
        first = next(found)
        os.kill(victim, signal.SIGKILL)
        results = [first, *found]
    assert [result["exercises"][0]["points"] for _, result in results] == [2.0] * 3


def written(security, folder):
    """Write the certificates of a cluster into a folder, and return it."""
    parts = {"ca": security.tls_ca_file, "cert": security.tls_client_cert, "key": security.tls_client_key}
    for name, text in parts.items():
        (folder / f"{name}.pem").write_text(text)
    return folder


def test_nobody_without_its_certificates_can_use_what_dask_starts(tmp_path):
    from course_tools.cluster import workers

    before = {one for one in gc.get_objects() if type(one) is Client}
    with workers(1) as client:
        address = client.scheduler.address
        assert address.startswith("tls://")
        for way, told in (
            (address, "asks for certificates"),
            (address.replace("tls", "tcp"), "no scheduler answers"),
        ):
            with pytest.raises(ValueError, match=told), workers(1, way):
                pass
            # one that is refused must not wait for the garbage collector, which may meet it at a bad moment
            assert {one for one in gc.get_objects() if type(one) is Client} - before == {client}
        with pytest.raises(ValueError, match="needs a folder with ca"), workers(1, address, tmp_path):
            pass
        with workers(1, address, written(client.security, tmp_path)) as guest:
            assert guest.submit(sum, [1, 2]).result() == 3
