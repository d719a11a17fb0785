"""The command line: what it prints and writes, and one clear line for everything that can go wrong."""

import io
import json
import os
import re
import shutil
import subprocess
import sys

import matplotlib
import pandas as pd
import pytest
import torch
from small_data import ROOT, write_benchmark, write_camvid

from course_lib import evaluation, models
from course_tools.__main__ import main, speaking_plainly
from course_tools.commands import COMMANDS, lab
from course_tools.commands import test as test_command

matplotlib.use("Agg")


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "enet_void.safetensors"
    network = models.build("enet", num_classes=20)
    models.save_checkpoint(
        network, path, models.Metadata(model="enet", training="void", size=[32, 64], epochs=3)
    )
    return str(path)


@pytest.fixture
def benchmarks(data_root):
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    write_benchmark(data_root / "benchmarks", "fs_static")
    return ["--benchmarks", "RoadAnomaly21", "fs_static"]


def evaluate(weights, *options):
    return main(["evaluate", "--model", "enet", "--weights", weights, "--device", "cpu", *options])


def test_evaluate_prints_a_table_and_writes_csv_json_and_figure(weights, benchmarks, tmp_path, capsys):
    output, figure = tmp_path / "out" / "table.csv", tmp_path / "out" / "figure.png"
    options = [
        "--score",
        "msp",
        "void",
        "--bootstrap",
        "40",
        "--output",
        str(output),
        "--figure",
        str(figure),
    ]
    assert evaluate(weights, *benchmarks, *options) == 0
    printed = capsys.readouterr().out
    assert "3 of 10" in printed and "chance" in printed and "Protocol benchmark" in printed
    frame = pd.read_csv(output)
    assert frame["benchmark"].tolist() == ["RoadAnomaly21"] * 2 + ["fs_static"] * 2
    assert set(frame["training"]) == {"void"} and set(frame["epochs"]) == {3}
    assert set(zip(frame["height"], frame["width"], strict=True)) == {(32, 64)}
    about = json.loads(output.with_suffix(".json").read_text())
    assert about["command"].startswith("python3 start.py evaluate --model enet")
    assert {"versions", "hardware", "seconds"} <= about.keys()
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_validation_adds_mean_iou_and_position_only_controls(weights, benchmarks, data_root, capsys):
    write_camvid(data_root / "CamVid")
    for part in ("", "annot"):
        shutil.copytree(data_root / "CamVid" / f"train{part}", data_root / "CamVid" / f"val{part}")
    options = ["--score", "msp", "--validation", "camvid", "--controls", "--bootstrap", "0"]
    assert evaluate(weights, *benchmarks[:2], *options) == 0
    printed = capsys.readouterr().out
    assert (
        "position:msp" in printed and "colour" in printed and "constant" in printed and "Mean IoU" in printed
    )


def test_keep_void_channel_changes_the_scores(weights, benchmarks, tmp_path, capsys):
    tables = []
    for extra in ([], ["--keep-void-channel"]):
        output = tmp_path / f"{len(extra)}.csv"
        assert evaluate(weights, *benchmarks, *extra, "--bootstrap", "0", "--output", str(output)) == 0
        tables.append(pd.read_csv(output))
    assert set(tables[0]["classes_in_score"]) == {19} and set(tables[1]["classes_in_score"]) == {20}
    assert not (tables[0]["auprc"] == tables[1]["auprc"]).any()
    assert capsys.readouterr().out.count("of ESPNetv2: background) takes part in the softmax") == 1


def test_known_classes_and_size_come_from_the_checkpoint(benchmarks, tmp_path):
    network = models.build("enet", num_classes=20)
    path, output = tmp_path / "few.safetensors", tmp_path / "t.csv"
    models.save_checkpoint(network, path, models.Metadata(known_classes=[0, 2, 13], size=[48, 80]))
    options = ["--bootstrap", "0", "--score", "msp", "--output", str(output)]
    for extra, classes in ([], 3), (["--keep-void-channel"], 4):
        assert evaluate(str(path), *benchmarks[:2], *options, *extra) == 0
        frame = pd.read_csv(output)
        assert frame["classes_in_score"].tolist() == [classes]
        assert (frame["height"][0], frame["width"][0]) == (48, 80)
        known = json.loads(output.with_suffix(".json").read_text())["settings"]["known_classes"]
        assert known == [0, 2, 13, 19][:classes]


def test_temperatures_and_seed_reach_the_table(weights, benchmarks, tmp_path):
    frames = []
    for seed in "0", "1":
        output = tmp_path / f"{seed}.csv"
        options = [
            "--score",
            "msp",
            "--temperature",
            "1",
            "0.5",
            "--bootstrap",
            "45",
            "--seed",
            seed,
            "--output",
            str(output),
        ]
        assert evaluate(weights, *benchmarks[:2], *options) == 0
        frames.append(pd.read_csv(output))
    assert frames[0]["temperature"].tolist() == [1.0, 0.5]
    assert frames[0]["auprc"].nunique() == 2 and (frames[0]["auprc"] == frames[1]["auprc"]).all()
    ends = ["auprc_low", "auprc_high", "fpr95_low", "fpr95_high"]
    assert (frames[0][ends] != frames[1][ends]).any(axis=None)


def test_a_part_of_an_official_set_is_called_one(weights, benchmarks, capsys):
    assert evaluate(weights, *benchmarks[:2], "--bootstrap", "0") == 0
    assert "Rows on part of an official set are not comparable" in capsys.readouterr().out


def lines_of(capsys):
    captured = capsys.readouterr()
    return captured.err.strip().splitlines()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--benchmarks", "Moon"], "unknown benchmark 'Moon'; known are RoadAnomaly21"),
        (["--benchmarks", "RoadObstacle21"], "did you mean RoadObsticle21?"),
        (["--benchmarks", "RoadAnomaly"], "no folder"),
        (["--score", "magic"], "unknown score 'magic'; known are msp"),
        (["--size", "0", "64"], "size must be a positive height and width"),
        (["--protocol", "peer", "--size", "32", "64"], "protocol peer fixes the size; leave --size out"),
        (["--output", "table.txt"], "table.txt must end in .csv"),
        (["--output", "/dev/null/table.csv"], "cannot write /dev/null/table.csv"),
        (["--bootstrap", "1"], "bootstrap resamples: 0 or at least 40, got 1"),
        (["--device", "cuda:77"], "device 'cuda:77' cannot be used here"),
        (["--temperature", "-1"], "temperatures must be positive"),
        (["--validation", "camvid"], "no folder"),
    ],
)
def test_wrong_options_give_status_2_and_one_line(options, message, weights, benchmarks, tmp_path, capsys):
    assert evaluate(weights, *benchmarks[:2], *options) == 2
    lines = lines_of(capsys)
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]
    assert not list(tmp_path.glob("*.csv"))


def test_wrong_weights_give_status_2_and_one_line(benchmarks, tmp_path, capsys):
    network = models.build("enet", num_classes=19)
    short = {k: v for k, v in network.state_dict().items() if k != "transposed_conv.weight"}
    torch.save(short, tmp_path / "short.pth")
    torch.save(network.state_dict(), tmp_path / "nineteen.pth")
    (tmp_path / "text.pth").write_text("hello")
    cases = [
        ("absent.pth", [], "no weights at"),
        ("short.pth", [], "1 (transposed_conv.weight) missing"),
        ("text.pth", [], "not a weights file that is safe to load"),
        ("nineteen.pth", ["--score", "void"], "the void score needs 20 outputs, these weights have 19"),
        ("nineteen.pth", ["--keep-void-channel"], "--keep-void-channel needs 20 outputs"),
        ("nineteen.pth", ["--class-order", "unlabelled-first"], "unlabelled-first needs 20"),
    ]
    for name, options, message in cases:
        assert evaluate(str(tmp_path / name), *benchmarks, *options) == 2
        lines = lines_of(capsys)
        assert len(lines) == 1 and message in lines[0], lines


def test_a_truncated_image_gives_one_line_after_the_bar_and_keeps_what_was_done(
    weights, benchmarks, data_root, tmp_path, capsys
):
    path = data_root / "benchmarks" / "fs_static" / "images" / "1.jpg"
    path.write_bytes(path.read_bytes()[:300])
    output = tmp_path / "table.csv"
    assert evaluate(weights, *benchmarks, "--bootstrap", "0", "--output", str(output)) == 2
    assert "1.jpg cannot be read as an image" in lines_of(capsys)[-1]
    assert pd.read_csv(output)["benchmark"].unique().tolist() == ["RoadAnomaly21"]


def test_what_an_interrupted_call_has_finished_is_kept_and_gives_the_same_table(
    weights, benchmarks, tmp_path, capsys, monkeypatch
):
    options = [*benchmarks, "--bootstrap", "40", "--output"]
    whole, twice = tmp_path / "whole.csv", tmp_path / "twice.csv"
    assert evaluate(weights, *options, str(whole)) == 0
    measure, done = evaluation.evaluate, []

    def stopping(network, images, *rest):
        if done:
            raise KeyboardInterrupt
        done.extend(images)
        return measure(network, images, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "evaluate", stopping)
        assert evaluate(weights, *options, str(twice)) == 130
    assert pd.read_csv(twice)["benchmark"].unique().tolist() == ["RoadAnomaly21"]
    capsys.readouterr()
    assert evaluate(weights, *options, str(twice)) == 0
    told = capsys.readouterr().out
    assert "RoadAnomaly21 was measured before this command was interrupted: kept" in told
    assert "fs_static was measured before" not in told
    assert twice.read_bytes() == whole.read_bytes() and not list(tmp_path.glob("*.kept"))


def test_only_the_same_command_takes_up_what_was_kept(weights, benchmarks, data_root, tmp_path, capsys):
    output = tmp_path / "table.csv"
    broken = data_root / "benchmarks" / "fs_static" / "images" / "1.jpg"
    content = broken.read_bytes()
    broken.write_bytes(content[:300])
    options = [*benchmarks, "--bootstrap", "0", "--output", str(output)]
    assert evaluate(weights, *options) == 2
    broken.write_bytes(content)
    assert evaluate(weights, *options, "--score", "msp") == 0
    assert "was measured before" not in capsys.readouterr().out


def test_lab_sets_the_profile_and_passes_on_what_it_does_not_know(monkeypatch):
    calls = []
    monkeypatch.setattr(
        lab.subprocess, "call", lambda command, **options: calls.append((command, options)) or 7
    )
    assert main(["lab", "--profile", "camvid", "--no-browser"]) == 7
    assert main(["lab"]) == 7
    (command, options), (_, plain) = calls
    assert command[1:3] == ["-m", "jupyterlab"] and command[-1] == "--no-browser"
    assert options["env"]["COURSE_PROFILE"] == "camvid"
    assert plain["env"].get("COURSE_PROFILE") == os.environ.get("COURSE_PROFILE")


def test_lab_for_photographs_names_what_is_to_be_fetched_first(monkeypatch, data_root, capsys):
    calls = []
    monkeypatch.setattr(lab.subprocess, "call", lambda command, **options: calls.append(options["env"]) or 0)
    photos = ["lab", "--profile", "photos"]
    assert main(photos) == 2
    told = capsys.readouterr().err
    assert "fetch espnetv2_weights; python3 start.py fetch road_anomaly" in told and told.count("\n") == 1
    write_benchmark(data_root / "benchmarks", "RoadAnomaly")
    models.public_file("enet").parent.mkdir()
    models.public_file("enet").touch()
    assert main([*photos, "--model", "enet"]) == 0 and not capsys.readouterr().err
    assert (calls[0]["COURSE_PROFILE"], calls[0]["COURSE_NETWORK"]) == ("photos", "enet")


def test_the_test_command_gives_its_options_to_pytest(monkeypatch):
    calls = []
    monkeypatch.setattr(
        test_command.subprocess, "call", lambda command, **options: calls.append(command) or 3
    )
    assert main(["test", "-k", "scores"]) == 3
    assert calls[0][1:4] == ["-m", "pytest", "--nbval"] and calls[0][-2:] == ["-k", "scores"]
    assert main(["test", "--quick"]) == 3
    quick = test_command.QUICK
    assert tuple(calls[1][-len(quick) :]) == quick and all((ROOT / path).exists() for path in quick)


@pytest.mark.parametrize("name", [name for commands in COMMANDS.values() for name in commands])
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(f"usage: start.py {name} ") and "xit status" in printed


def test_help_is_quick_and_names_every_command():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "course_tools", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "evaluate" in done.stdout and re.search(r"\| +(torch|numpy)\b", done.stderr) is None


@pytest.mark.parametrize("arguments", [["evalute"], [], ["evaluate", "--model", "segnet"]])
def test_wrong_usage_gives_status_2_and_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    lines = lines_of(capsys)
    assert stopped.value.code == 2 and len(lines) == 1 and lines[0].startswith("error: ")


def test_signs_that_a_terminal_does_not_know_are_ascii():
    done = subprocess.run(
        [sys.executable, "-m", "course_tools", "check-data", "--profile", "mini"],
        env=os.environ | {"PYTHONIOENCODING": "cp1252"}, cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout.isascii() and b"scenes train" in done.stdout and done.stderr == b""


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("cp1252", "✓ ✗ → ·", b"+ x -> \xb7"),  # which has the dot
        ("ascii", "✓ · Straße 车", b"+ - Stra?e ?"),
        ("utf-8", "✓ \udcff.png", "✓ ?.png".encode()),  # of a file whose name is no text
    ],
)
def test_nothing_that_is_printed_fails(encoding, text, shown, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    with speaking_plainly():
        print(text, end="", flush=True)
    assert written.getvalue() == shown


@pytest.mark.skipif(os.name == "nt", reason="pipes are different there")
@pytest.mark.parametrize(
    "arguments", [["check-data"], ["evaluate", "--help"], ["--help"], ["check-data", "--x"]]
)
def test_a_reader_that_has_seen_enough_is_no_error(arguments):
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "course_tools", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=writes, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writes)
    if arguments[-1] == "--x":
        assert done.returncode == 2 and done.stderr.startswith("error: ")
    else:
        assert done.returncode in (0, 141) and done.stderr == ""  # argparse itself says nothing of its help
