"""The command that exports: files, alarms, what is printed, and one line for what goes wrong."""

import json

import numpy as np
import pandas as pd
import pytest
from small_data import write_image
from small_networks import Small, write_network

from course_lib import deployment, models
from course_tools.__main__ import main
from course_tools.commands import export as export_command


@pytest.fixture
def weights(data_root, monkeypatch):
    """A small network of CamVid; small streets and a benchmark stand ready."""
    monkeypatch.setitem(models.NETWORKS, "small", Small)
    return write_network(data_root, "small")


@pytest.fixture
def enet(data_root):
    """The same with a network of the course."""
    return write_network(data_root)


def export(weights, *options):
    into, model = weights.parent / "export", weights.name.partition("_")[0]
    return main(["export", "--model", model, "--weights", str(weights), "--into", str(into), *options])


def test_a_file_for_each_precision_with_an_alarm_and_its_facts_and_evaluate_takes_it(enet, capsys):
    options = ("--scores", "max_logit", "--smooth", "1", "--false-positive-rate", "0.1")
    assert export(enet, *options, "--precision", "fp32", "int8") == 0
    printed = capsys.readouterr().out
    assert "of the pixels of 2 images of camvid val" in printed and "alarm where max_logit > " in printed
    files = {path.name for path in (enet.parent / "export").iterdir()}
    assert files == {"enet_ce_fp32.onnx", "enet_ce_int8.onnx"}
    path = enet.parent / "export" / "enet_ce_fp32.onnx"
    about = deployment.DeployedFile(path).about
    assert about["weights"] == enet.name and len(about["sha256"]) == 64 and about["licence"] == "MIT"
    assert about["metadata"]["known_classes"] == [0, 2, 13]
    assert about["threshold_from"]["false_positive_rate"] == 0.1
    assert 0 < about["threshold_from"]["reached"]["max_logit"] <= 0.1
    table = enet.parent / "t.csv"
    common = ["--benchmarks", "RoadAnomaly21", "--bootstrap", "0", "--output", str(table), "--device", "cpu"]
    assert main(["evaluate", "--weights", str(path), *common]) == 0
    measured = pd.read_csv(table)
    assert list(measured["score"]) == ["max_logit"] and list(measured["height"]) == [32]
    assert measured["auprc"].notna().all() and json.loads(table.with_suffix(".json").read_text())
    assert main(["evaluate", "--weights", str(path), "--size", "16", "16"]) == 2
    assert main(["evaluate", "--weights", str(path), "--protocol", "paper"]) == 2
    assert main(["export", "--weights", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.count("brings images to its own size") == 2 and "is exported already" in told
    assert main(["score", str(next((enet.parent / "CamVid").rglob("*.png"))), "--weights", str(path),
                 "--into", str(enet.parent / "maps"), "--device", "cpu"]) == 0  # fmt: skip
    assert "seen by the network at 32 x 48" in capsys.readouterr().out


def test_own_photographs_choose_the_threshold(weights, capsys):
    for name in ("a", "b"):
        pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        write_image(weights.parent / "own" / f"{name}.png", pixels)
    folder = ("--validation", str(weights.parent / "own"))
    assert export(weights, "--scores", "msp", "--false-positive-rate", "0.2", *folder) == 0
    assert "of the pixels of 2 images of own" in capsys.readouterr().out


def test_without_a_rate_or_images_there_is_no_alarm_and_it_says_so(weights, capsys, monkeypatch, tmp_path):
    assert export(weights, "--scores", "msp") == 0
    assert "no alarm: no --false-positive-rate was given" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    assert export(weights, "--scores", "msp", "--false-positive-rate", "0.1") == 0
    assert "no alarm: no validation images are here" in capsys.readouterr().out
    file = deployment.DeployedFile(weights.parent / "export" / "small_ce_fp32.onnx")
    assert file.outputs == ["msp", "classes"]


def test_a_damaged_picture_replaces_no_file(weights, capsys):
    good = weights.parent / "export" / "small_ce_fp32.onnx"
    good.parent.mkdir()
    good.write_bytes(b"of yesterday")
    (weights.parent / "own").mkdir()
    (weights.parent / "own" / "a.png").write_bytes(b"no picture")
    rate = ("--false-positive-rate", "0.1", "--validation", str(weights.parent / "own"))
    assert export(weights, "--scores", "msp", *rate) == 2
    assert "a.png" in capsys.readouterr().err and good.read_bytes() == b"of yesterday"


@pytest.mark.parametrize(
    "about, licence",
    [
        ({"training": "ce"}, "MIT"),
        ({"training": "public+neighbours", "model": "erfnet"}, "CC-BY-NC-4.0"),
        ({"encoder": {"file": "e", "licence": "Apache-2.0"}}, "MIT; it began with e: Apache-2.0"),
        ({"encoder": {"file": "e"}}, "MIT; it began with e: the terms of that file"),
    ],
)
def test_a_file_names_the_terms_of_its_weights(about, licence):
    assert export_command._licence(models.Metadata(**{"training": "ce"} | about)) == licence


def test_a_size_of_the_training_that_the_network_does_not_take_is_rounded_up(capsys):
    assert export_command._size((176, 240), 32, asked=False) == (192, 256)
    assert "176 x 240 becomes 192 x 256" in capsys.readouterr().out
    with pytest.raises(ValueError, match="192 x 256 would do"):
        export_command._size((176, 240), 32, asked=True)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--false-positive-rate", "5"], "between 0 and 1"),
        (["--validation", "x"], "say at which --false-positive-rate"),
        (["--false-positive-rate", "0.1", "--validation", "absent"], "no folder absent"),
        (["--size", "30", "48"], "multiples of 8, got 30 x 48"),
        (["--size", "0", "48"], "8 x 48 would do"),
        (["--temperature", "0"], "temperature must be a positive number"),
        (["--smooth", "nan"], "sigma of the smoothing must be a positive number"),
        (["--scores", "doubt"], "doubt"),
    ],
)
def test_wrong_options_are_one_line(weights, capsys, options, message):
    assert export(weights, *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.strip().count("\n") == 0
