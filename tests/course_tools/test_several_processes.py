"""Several processes, as torchrun starts them, learn what one learns."""

import csv
import os
import subprocess
import sys

import pytest
import several_processes as several
import torch
from several_processes import Frozen
from small_data import ROOT
from waiting import LONG

from course_lib import models, training
from course_lib.training import processes
from course_lib.training.files import load_state
from course_lib.training.samples import GAP, Batches

ASKED = """
import os, signal, sys, time
from course_lib import training
from course_lib.training import processes
from course_tools.__main__ import main
receive, take, asked = processes.Request.receive, training.Trainer.step, []
def note(request, *given):
    receive(request, *given)
    asked.append(1)
def step(trainer, *given):
    values = take(trainer, *given)
    if not asked and os.environ["RANK"] == "0":
        os.kill(os.getppid(), signal.SIGTERM)
    while not asked:
        time.sleep(0.01)
    return values
processes.Request.receive, training.Trainer.step = note, step
sys.exit(main(sys.argv[1:]))
"""
"""Asks torchrun to stop after the first step, and goes on when torchrun has passed that on."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and stops by POSIX signals")


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    root = tmp_path_factory.mktemp("street")
    several.write_unequal_street(root)
    return root


@pytest.fixture(scope="module")
def of_one(street):
    """Twelve steps in one process, without batch statistics and dropout."""
    return several.run(street, street / "one", 1, sabotage=Frozen())


@pytest.fixture(scope="module")
def of_two(street):
    """The same in two processes."""
    return several.run(street, street / "two", 2, sabotage=Frozen())


def distance(*folders):
    """Return the largest difference between two parameters."""
    first, second = (load_state(folder / "last.pt")["network"] for folder in folders)
    assert first.keys() == second.keys()
    return max((first[key].double() - second[key].double()).abs().max().item() for key in first)


def rows(folder):
    return list(csv.DictReader((folder / "log.csv").open()))


def measured(folder):
    """Return the numbers of the log that no clock decides."""
    kept = ("epoch", "step", "loss", "learning_rate", "validation_loss", "miou", "iou_road", "iou_car")
    return [float(row[name]) for row in rows(folder) for name in kept if row[name]]


def test_two_processes_end_where_one_ends(of_one, of_two):
    assert of_one.succeeded and of_two.succeeded
    assert distance(of_one.folder, of_two.folder) < 1e-5
    assert measured(of_one.folder) == pytest.approx(measured(of_two.folder), rel=1e-5)


def test_a_denominator_for_each_process_would_end_elsewhere(street, of_one):
    own = several.run(street, street / "own", 2, sabotage=several.own_denominators)
    assert own.succeeded and distance(of_one.folder, own.folder) > 1e-3


def test_shares_in_parts_with_several_heads_and_terms_add_up_to_the_whole_batch(street):
    network = ("--model", "bisenetv2", "--training", "ln_ce")
    options = (*network, "--learning-rate", "1e-5", "--batch", "4", "--epochs", "1")
    whole = several.run(street, street / "batch", 1, *options, sabotage=Frozen())
    parts = several.run(street, street / "quarters", 2, *options, "--accumulate", "2", sabotage=Frozen())
    assert whole.succeeded and parts.succeeded
    assert distance(whole.folder, parts.folder) < 1e-5
    assert measured(whole.folder) == pytest.approx(measured(parts.folder), rel=1e-5)


def test_only_the_first_process_writes_and_shows_anything(of_one, of_two):
    folder = of_two.folder
    assert {path.name for path in folder.iterdir()} == {path.name for path in of_one.folder.iterdir()}
    assert [row["step"] for row in rows(folder)] == ["3", "6", "9", "12"]
    assert len(list((folder / "tensorboard").iterdir())) == 1
    assert models.load("erfnet", folder / "erfnet_ce.safetensors")[1].epochs == 4
    assert "mean IoU" in of_two.printed[0] and of_two.printed[1] == ""
    assert of_two.errors == ("", "")


@pytest.mark.parametrize("count", range(1, 6))
def test_shares_are_equal_and_hold_every_image_once(count, monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: count)
    shares = []
    for rank in range(count):
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        shares.append(list(Batches(images=13, batch=5, epochs=2, seed=0)))
    for of_step in zip(*shares, strict=True):
        assert len({len(keys) for keys in of_step}) == 1, "else some would wait for parts of others"
    drawn = [key for share in shares for keys in share for key in keys if key[1] != GAP]
    assert sorted(drawn) == [(epoch, index) for epoch in (0, 1) for index in range(13)]


def test_two_processes_then_one_then_two_end_where_one_ends(street, of_one):
    folder = street / "parts"
    for count, stop, resume in ((2, 4, ()), (1, 8, ("--resume",))):
        outcome = several.run(street, folder, count, *resume, sabotage=Frozen(stop))
        said = f"stopped after step {stop} of 12, saved in {folder / 'last.pt'}; add --resume to go on"
        assert outcome.errors == tuple([said, ""][:count])
    assert several.run(street, folder, 2, "--resume", sabotage=Frozen()).succeeded
    assert distance(folder, of_one.folder) < 1e-5
    assert measured(folder) == pytest.approx(measured(of_one.folder), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "sabotage", "said", "saved"),
    [
        ((), several.poison, "loss term ce is nan in epoch 2, batch 2 of 3; training stopped, the last", 3),
        ((), several.killed, "", 3),
        (("--batch", "1"), None, "a batch of 1 cannot be shared by 2 processes: choose a larger --batch", 0),
        (("--encoder", "absent.safetensors"), None, "no weights at absent.safetensors", 0),
    ],
    ids=["diverged", "killed", "batch", "file"],
)  # fmt: skip
def test_what_stops_one_process_stops_all(street, tmp_path, options, sabotage, said, saved):
    outcome = several.run(street, tmp_path / "run", 2, *options, sabotage=sabotage)
    assert not outcome.succeeded and said in "".join(outcome.errors)
    checkpoint = tmp_path / "run" / "last.pt"
    assert (load_state(checkpoint)["step"] if checkpoint.exists() else 0) == saved


def test_torchrun_that_is_asked_to_stop_leaves_a_state_to_go_on_from(street, tmp_path):
    (tmp_path / "asked.py").write_text(ASKED)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    often = ["--epochs", "2", "--checkpoint-every", "1"]
    options = [*several.SMALL.split(), *often, "--output", str(tmp_path / "run")]
    with (tmp_path / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            [*command, str(tmp_path / "asked.py"), *options],
            cwd=ROOT,
            env=os.environ | {"COURSE_DATA": str(street), "OMP_NUM_THREADS": "1"},
            stderr=errors,
        )
        process.wait(timeout=LONG)
    kept = several.without_bars((tmp_path / "errors.txt").read_bytes().decode())
    assert kept.count("stopped after step") == 1 and "course_lib/" not in kept, kept
    assert several.run(street, tmp_path / "run", 1, "--epochs", "2", "--resume").succeeded
    assert [row["step"] for row in rows(tmp_path / "run")] == ["3", "6"]


@pytest.fixture
def second_of_four(monkeypatch):
    """Look like a process that torchrun has started."""
    for name, value in (("TORCHELASTIC_RUN_ID", "x"), ("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOCAL_RANK", "1")


def test_each_process_takes_a_gpu_of_its_own(second_of_four, monkeypatch):
    monkeypatch.setattr(processes.runtime, "choose_device", torch.device)
    for there, device in ((True, "cuda:1"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert processes.choose_device("auto") == torch.device(device)
    assert processes.choose_device("cuda") == torch.device("cuda:1")
    assert processes.choose_device("cpu") == torch.device("cpu")


def test_processes_share_the_workers_that_a_gpu_gets(second_of_four, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert training.settings_for("mini", "erfnet", torch.device("cuda")).workers == 4
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    assert training.settings_for("mini", "erfnet", torch.device("cuda")).workers == 8
