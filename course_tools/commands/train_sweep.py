"""``train --sweep``: many runs, on this machine or on many."""

import argparse
import os
import sys

import pandas as pd
import torch
from distributed import Client
from filelock import FileLock, Timeout

from course_lib import evaluation, runtime
from course_tools import cluster, sweeps

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


def _run(options: argparse.Namespace, sweep: sweeps.Sweep, device: torch.device) -> int:
    """Train and measure what is missing; the tables are written anew after every run."""
    sweeps.check_data(sweep)
    found = {run.name: sweeps.finished(run, sweep.folder / run.name) for run in sweep.runs}
    measured = {name: result for name, result in found.items() if result is not None}
    missing = [run for run in sweep.runs if run.name not in measured]
    failures: dict[str, str] = {}
    print(f"{sweep.name}: {len(sweep.runs)} runs, {len(measured)} of them are finished")

    def told(planned: sweeps.Planned, outcome: evaluation.NetworkResult | str) -> None:
        (failures if isinstance(outcome, str) else measured)[planned.name] = outcome
        _write(sweep, measured, failures)

    lost = False
    if missing:
        count = min(options.processes or _processes(device), len(missing))
        threads = None if options.scheduler else max(1, (os.cpu_count() or 1) // count)
        with cluster.workers(count, options.scheduler, DASHBOARD) as client:
            _check(client)
            print(f"Dashboard: {client.dashboard_link}")
            try:
                sweeps.run_all(client, sweep, missing, threads, options.command, told)
            except sweeps.Lost as error:
                print(
                    f"error: {error}; finished runs are kept: start it anew, and call again", file=sys.stderr
                )
                lost = True
    runs, reason = _write(sweep, measured, failures)
    print(runs.to_string(index=False, float_format="{:.1f}".format, na_rep=""))
    if reason:
        print(f"no summary: {reason}")
    print(f"Tables: {', '.join(sorted(str(path) for path in sweep.folder.glob('*.csv')))}")
    return 1 if lost or failures else 0


def _write(sweep: sweeps.Sweep, measured: dict, failures: dict) -> tuple[pd.DataFrame, str]:
    """Write the tables of what is there so far; return that of the runs, and why there is no summary."""
    made, reason = sweeps.tables(sweep, measured, failures)
    for name, frame in made.items():
        content = frame.to_csv(index=False, float_format="%.6g").encode()
        runtime.write_atomically(sweep.folder / f"{name}.csv", content)
    if "summary" not in made:
        (sweep.folder / "summary.csv").unlink(missing_ok=True)  # of an earlier call, which no longer holds
    return made["runs"], reason


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
