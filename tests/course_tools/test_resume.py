"""A run that is killed, stopped or out of disk goes on as if nothing had happened."""

import csv
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from small_data import ROOT, write_street
from waiting import LONG, wait_until

from course_lib import models, training
from course_lib.training.files import load_state, save_state

KILLS, EPOCHS = 10, 10
STOPPED = """
import os, signal, sys
from course_lib import training
from course_tools.__main__ import main
take = training.Trainer.step
def step(trainer, *given):
    values = take(trainer, *given)
    if trainer.done == 3:
        {after_three_steps}
    return values
training.Trainer.step = step
sys.exit(main(sys.argv[1:]))
"""
COMMAND = "train --profile camvid --device cpu --size 16 24 --batch 2 --epochs 10 --checkpoint-every 1"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals")
processes = multiprocessing.get_context("forkserver") if sys.platform != "win32" else multiprocessing
processes.set_forkserver_preload(["course_lib.training", "torch.utils.tensorboard", "torch._dynamo"])


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    root = tmp_path_factory.mktemp("street")
    write_street(root / "CamVid")
    return root


def settings():
    return training.settings_for(
        "camvid", "erfnet", torch.device("cpu"), size=(16, 24), batch=2, epochs=EPOCHS, checkpoint_every=1
    )


def train(root, folder, sabotage=None):
    """Run in a process of its own; ``sabotage`` is called first."""
    os.environ["COURSE_DATA"] = str(root)
    torch.set_num_threads(1)
    if sabotage:
        sabotage()
    try:
        training.train(settings(), folder, resume=True)
    except OSError as error:
        (folder / "error.txt").write_text(str(error))
        raise


def two_steps():
    """Let a run take two steps, and wait to be killed before the next."""
    take, taken = training.Trainer.step, itertools.count()

    def step(trainer, *given):
        if next(taken) == 2:
            time.sleep(LONG)
        return take(trainer, *given)

    training.Trainer.step = step


def start(root, folder, sabotage=None):
    process = processes.Process(target=train, args=(root, folder, sabotage))
    process.start()
    return process


def finished(root, folder):
    process = start(root, folder)
    process.join(timeout=LONG)
    assert process.exitcode == 0
    return load_state(folder / "last.pt")


@pytest.fixture(scope="module")
def uninterrupted(street, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return finished(street, folder), folder


def same(first, second):
    """Compare everything in two states but the settings and what a clock decides."""
    keys = ("network", "optimizer", "schedule", "scaler", "step", "random", "sums", "class_counts")
    return all(equal(first[key], second[key]) for key in keys)


def equal(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    return first == second


def losses(folder):
    return [(row["epoch"], row["step"], row["loss"]) for row in csv.DictReader((folder / "log.csv").open())]


def test_killed_at_random_moments_a_run_ends_with_the_same_bits(street, uninterrupted, tmp_path):
    chance, checkpoint, steps = random.Random(0), tmp_path / "last.pt", []
    for _ in range(KILLS):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process = start(street, tmp_path, two_steps)
        wait_until(lambda then=before: checkpoint.exists() and checkpoint.stat().st_mtime_ns != then, LONG)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        steps.append(load_state(checkpoint)["step"])
    assert steps == sorted(set(steps)), "each start got further"
    assert same(finished(street, tmp_path), uninterrupted[0])
    assert losses(tmp_path) == losses(uninterrupted[1])


class KilledWhileWriting:
    """Dies by SIGKILL in the n-th checkpoint, before the new file has got its name."""

    def __init__(self, calls):
        self.calls = calls

    def __call__(self):
        os.fsync = self.sync

    def sync(self, descriptor):
        self.calls -= 1
        if self.calls == 0:
            os.ftruncate(descriptor, 1000)  # the rest had not been written
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_kill_while_a_checkpoint_is_written_leaves_the_previous_one(street, uninterrupted, tmp_path):
    process = start(street, tmp_path, KilledWhileWriting(3))
    process.join(timeout=LONG)
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / ".last.pt.partial").stat().st_size == 1000
    assert load_state(tmp_path / "last.pt")["step"] == 2
    assert same(finished(street, tmp_path), uninterrupted[0])


class LittleDisk:
    """Lets no file grow beyond 10 MB from the third checkpoint on, as a quota would."""

    def __call__(self):
        import resource

        self.calls, real = 0, os.fsync

        def sync(descriptor):
            real(descriptor)
            self.calls += 1
            if self.calls == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))

        os.fsync = sync


def test_a_full_disk_is_one_clear_error_and_keeps_the_previous_checkpoint(street, tmp_path):
    process = start(street, tmp_path, LittleDisk())
    process.join(timeout=LONG)
    assert process.exitcode == 1
    message = (tmp_path / "error.txt").read_text()
    assert message.endswith("last.pt (File too large); the previous one is kept: free some space")
    assert load_state(tmp_path / "last.pt")["step"] == 2 and not (tmp_path / ".last.pt.partial").exists()


def command(root, folder, *options, after_three_steps="pass"):
    code = STOPPED.format(after_three_steps=after_three_steps)
    return subprocess.Popen(
        [sys.executable, "-c", code, *COMMAND.split(), "--output", str(folder), *options],
        cwd=ROOT,
        start_new_session=True,
        env=os.environ | {"COURSE_DATA": str(root), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_request_to_stop_saves_and_the_command_says_how_to_go_on(
    street, uninterrupted, tmp_path, number, status
):
    process = command(street, tmp_path, after_three_steps=f"signal.raise_signal({int(number)})")
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == status
    last = errors.strip().splitlines()[-1]
    assert last.startswith("stopped after step") and last.endswith("add --resume to go on")
    assert "Traceback" not in errors
    resumed = command(street, tmp_path, "--resume")
    printed, errors = resumed.communicate(timeout=LONG)
    assert resumed.returncode == 0, errors
    assert "mean IoU" in printed and "Weights:" in printed
    assert same(load_state(tmp_path / "last.pt"), uninterrupted[0])


def test_a_signal_to_the_whole_group_saves_too_although_workers_receive_it(street, tmp_path):
    to_all = "os.killpg(0, signal.SIGTERM)"
    process = command(street, tmp_path, "--workers", "2", after_three_steps=to_all)
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 143 and "Traceback" not in errors
    assert "stopped after step" in errors


def test_training_data_that_has_changed_is_noticed(street, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    write_street(tmp_path / "CamVid")
    short = replace(settings(), epochs=1)
    training.train(short, tmp_path / "run")
    for folder in ("train", "trainannot"):
        (tmp_path / "CamVid" / folder / "6.png").unlink()
    with pytest.raises(
        ValueError, match=r"training data has changed since this run began \(7 images then, 6 now"
    ):
        training.train(short, tmp_path / "run", resume=True)


def test_a_row_that_a_kill_kept_from_the_log_is_written_on_resume(street, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(street))
    short = replace(settings(), epochs=1)
    training.train(short, tmp_path, command="the first command")
    expected = losses(tmp_path)
    (tmp_path / "log.csv").unlink()
    trained = training.train(short, tmp_path, resume=True, command="the first command --resume")
    assert losses(tmp_path) == expected
    assert models.load("erfnet", trained.weights)[1].command == "the first command"


def test_a_damaged_or_foreign_checkpoint_is_named(tmp_path):
    for content in (b"no checkpoint", b"", b"\x80\x02}q\x00X"):
        (tmp_path / "last.pt").write_bytes(content)
        with pytest.raises(ValueError, match=r"last.pt is not a training checkpoint"):
            load_state(tmp_path / "last.pt")
    torch.save({"format": 0}, tmp_path / "last.pt")
    with pytest.raises(ValueError, match="not a training checkpoint of this version"):
        load_state(tmp_path / "last.pt")
    save_state(tmp_path / "last.pt", {"step": 1})
    assert load_state(tmp_path / "last.pt")["step"] == 1
