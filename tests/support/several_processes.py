"""Runs of the command line in several processes, started by torchrun's own agent.

They are forked from a server that has imported everything, also what an optimiser loads later: else each
would need ten seconds for that.
"""

import multiprocessing
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from small_data import write_image, write_street
from torch import nn
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from waiting import LONG

from course_lib import training
from course_lib.losses import LOSSES
from course_lib.training import processes
from course_tools.__main__ import main
from course_tools.commands import train as command

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(["several_processes", "course_tools.commands.train", "torch._dynamo"])

SMALL = "train --profile camvid --device cpu --size 16 24 --batch 3 --epochs 4"


def write_unequal_street(root: Path) -> None:
    """Write 7 training images, of which the first has hardly any void and the last is mostly void."""
    write_street(root / "CamVid", images=(("train", 7), ("val", 3)))
    for i in range(7):
        mask = np.full((32, 48), 3, dtype=np.uint8)
        mask[:16], mask[12:22, 4 * i : 4 * i + 16], mask[: 4 * i + 1] = 1, 8, 11
        write_image(root / "CamVid" / "trainannot" / f"{i}.png", mask)


@dataclass(frozen=True)
class Outcome:
    """How a run in several processes ended."""

    folder: Path
    succeeded: bool
    printed: tuple[str, ...]
    """Standard output of each process."""
    errors: tuple[str, ...]
    """Standard error of each process, without progress bars."""


def run(root: Path, folder: Path, count: int, *options: str, sabotage=None) -> Outcome:
    """Train in ``count`` processes; ``sabotage`` is called in each of them before."""
    logs = folder.parent / f"logs_of_{folder.name}"
    launcher = server.Process(target=_launch, args=(root, folder, count, options, sabotage, logs))
    launcher.start()
    launcher.join(timeout=LONG)
    last = max(logs.iterdir(), key=lambda path: path.stat().st_mtime) / "attempt_0"
    logs_of_each = [last / str(rank) for rank in range(count)]
    return Outcome(
        folder,
        launcher.exitcode == 0,
        tuple((log / "stdout.log").read_text() for log in logs_of_each),
        tuple(without_bars((log / "stderr.log").read_bytes().decode()) for log in logs_of_each),
    )


def without_bars(text: str) -> str:
    """Return the lines that a terminal would keep."""
    lines = (line.rpartition("\r")[2].strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and "%|" not in line)


def _launch(root, folder, count, options, sabotage, logs):
    """Be torchrun; exit with status 1 if a process failed."""
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id="test",
        start_method="fork",
        logs_specs=DefaultLogsSpecs(log_dir=str(logs), redirects=Std.ALL),
        max_restarts=0,
    )
    try:
        elastic_launch(config, _train)(root, folder, options, sabotage)
    except ChildFailedError:
        raise SystemExit(1) from None


def _train(root, folder, options, sabotage):
    """Be one of the processes."""
    os.environ["COURSE_DATA"] = str(root)
    torch.set_num_threads(1)
    command._draw = lambda settings, trained: None  # figures take longer than all the rest
    if sabotage:
        sabotage()
    status = main([*SMALL.split(), "--output", str(folder), *options])
    if status:
        raise SystemExit(status)


@dataclass
class Frozen:
    """Keeps batch statistics and dropout as in evaluation; asks the last process to stop after a step."""

    stop: int = 0

    def __call__(self):
        for kind in (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd):
            kind.train = lambda layer, mode=True: nn.Module.train(layer, False)
        after_step(self.stop, lambda: is_last() and signal.raise_signal(signal.SIGTERM))


def is_last() -> bool:
    return processes.rank() == processes.count() - 1


def after_step(step, act):
    """Do something in a run, once so many steps are taken."""
    take = training.Trainer.step

    def counted(trainer, images, targets):
        values = take(trainer, images, targets)
        if trainer.done == step:
            act()
        return values

    training.Trainer.step = counted


def own_denominators():
    """Divide by the weights of the own pixels alone, as a loop does that does not know of the others."""
    Frozen()()
    total = processes.total
    processes.total = lambda tensor: total(tensor) if tensor.dim() else tensor  # a denominator is one number


def poison():
    """Make the loss of the last process NaN in its fifth step."""
    term, calls = LOSSES["ce"], []

    def poisoned(*arguments):
        calls.append(1)
        return term(*arguments) * (float("nan") if is_last() and len(calls) > 4 else 1)

    LOSSES["ce"] = poisoned


def killed():
    """Kill the last process after four steps, as a system short of memory does."""
    after_step(4, lambda: is_last() and os.kill(os.getpid(), signal.SIGKILL))
