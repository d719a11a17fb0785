"""``train --sweep``: many runs, on this machine or on many."""

import argparse
import os
import sys

import torch
from distributed import Client
from filelock import FileLock, Timeout

from course_lib import evaluation, runtime
from course_tools import cluster, sweeps

DIGITS = "%.6g"

DASHBOARD = "127.0.0.1:0"
"""Only this machine may look; any free port."""


def main(options: argparse.Namespace) -> int:
    """Do what is missing of a sweep, and write its tables."""
    device = runtime.choose_device(options.device)
    sweep = sweeps.read_sweep(options.sweep, device)
    sweep.folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(sweep.folder / ".lock", timeout=0):
            return _run(options, sweep, device)
    except Timeout:
        raise ValueError(f"another process runs this sweep in {sweep.folder}; wait for it") from None


class _Progress:
    """What is there of a sweep; its tables are on disk after every run."""

    def __init__(self, sweep: sweeps.Sweep) -> None:
        """Look for what earlier calls have finished."""
        found = {run.name: sweeps.finished(run, sweep.folder / run.name) for run in sweep.runs}
        self.sweep = sweep
        self.measured = {name: one for name, one in found.items() if one is not None}
        self.missing = [run for run in sweep.runs if found[run.name] is None]
        self.failures: dict[str, str] = {}

    def told(self, planned: sweeps.Planned, outcome: evaluation.NetworkResult | str) -> None:
        """Take in the outcome of a run, and write the tables."""
        if isinstance(outcome, str):
            self.failures[planned.name] = outcome
        else:
            self.measured[planned.name] = outcome
        self.write()

    def write(self) -> sweeps.Tables:
        """Write the tables of what is there so far."""
        made = sweeps.tables(self.sweep, self.measured, self.failures)
        for name in ("runs", "numbers", "summary"):
            frame = getattr(made, name)
            path = self.sweep.folder / f"{name}.csv"
            if frame is None:
                path.unlink(missing_ok=True)  # of an earlier call, which no longer holds
            else:
                runtime.write_atomically(path, frame.to_csv(index=False, float_format=DIGITS).encode())
        return made


def _run(options: argparse.Namespace, sweep: sweeps.Sweep, device: torch.device) -> int:
    """Run what is missing, and say what there is."""
    sweeps.check_data(sweep)
    progress = _Progress(sweep)
    print(f"{sweep.name}: {len(sweep.runs)} runs, {len(progress.measured)} of them are finished")
    status = _work(options, progress, device) if progress.missing else 0
    made = progress.write()
    print(made.runs.to_string(index=False, float_format="{:.1f}".format, na_rep=""))
    if made.not_compared:
        print(f"no summary: {made.not_compared}")
    print(f"Tables: {', '.join(sorted(str(path) for path in sweep.folder.glob('*.csv')))}")
    return status or (1 if progress.failures else 0)


def _work(options: argparse.Namespace, progress: _Progress, device: torch.device) -> int:
    """Let workers do what is missing; return 1 if they could not end."""
    count = min(options.processes or _processes(device), len(progress.missing))
    threads = None if options.scheduler else max(1, (os.cpu_count() or 1) // count)
    with cluster.workers(count, options.scheduler, DASHBOARD) as client:
        _check(client)
        print(f"Dashboard: {client.dashboard_link}")
        try:
            sweeps.run_all(client, progress.sweep, progress.missing, threads, options.command, progress.told)
        except sweeps.Lost as error:
            print(f"error: {error}; finished runs are kept: start it anew, and call again", file=sys.stderr)
            return 1
    return 0


def _processes(device: torch.device) -> int:
    """Return how many runs to have at once: one per GPU, or one per core, which is faster than threads."""
    if device.type == "cpu":
        return os.cpu_count() or 1
    return torch.cuda.device_count() if str(device) == "cuda" else 1


def _check(client: Client) -> None:
    """Raise a ValueError unless each worker does one thing at a time: seeds belong to a whole process."""
    for address, worker in cluster.workers_of(client).items():
        if worker["nthreads"] != 1:
            raise ValueError(
                f"worker {address} has {worker['nthreads']} threads; start workers with --nthreads 1"
            )
