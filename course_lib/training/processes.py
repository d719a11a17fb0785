"""The processes of a training: signals that stop one, and others that share its batches.

torchrun starts several processes, each on a device of its own and known by its rank, 0 to one less than their
number. The first, of rank 0, alone writes files and shows what goes on. If one fails, torchrun ends all. With
a single process, nothing here changes anything.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from course_lib import runtime

SIGNALS = (signal.SIGINT, signal.SIGTERM)

ECHO = 2.0
"""Seconds in which a second signal counts as an echo: launchers forward what the terminal sent already."""


class Interrupted(Exception):
    """A training was asked to stop, and has saved its state."""

    def __init__(self, message: str, number: int) -> None:
        """Keep the message and the number of the signal."""
        super().__init__(message)
        self.number = number


class Request:
    """Whether somebody asked this process to stop; ``number`` is the signal, 0 for none."""

    number = 0

    def receive(self, number: int, frame: object) -> None:
        """Remember the first signal; a later one stops at once, without saving."""
        if not self.number:
            self.number, self.received = number, time.monotonic()
        elif time.monotonic() - self.received > ECHO:
            raise KeyboardInterrupt


@contextmanager
def catch_interrupts() -> Iterator[Request]:
    """Turn the first Ctrl-C or SIGTERM into a request; only the main thread can receive signals."""
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupts(worker: int) -> None:
    """Let a worker leave signals, which a whole group of processes receives, to the main process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def launched() -> bool:
    """Tell whether torchrun has started several processes, of which this is one."""
    return dist.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1


def choose_device(name: str) -> torch.device:
    """Return the device of this process: as ``runtime.choose_device``, but each process has its own GPU.

    Args:
        name: ``auto``, ``cpu`` or ``cuda``; a single process may have any.

    Raises:
        ValueError: if the device cannot be used, or there are more processes than GPUs.
    """
    if launched() and name in ("auto", "cuda"):
        gpu = name == "cuda" or torch.cuda.is_available()
        name = f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu"
    return runtime.choose_device(name)


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Connect this process with the others, if there are any.

    Args:
        device: of this process; tensors on a GPU travel by NCCL, those in memory by Gloo.
    """
    if not launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    yield
    dist.destroy_process_group()  # after an error it would wait for the others


def rank() -> int:
    """Return the number of this process, 0 for a single one."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """Return how many processes work together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def only_first_shows() -> dict[str, bool]:
    """Return the argument that hides a progress bar of tqdm in all processes but the first."""
    return {"disable": True} if rank() else {}


def total(tensor: Tensor) -> Tensor:
    """Add up a tensor over all processes, in place; all must call this, as the two functions below."""
    if count() > 1:
        dist.all_reduce(tensor)
    return tensor


def from_first(make: Callable[[], dict | None]) -> dict | None:
    """Return what ``make`` gives in the first process; it is not called in the others."""
    values = [None if rank() else make()]
    if count() > 1:
        dist.broadcast_object_list(values, src=0)
    return values[0]


def asked_to_stop(request: Request) -> int:
    """Return the signal that asked any of the processes to stop, 0 if none did: all stop after one step."""
    number = torch.tensor(request.number)
    if count() > 1:
        dist.all_reduce(number, dist.ReduceOp.MAX)
    return int(number)
