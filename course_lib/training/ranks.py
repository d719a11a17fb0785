"""Several processes that train one network together, each on a device of its own; torchrun starts them.

Each is known by its rank, 0 to one less than their number; the first, of rank 0, alone writes files and shows
what goes on. With a single process nothing here does anything.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from course_lib import runtime

T = TypeVar("T")

FAILED = "course_lib/failed"
"""The key in the processes' common store that counts those that have failed."""

PATIENCE = timedelta(seconds=10)
"""How long a process waits for the first one to report what happened to all."""

LOST = ("connection closed", "connection reset", "broken pipe", "connection refused")
"""What torch says where the other end of a connection is gone."""


class SharedFate(Exception):
    """Something that happens to all processes after the same step, so that the first one can report it."""


class ProcessLost(RuntimeError):
    """Another process of the run has ended without a word."""


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
    if not launched():
        return runtime.choose_device(name)
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device {name!r} cannot be shared by several processes; take auto, cpu or cuda")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    place, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if 0 < there <= place:
        wanted = os.environ["LOCAL_WORLD_SIZE"]
        raise ValueError(f"{wanted} processes, but {there} GPU(s) here; take --nproc_per_node={there}")
    return runtime.choose_device(f"cuda:{place}")


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Connect this process with the others, if there are any.

    If something is raised inside, one process raises it again and the others end without a word, with status
    1: torchrun ends what is left.

    Args:
        device: of this process; tensors on a GPU travel by NCCL, those in memory by Gloo.
    """
    if not launched():
        yield
        return
    store, rank, size = next(rendezvous("env://"))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size)
    try:
        yield
    except BaseException as error:
        # torchrun ends all as soon as one has ended, but this one may be the one to say why
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not _speaks(store, error):
            raise SystemExit(1) from None
        if isinstance(error, RuntimeError) and any(words in str(error).lower() for words in LOST):
            raise ProcessLost(
                "another process of this run was lost; add --resume to go on from the last checkpoint"
            ) from error
        raise
    dist.destroy_process_group()


def _speaks(store: dist.Store, error: BaseException) -> bool:
    """Decide whether this process reports the error: the first in which it came up does."""
    try:
        if isinstance(error, SharedFate) and not is_first():
            store.wait([FAILED], PATIENCE)
            return False
        return store.add(FAILED, 1) == 1
    except RuntimeError:  # the store went with the process that failed before
        return False


def on_this_machine() -> int:
    """Return how many processes share this machine's processor."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if launched() else 1


def number() -> int:
    """Return the rank of this process, 0 for a single one."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """Return how many processes work together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Tell whether this process writes and shows things."""
    return number() == 0


def only_first_shows() -> dict[str, bool]:
    """Return the argument that hides a progress bar of tqdm in all processes but the first."""
    return {} if is_first() else {"disable": True}


def mine(items: Sequence[T]) -> Sequence[T]:
    """Return the share of this process; the shares of all make up the whole."""
    return items[number() :: count()]


def total(tensor: Tensor) -> Tensor:
    """Add up a tensor over all processes, in place; all must call this, as the functions below."""
    if count() > 1:
        dist.all_reduce(tensor)
    return tensor


def largest(value: int) -> int:
    """Return the largest value that a process has."""
    if count() == 1:
        return value
    found = torch.tensor(value)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return int(found)


def gathered(value: Any) -> list:
    """Return the values of all processes in the order of their ranks."""
    values = [value] * count()
    if count() > 1:
        dist.all_gather_object(values, value)
    return values


def from_first(make: Callable[[], T]) -> T:
    """Return what ``make`` gives in the first process; it is not called in the others."""
    values = [make() if is_first() else None]
    if count() > 1:
        dist.broadcast_object_list(values, src=0)
    return values[0]


def check_same(facts: dict[str, Any]) -> None:
    """Raise a ValueError that names the first fact in which a process differs from the first one."""
    first, *others = gathered(facts)
    for rank, facts_there in enumerate(others, start=1):
        for name, value in facts_there.items():
            if value != first[name]:
                raise ValueError(
                    f"process {rank} has {name} {value}, process 0 has {first[name]}: start all of them with "
                    "the same options and data"
                )
