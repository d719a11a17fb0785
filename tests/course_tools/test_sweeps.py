"""A sweep does every run once, whoever dies in the meantime, and puts all numbers into one table."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest
from distributed import Client, LocalCluster
from small_data import ROOT
from small_sweeps import CPU, EPOCHS, RUNS, SMALL, write_data, written
from waiting import LONG, once, wait_until

from course_tools import cluster, sweeps
from course_tools.__main__ import main
from course_tools.sweeps import work


@pytest.fixture
def street(tmp_path, monkeypatch):
    """A folder with small data, which the library finds."""
    return write_data(tmp_path, monkeypatch)


def starts(sweep):
    """Return how often workers began with each run."""
    files = {run.name: sweep.folder / run.name / "starts.csv" for run in sweep.runs}
    return {name: len(file.read_text().splitlines()) for name, file in files.items() if file.exists()}


def in_the_middle(sweep):
    """Return the processes that train now, and have saved a checkpoint."""
    return [
        int(path.read_text().splitlines()[-1].split(",")[-1])
        for path in sweep.folder.glob("*/starts.csv")
        if (path.parent / "last.pt").exists() and not list(path.parent.glob("*.safetensors"))
    ]


def all_done(sweep):
    """Assert that every run went through each epoch once and has weights and numbers."""
    for run in sweep.runs:
        log = pd.read_csv(sweep.folder / run.name / "log.csv")
        assert log["epoch"].tolist() == list(range(1, EPOCHS + 1)), run.name
        assert work.finished(run, sweep.folder / run.name) is not None
    return True


def test_a_worker_killed_in_the_middle_costs_no_run_and_none_is_done_twice(street):
    sweep, told, victims = sweeps.read_sweep(written(street), CPU), {}, []

    def one_is():
        return told and (victims.extend(in_the_middle(sweep)) or victims)

    with cluster.workers(2) as client:
        assert len(set(client.run(os.getpid).values())) == 2
        killer = once(one_is, lambda: os.kill(victims[0], signal.SIGKILL))
        for planned, outcome in work.run_all(client, sweep, list(sweep.runs), 1, ""):
            told[planned.name] = outcome
        killer.join()
        assert victims[0] not in client.run(os.getpid).values()
    assert len(told) == RUNS and not [what for what in told.values() if isinstance(what, str)]
    assert all_done(sweep)
    assert sum(starts(sweep).values()) == RUNS + 1, "only the run that the dead worker had was begun again"


def test_a_second_call_does_only_what_is_missing(street, capfd):
    file = written(street)
    sweep = sweeps.read_sweep(file, CPU)
    assert call(file, "--processes", "2") == 0
    first = starts(sweep)
    lost = sweep.folder / sweep.runs[3].name / "measured.pt"
    lost.unlink()
    weights = {path: path.read_bytes() for path in sweep.folder.glob("*/*.safetensors")}
    assert call(file, "--processes", "1") == 0
    assert starts(sweep) == first | {sweep.runs[3].name: 2}
    assert {path: path.read_bytes() for path in weights} == weights, "measured again, but not trained"
    assert "5 of them are finished" in capfd.readouterr().out
    assert call(file) == 0, "nothing to do, no workers"
    numbers, summary = (pd.read_csv(sweep.folder / f"{name}.csv") for name in ("numbers", "summary"))
    assert len(numbers) == RUNS * 3 and numbers["term_weights"].unique().tolist() == ["1,2", "2,1"]
    assert summary["seeds"].tolist() == [3] * 6 and summary["group"].nunique() == 2
    assert (summary["group"] == "term_weights=" + summary["term_weights"]).all()
    assert pd.read_csv(sweep.folder / "runs.csv")["status"].tolist() == ["done"] * RUNS


def call(file, *options):
    """Run the command in this process."""
    return main(["train", "--sweep", str(file), "--device", "cpu", *options])


def test_a_run_that_fails_is_tried_once_more_and_reported(street, capsys):
    text = SMALL.replace("learning_rate = 1e-3", "") + "[grid]\nlearning_rate = [1e-3, 1e30]\n"
    file = written(street, text)
    assert call(file, "--processes", "1") == 1
    sweep = sweeps.read_sweep(file, CPU)
    good, bad = sweep.runs
    assert starts(sweep) == {good.name: 1, bad.name: 2}
    shown = capsys.readouterr().out
    assert "Diverged" in shown and "done" in shown
    status = pd.read_csv(sweep.folder / "runs.csv").set_index("run")["status"]
    assert status[good.name] == "done" and status[bad.name].startswith("Diverged: ")


def test_another_run_in_a_folder_is_neither_taken_nor_overwritten(street, capsys):
    file = written(street, SMALL + "[grid]\nseed = [0]\n")
    assert call(file) == 0
    file.write_text(file.read_text().replace("batch = 3", "batch = 2"))
    assert call(file) == 2
    assert "batch 3 instead of 2" in capsys.readouterr().err


SERVER = "import sys; from distributed.cli.dask_{0} import main; main(sys.argv[1:])"


def started(kind, *options):
    """Start a scheduler or a worker in a process of its own."""
    command = [sys.executable, "-c", SERVER.format(kind), *options]
    silent = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=ROOT, stdout=silent, stderr=silent, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )


@pytest.fixture
def several_machines(street):
    """Start a scheduler and two workers on demand; whatever still runs is killed in the end."""
    processes = []

    def start(threads=1, workers=2, killed="scheduler"):
        found = street / f"scheduler{len(processes)}.json"
        address = ["--scheduler-file", str(found)]
        processes.append(
            started("scheduler", *address, "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        )
        wait_until(found.exists)
        options = [*address, "--nthreads", str(threads), "--no-dashboard", "--host", "127.0.0.1"]
        processes.extend(started("worker", *options) for _ in range(workers))
        address = json.loads(found.read_text())["address"]
        if workers:  # none of them is late, however busy the machine is
            with Client(address) as client:
                client.wait_for_workers(workers, timeout=LONG)
        place = -1 if killed == "worker" else -1 - workers
        return processes[place], address

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_killed_scheduler_loses_no_finished_run_and_the_call_repeated_does_the_rest(
    street, several_machines, capsys
):
    file = written(street)
    sweep = sweeps.read_sweep(file, CPU)
    scheduler, address = several_machines()
    killer = once(lambda: len(list(sweep.folder.glob("*/measured.pt"))) >= 2, scheduler.kill)
    assert call(file, "--scheduler", address) == 1
    killer.join()
    assert "lost tcp://127.0.0.1" in capsys.readouterr().err
    before = {path: path.read_bytes() for path in sweep.folder.glob("*/*.safetensors")}
    first = starts(sweep)
    assert 2 <= len(before) < RUNS
    _, address = several_machines()
    assert call(file, "--scheduler", address) == 0
    assert all_done(sweep)
    assert {path: path.read_bytes() for path in before} == before
    again = starts(sweep)
    whole = [run.name for run in sweep.runs if first.get(run.name) and again[run.name] == first[run.name]]
    assert {path.parent.name for path in before} <= set(whole), "what was finished was not begun again"


def test_workers_with_several_threads_are_refused(street, several_machines, capsys):
    _, address = several_machines(threads=2, workers=1)
    assert call(written(street), "--scheduler", address) == 2
    assert "has 2 threads; start workers with --nthreads 1" in capsys.readouterr().err


def test_a_sweep_whose_workers_are_all_gone_ends(street, several_machines, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 5.0)
    file = written(street)
    sweep, (workers, address) = sweeps.read_sweep(file, CPU), several_machines(workers=1, killed="worker")
    killer = once(lambda: in_the_middle(sweep), workers.kill)
    assert call(file, "--scheduler", address) == 1
    killer.join()
    assert "no workers are left; finished runs are kept" in capsys.readouterr().err


def test_data_that_is_missing_is_noticed_before_any_training(street, capsys):
    shutil.rmtree(street / "data" / "benchmarks")
    assert call(written(street)) == 2
    assert "none of the benchmarks is here" in capsys.readouterr().err


def test_options_that_a_sweep_would_not_heed_are_refused(street, capsys):
    assert call(written(street), "--epochs", "3") == 2
    assert "--epochs does not go with --sweep" in capsys.readouterr().err
    assert call(written(street), "--resume") == 2
    assert "the same command goes on by itself" in capsys.readouterr().err
    assert call(written(street), "--processes", "0") == 2
    assert "--processes must be 1 or more, got 0" in capsys.readouterr().err
    assert call(written(street), "--scheduler", "tcp://127.0.0.1:9") == 2
    assert "no scheduler answers" in capsys.readouterr().err
    assert main(["train", "--processes", "2"]) == 2
    assert "--processes and --scheduler need --sweep" in capsys.readouterr().err


def test_a_scheduler_without_workers_is_refused(street, several_machines, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.1)
    _, address = several_machines(workers=0)
    assert call(written(street), "--scheduler", address) == 2
    assert "the scheduler has no workers; start some" in capsys.readouterr().err


def test_more_than_five_workers_are_all_known():
    with LocalCluster(n_workers=7, processes=False, dashboard_address=None) as some, Client(some) as client:
        assert len(cluster.workers_of(client)) == 7
