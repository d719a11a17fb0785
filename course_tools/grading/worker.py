"""The process that handles submissions, one at a time: ``python -m course_tools.grading.worker``.

It is told a function and its arguments, and answers in JSON. Whatever a submission does to it, the grader
goes on. ``run`` talks to the submission's kernel over files instead of the network; only that kernel runs
its code, and sees nothing of what is known here. A kernel that had to be stopped is started again without the
cell that was to blame, so that one endless loop costs one exercise.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import pickle
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import psutil
import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.lesson.checks.recording import RECORD
from course_tools.grading.sandbox import (
    KERNEL_USER,
    MEGABYTE,
    Limits,
    View,
    call_filter,
    kernel_folder,
    sandboxed,
    unprotected,
)

ROOM = 2048 * MEGABYTE
"""Bytes of address space that a piece of work may add."""


def run(cells: list[dict], limits: Limits, view: View | None) -> dict[str, Any]:
    """Run cells in order.

    Args:
        cells: each with its ``source``, a ``probe`` to run before it, the ``exercise`` it belongs to, and
            what is run ``instead`` once a cell of that exercise was stopped; any may be an empty string.
        limits: of the submission.
        view: what it can read; None runs the cells unprotected.

    Returns:
        ``outputs`` and ``records`` of each cell; ``stops``, why each was stopped, if it was; ``seconds``.
    """
    began = time.monotonic()
    stops: dict[int, str] = {}
    for _ in range(8):  # kernels, each without the cells that were to blame for the end of the last one
        known, blamed, parts = len(stops), {cells[at]["exercise"] for at in stops} - {""}, []
        for at, cell in enumerate(cells):
            is_blamed = at in stops or cell["exercise"] in blamed
            parts += ["", cell["instead"]] if is_blamed else [cell["probe"], cell["source"]]
        notebook = new_notebook(cells=[new_code_cell(part) for part in parts])
        left = began + limits.seconds - time.monotonic()
        asyncio.run(_run_in_kernel(notebook, stops, limits, view, left))
        if len(stops) == known:
            break
    shown = [[output.get("data", {}) for output in cell.outputs] for cell in notebook.cells[::2]]
    return {
        "outputs": [cell.outputs for cell in notebook.cells[1::2]],
        "records": [[data[RECORD] for data in by_probe if RECORD in data] for by_probe in shown],
        "stops": [stops.get(at, "") for at in range(len(cells))],
        "seconds": time.monotonic() - began,
    }


class _Manager(AsyncKernelManager):
    """Starts the kernel of one submission."""

    def __init__(self, folder: Path, limits: Limits, view: View | None) -> None:
        """Prepare the command; nothing runs yet."""
        file = str(folder / "kernel.json")
        super().__init__(transport="ipc", ip=str(folder / "socket"), connection_file=file)
        self.folder = folder
        self.filter = call_filter() if view else 0
        kernel = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"]
        command = (
            sandboxed(kernel, folder, view, limits, self.filter) if view else unprotected(kernel, limits)
        )
        self._kernel_spec = KernelSpec(argv=command, interrupt_mode="message", language="python")

    def write_connection_file(self, **options: Any) -> None:
        """Write the file, and let the kernel's user read it and place its sockets beside it."""
        super().write_connection_file(**options)
        if os.geteuid() == 0:
            shutil.chown(self.folder, KERNEL_USER, KERNEL_USER)
            shutil.chown(self.connection_file, KERNEL_USER, KERNEL_USER)


class _Client(NotebookClient):
    """Executes cells, and kills the kernel when it shows or holds too much; ``excess`` says which."""

    def __init__(self, notebook: NotebookNode, manager: _Manager, limits: Limits) -> None:
        """Prepare; nothing runs yet."""
        super().__init__(
            notebook,
            km=manager,
            timeout=limits.cell_seconds,
            startup_timeout=60,
            allow_errors=True,
            shutdown_kernel="immediate",
            store_widget_state=False,
        )
        self.log.disabled = True  # its lines are about time-outs, which the result says better
        self.limits, self.shown, self.excess = limits, 0, ""

    def stop(self, reason: str) -> None:
        """Kill the kernel and all its processes."""
        self.excess = self.excess or reason
        for process in _family(self.km.provisioner.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def process_message(self, message: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Count what is shown, and stop a flood."""
        self.shown += len(str(message["content"]))
        if self.shown > self.limits.output_bytes:
            self.stop(f"showed more than {self.limits.output_bytes // MEGABYTE} MB")
            return None
        return super().process_message(message, cell, cell_index)

    async def watch(self) -> None:
        """Stop as soon as all processes hold too much memory together."""
        while self.km.has_kernel:
            held, files, written = 0, 0, 0
            for process in _family(self.km.provisioner.pid):
                with contextlib.suppress(psutil.NoSuchProcess, OSError):
                    held += _memory(process)
                    files = max(files, _files(process))
            if held > self.limits.memory:
                self.stop(f"used more than {self.limits.memory // MEGABYTE} MB of memory")
            if files > self.limits.files:
                self.stop(f"made more than {self.limits.files} files")
            with contextlib.suppress(OSError):  # files may vanish meanwhile
                written = sum(path.lstat().st_size for path in self.km.folder.rglob("*"))
            if written > MEGABYTE:  # without root, a kernel can reopen the folder that was closed
                self.stop("wrote where only its sockets belong")
            await asyncio.sleep(0.1)


async def _run_in_kernel(
    notebook: NotebookNode, stops: dict[int, str], limits: Limits, view: View | None, left: float
) -> None:
    """Run probes and cells in a kernel of their own, of which nothing is left; note what stops it."""
    folder = kernel_folder()
    manager = _Manager(folder, limits, view)
    manager.context.setsockopt(zmq.MAXMSGSIZE, 64 * MEGABYTE)  # a larger one ends the connection
    client = _Client(notebook, manager, limits)
    # the first process inside is bubblewrap, whose variables can be read in /proc
    around = {"env": {"PATH": os.environ["PATH"]}, "stdout": DEVNULL, "stderr": DEVNULL}
    if view:
        around["pass_fds"] = (manager.filter,)
    at, is_started = 0, False
    try:
        async with asyncio.timeout(left), client.async_setup_kernel(**around, cleanup_kc=True):
            is_started = True
            # nothing more is placed beside the sockets; if root grades, for good
            if os.geteuid() == 0:
                shutil.chown(folder, 0, 0)
            folder.chmod(0o555)
            watching = asyncio.create_task(client.watch())
            try:
                for place, cell in enumerate(notebook.cells):
                    at = place // 2
                    await client.async_execute_cell(cell, place)
            finally:
                watching.cancel()
                client.stop("")
    except CellTimeoutError:
        stops[at] = f"took more than {limits.cell_seconds:g} s"
    except TimeoutError:
        over = f"was not finished when the submission's {limits.seconds:g} s were over"
        for position in range(at, len(notebook.cells) // 2):
            stops.setdefault(position, over)
    except Exception as error:
        if not is_started:
            raise  # which is not the submission's fault
        ended = "ended its kernel" if isinstance(error, DeadKernelError) else "garbled what its kernel sends"
        stops[at] = client.excess or ended
    finally:
        if view:
            os.close(manager.filter)
        folder.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _memory(process: psutil.Process) -> int:
    """Return the bytes of memory of a process without the files it maps; what it shares counts."""
    if sys.platform != "linux":
        return process.memory_info().rss
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * sum(map(int, re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", status, re.MULTILINE)))


def _files(process: psutil.Process) -> int:
    """Return how many files lie where a process in the sandbox can write; 0 outside of it."""
    places = [Path(f"/proc/{process.pid}/root/{place}") for place in ("tmp", "dev/shm")]
    if not places[0].exists() or places[0].stat().st_dev == Path("/tmp").stat().st_dev:
        return 0
    counts = map(os.statvfs, places)
    return max(count.f_files - count.f_ffree for count in counts)


def _family(number: int) -> list[psutil.Process]:
    """Return all processes below one, and itself at the end; nothing if it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(number)
        return [*root.children(recursive=True), root]
    return []


def main() -> None:
    """Do what standard input asks for until it ends, with an answer for each, a line of standard output."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # what libraries print is no answer
    if sys.platform == "linux":
        # the system is asked to end this process with the one that started it (1: PR_SET_PDEATHSIG)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    while True:
        _limit_address_space(None)
        try:
            function, given = pickle.load(sys.stdin.buffer)  # imports what it needs
        except EOFError:
            return
        _limit_address_space(ROOM)
        try:
            answer = {"result": function(*given)}
        except ValueError as error:
            answer = {"refused": str(error)}
        except Exception as error:  # also want of memory: a new process may do better
            answer = {"died": repr(error)[:400]}
        answers.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        answers.flush()


def _limit_address_space(room: int | None) -> None:
    """Limit what this process may ask for beyond what it has; None lifts the limit."""
    if sys.platform == "linux":
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[1]  # stays, because the kernel is given more
        limit = most if room is None else psutil.Process().memory_info().vms + room
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    main()
