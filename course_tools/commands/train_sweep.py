"""``train --sweep``: many runs, on this machine or on many."""

import argparse
import os
import sys

import torch

from course_lib import runtime, training
from course_tools import cluster, sweeps


def main(options: argparse.Namespace) -> int:
    """Do what is missing of a sweep, and write its tables."""
    device = runtime.choose_device(options.device)
    sweep = sweeps.read_sweep(options.sweep, device)
    with training.nobody_else_in(sweep.folder):
        return _run(options, sweep, device)


def _run(options: argparse.Namespace, sweep: sweeps.Sweep, device: torch.device) -> int:
    """Train and measure what is missing; the tables are written anew after every run."""
    for split in ("train", "val"):  # is there something to learn from, and to measure on?
        sweep.runs[0].settings.samples(split)
    sweeps.benchmarks_of(sweep.profile)
    found = {run.name: sweeps.finished(run, sweep.folder / run.name) for run in sweep.runs}
    outcomes = {name: result for name, result in found.items() if result}
    missing = [run for run in sweep.runs if run.name not in outcomes]
    print(f"{sweep.name}: {len(sweep.runs)} runs, {len(outcomes)} of them are finished")

    def told(planned: sweeps.Planned, outcome: sweeps.Outcome) -> None:
        outcomes[planned.name] = outcome
        _write(sweep, outcomes)

    status = 0
    if missing:
        # at once: one run per GPU, or one per core, which is faster than threads
        gpus = torch.cuda.device_count() if str(device) == "cuda" else 1
        cores = os.cpu_count() or 1
        count = min(options.processes or (cores if device.type == "cpu" else gpus), len(missing))
        threads = None if options.scheduler else max(1, cores // count)
        with cluster.workers(count, options.scheduler) as client:
            for address, worker in cluster.workers_of(client).items():
                if worker["nthreads"] != 1:  # seeds belong to a whole process
                    raise ValueError(
                        f"worker {address} has {worker['nthreads']} threads; start workers with --nthreads 1"
                    )
            print(f"Dashboard: {client.dashboard_link}")
            try:
                sweeps.run_all(client, sweep, missing, threads, options.command, told)
            except sweeps.Lost as error:
                kept = "finished runs are kept: start it anew, and call again"
                print(f"error: {error}; {kept}", file=sys.stderr)
                status = 1
    print(_write(sweep, outcomes))
    print(f"Tables: {', '.join(sorted(str(path) for path in sweep.folder.glob('*.csv')))}")
    failed = any(isinstance(outcome, str) for outcome in outcomes.values())
    return 1 if failed else status


def _write(sweep: sweeps.Sweep, outcomes: dict[str, sweeps.Outcome]) -> str:
    """Write the tables of what is there so far; return that of the runs as it is to be printed."""
    made, reason = sweeps.tables(sweep, outcomes)
    for name, frame in made.items():
        content = frame.to_csv(index=False, float_format="%.6g").encode()
        runtime.write_atomically(sweep.folder / f"{name}.csv", content)
    if reason:
        (sweep.folder / "summary.csv").unlink(missing_ok=True)  # of an earlier call, which no longer holds
    shown = made["runs"].to_string(index=False, float_format="{:.1f}".format, na_rep="")
    return f"{shown}\nno summary: {reason}" if reason else shown
