"""Run one submission in its sandbox: ``python -m course_tools.grading.worker``, JSON in and out.

A process of its own, because it handles what the submission sends: whatever happens to it, the grader goes
on. It talks to the kernel over files instead of the network, and imports neither torch nor the library. A
kernel that had to be stopped is started again without the cell that was to blame, so that one endless loop
costs one exercise.
"""

import asyncio
import contextlib
import ctypes
import json
import os
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

from course_tools.grading.sandbox import MEGABYTE, NOBODY, Limits, View, kernel_folder, sandboxed, unprotected


def run(cells: list[dict], record_type: str, limits: Limits, view: View | None) -> dict[str, Any]:
    """Run cells in order.

    Args:
        cells: each with its ``source``, a ``probe`` to run before it, the ``exercise`` it belongs to, and
            what is run ``instead`` once a cell of that exercise was stopped; any may be an empty string.
        record_type: of those outputs of a probe that are records.
        limits: of the submission.
        view: what it can read; None runs the cells unprotected.

    Returns:
        ``outputs`` and ``records`` of each cell, ``stops`` by position, ``seconds``.
    """
    began = time.monotonic()
    stops: dict[int, str] = {}
    for _ in range(4):  # kernels, each without the cells that were to blame for the end of the last one
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
        "records": [[data[record_type] for data in by_probe if record_type in data] for by_probe in shown],
        "stops": stops,
        "seconds": time.monotonic() - began,
    }


class _Manager(AsyncKernelManager):
    """Starts the kernel of one submission."""

    def __init__(self, folder: Path, limits: Limits, view: View | None) -> None:
        """Prepare the command; nothing runs yet."""
        file = str(folder / "kernel.json")
        super().__init__(transport="ipc", ip=str(folder / "socket"), connection_file=file)
        self.folder = folder
        kernel = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"]
        command = sandboxed(kernel, folder, view, limits) if view else unprotected(kernel, limits)
        self._kernel_spec = KernelSpec(argv=command, interrupt_mode="message", language="python")

    def write_connection_file(self, **options: Any) -> None:
        """Write the file, and let the kernel's user read it and place its sockets beside it."""
        super().write_connection_file(**options)
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY, NOBODY)
            shutil.chown(self.connection_file, NOBODY, NOBODY)


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
            held, written = 0, 0
            for process in _family(self.km.provisioner.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory = process.memory_info()
                    held += memory.rss - getattr(memory, "shared", 0)
            if held > self.limits.memory:
                self.stop(f"used more than {self.limits.memory // MEGABYTE} MB of memory")
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
        folder.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _family(number: int) -> list[psutil.Process]:
    """Return all processes below one, and itself at the end; nothing if it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(number)
        return [*root.children(recursive=True), root]
    return []


def main() -> None:
    """Read a job from standard input, write its result to standard output."""
    if sys.platform == "linux":
        import resource

        # the system is asked to end this process with the one that started it (1: PR_SET_PDEATHSIG)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        most = resource.getrlimit(resource.RLIMIT_AS)[1]  # stays, because the kernel is given more
        resource.setrlimit(resource.RLIMIT_AS, (2048 * MEGABYTE, most))
    job = json.load(sys.stdin)
    limits, view = Limits(**job["limits"]), View(**job["view"]) if job["view"] else None
    json.dump(run(job["cells"], job["record_type"], limits, view), sys.stdout)


if __name__ == "__main__":
    main()
