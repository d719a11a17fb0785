"""Do what touches a submission in a process apart, which can be ended; say what a submission can read."""

import contextlib
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import course_lib
import course_tools
import road_scenes
from course_lib.runtime import PROJECT_ROOT
from course_tools.grading.sandbox import Limits, View
from course_tools.grading.worker import run

WORKERS: set[subprocess.Popen] = set()
"""Those that run now."""

MINE = threading.local()
"""Each thread has a worker."""


class WorkerDied(RuntimeError):
    """The process that handles a submission ended without a result, which may be nobody's fault."""


def apart(seconds: float, function: Callable, *given: Any) -> Any:
    """Call a function in this thread's worker, which is started as soon as there is none.

    Args:
        seconds: after which the worker is killed.
        function: of a module; it returns what JSON keeps.
        given: to the function.

    Raises:
        WorkerDied: if the worker ended without a result; the message holds its last words.
        RuntimeError: if its time was over.
        ValueError: that the function raised.
    """
    worker, answer, is_late = getattr(MINE, "worker", None), b"", threading.Event()
    if worker is None or worker.poll() is not None:
        command = [sys.executable, "-m", "course_tools.grading.worker"]
        pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": DEVNULL}
        worker = MINE.worker = subprocess.Popen(command, cwd=PROJECT_ROOT, **pipes)
        WORKERS.add(worker)
    timer = threading.Timer(seconds, lambda: (is_late.set(), worker.kill()))
    timer.start()
    try:
        worker.stdin.write(pickle.dumps((function, given)))
        worker.stdin.flush()
        answer = worker.stdout.readline()
    except BrokenPipeError:
        pass
    finally:
        timer.cancel()
        if not answer.endswith(b"\n"):
            end(worker)
    found = json.loads(answer) if answer.endswith(b"\n") else {"died": f"exit status {worker.returncode}"}
    if is_late.is_set():
        raise RuntimeError(f"it was not finished after {seconds:g} s")
    if "died" in found:
        end(worker)
        raise WorkerDied(f"it could not be run ({found['died']})")
    if "refused" in found:
        raise ValueError(found["refused"])
    return found["result"]


def end(*workers: subprocess.Popen) -> None:
    """Kill workers, and with them their kernels."""
    for worker in workers:
        worker.kill()
        worker.wait()
        worker.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # of what it did not read
            worker.stdin.close()
        WORKERS.discard(worker)


def run_cells(cells: list[dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Run cells apart; see ``worker.run`` for what comes and goes, and ``apart`` for what it raises."""
    # starting and ending may take 90 seconds beside the limit
    return apart(limits.seconds + 90, run, cells, limits, what_is_seen() if sandbox else None)


def what_is_seen() -> View:
    """Return what a submission sees: Python, what lessons import, the mini data; not what grades it."""
    library, scenes, grader = (
        Path(package.__file__).resolve().parent for package in (course_lib, road_scenes, course_tools)
    )
    data = (PROJECT_ROOT / "data" / "mini").resolve()
    wanted = [Path(sys.base_prefix), Path(sys.prefix), library, scenes, data]
    present = dict.fromkeys(path.resolve() for path in wanted if path.is_dir())
    # installed without --editable, the grader lies between the packages that can be read
    is_inside = any(grader.is_relative_to(folder) for folder in [*present, "/usr"])
    # where Python looks without being told
    installed = "site-packages", "dist-packages"
    homes = [home for home in (library.parent, scenes.parent) if home.name not in installed]
    return View(
        folders=[str(path) for path in present if not path.is_relative_to("/usr")],
        covered=[str(grader)] if is_inside else [],
        packages=list(dict.fromkeys(map(str, homes))),
        data=str(data) if data.is_dir() else "",
    )
