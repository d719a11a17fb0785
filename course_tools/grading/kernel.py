"""A kernel that is reached over files instead of the network, and a client that stops it in time."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import psutil
import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbformat import NotebookNode

from course_tools.grading.limits import MEGABYTE, Limits
from course_tools.grading.sandbox import NOBODY, run_folder, sandboxed, unprotected

STARTS_WITHIN = 60  # seconds
WATCH_EVERY = 0.1  # seconds
LARGEST_MESSAGE = 64 * MEGABYTE  # a larger one ends the connection
MOST_BESIDE_SOCKETS = MEGABYTE  # bytes; without root, a kernel can reopen the folder that was closed
KERNEL = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"]


class _Manager(AsyncKernelManager):
    """Starts the kernel of one submission."""

    def __init__(self, folder: Path, limits: Limits, visible: list[str] | None) -> None:
        """Prepare the command; nothing runs yet."""
        file = str(folder / "kernel.json")
        super().__init__(transport="ipc", ip=str(folder / "socket"), connection_file=file)
        self.folder = folder
        protected = visible is not None
        command = sandboxed(KERNEL, folder, visible, limits) if protected else unprotected(KERNEL, limits)
        self._kernel_spec = KernelSpec(argv=command, interrupt_mode="message", language="python")

    def write_connection_file(self, **options: Any) -> None:
        """Write the file, and let the kernel's user read it and place its sockets beside it."""
        super().write_connection_file(**options)
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY, NOBODY)
            shutil.chown(self.connection_file, NOBODY, NOBODY)

    def close_folder(self) -> None:
        """Let nothing more be placed beside the sockets; if root grades, for good."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, 0, 0)
        self.folder.chmod(0o555)


class Client(NotebookClient):
    """Executes cells, and kills the kernel when it shows or holds too much; ``excess`` says which."""

    def __init__(self, notebook: NotebookNode, manager: _Manager, limits: Limits) -> None:
        """Prepare; nothing runs yet."""
        super().__init__(
            notebook,
            km=manager,
            timeout=limits.cell_seconds,
            startup_timeout=STARTS_WITHIN,
            allow_errors=True,
            shutdown_kernel="immediate",
            store_widget_state=False,
        )
        self.log.disabled = True  # its lines are about time-outs, which the result says better
        self.limits, self.shown, self.excess = limits, 0, ""

    def stop(self, reason: str) -> None:
        """Kill the kernel and all its processes."""
        self.excess = self.excess or reason
        with contextlib.suppress(psutil.NoSuchProcess):
            _kill(psutil.Process(self.km.provisioner.pid))

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
            if _memory_of(self.km.provisioner.pid) > self.limits.memory:
                self.stop(f"used more than {self.limits.memory // MEGABYTE} MB of memory")
            if _size_of(self.km.folder) > MOST_BESIDE_SOCKETS:
                self.stop("wrote where only its sockets belong")
            await asyncio.sleep(WATCH_EVERY)


@contextlib.asynccontextmanager
async def started(notebook: NotebookNode, limits: Limits, visible: list[str] | None) -> AsyncIterator[Client]:
    """Start a kernel for a notebook; whatever happens, nothing of it is left at the end.

    Args:
        notebook: gets the outputs.
        limits: of the submission.
        visible: the folders it can read; None starts it unprotected.

    Raises:
        RuntimeError: if it does not start.
    """
    folder = run_folder()
    manager = _Manager(folder, limits, visible)
    manager.context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    client = Client(notebook, manager, limits)
    try:
        # the first process inside is bubblewrap, whose variables can be read in /proc
        around = {"env": {"PATH": os.environ["PATH"]}, "stdout": DEVNULL, "stderr": DEVNULL}
        async with client.async_setup_kernel(**around, cleanup_kc=True):
            manager.close_folder()
            watching = asyncio.create_task(client.watch())
            try:
                yield client
            finally:
                watching.cancel()
                client.stop("")
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _memory_of(number: int) -> int:
    """Return the bytes that a process and all below it hold for themselves."""
    held = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(number)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                memory = process.memory_info()
                held += memory.rss - getattr(memory, "shared", 0)
    return held


def _size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, which may vanish meanwhile."""
    with contextlib.suppress(OSError):
        return sum(path.lstat().st_size for path in folder.rglob("*"))
    return 0


def _kill(root: psutil.Process) -> None:
    """Kill a process and all below it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
