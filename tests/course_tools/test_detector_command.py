"""The command that fits a detector; its file where a checkpoint would stand; one line for what goes wrong."""

import numpy as np
import pandas as pd
import pytest
from small_data import write_image
from small_networks import write_network

from course_lib import detectors, models
from course_tools.__main__ import main

CPU = ["--device", "cpu"]


@pytest.fixture
def weights(data_root):
    """A network of CamVid; eight small streets and a benchmark stand ready."""
    return write_network(data_root)


@pytest.fixture
def detector(weights, capsys):
    """The file of a detector of it."""
    path = weights.with_name("detector.safetensors")
    assert main(["detector", "--model", "enet", "--weights", str(weights), "--output", str(path), *CPU]) == 0
    return path


def test_the_file_holds_what_was_fitted_to_the_profiles_images(weights, capsys):
    path = weights.with_name("deep") / "found.safetensors"
    options = ["--model", "enet", "--weights", str(weights), "--output", str(path), "--entries", "35", *CPU]
    assert main(["detector", *options, "--recipe", "neighbours_and_entropy", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "bank at 1/8: 35 features of 128 channels" in printed and f"MB: {path}" in printed
    assert "max_entropy" in printed and "standard deviation" in printed
    loaded = detectors.load_detector(path)
    assert loaded.recipe == detectors.RECIPES["neighbours_and_entropy"]
    assert loaded.metadata.training == "ce+neighbours_and_entropy" and loaded.metadata.size == [32, 48]
    assert loaded.metadata.command.startswith("python3 start.py detector --model enet")


def test_by_default_the_file_is_named_by_weights_and_recipe(weights, monkeypatch, capsys):
    monkeypatch.setattr(models, "results_folder", lambda profile: weights.parent / "results" / profile)
    options = ["--recipe", "smoothed_entropy", "--model", "enet", "--weights", str(weights), *CPU]
    assert main(["detector", *options]) == 0
    path = weights.parent / "results" / "camvid" / "detectors" / "enet_ce_smoothed_entropy.safetensors"
    assert detectors.is_detector(path)


def test_evaluate_measures_a_detector_and_the_mean_iou_of_its_network(detector, tmp_path, capsys):
    output, figure = tmp_path / "t.csv", tmp_path / "f.png"
    options = ["--benchmarks", "RoadAnomaly21", "--bootstrap", "0", "--validation", "camvid", "--controls"]
    written = ["--output", str(output), "--figure", str(figure)]
    assert main(["evaluate", "--weights", str(detector), *options, *written, *CPU]) == 0
    frame = pd.read_csv(output)
    name = "neighbours_and_entropy"
    assert frame["score"].tolist() == [name, f"position:{name}", "colour", "constant"]
    assert set(frame["model"]) == {"enet"} and set(frame["training"]) == {f"ce+{name}"}
    assert frame["miou"].notna().all() and set(frame["height"]) == {32}
    assert figure.read_bytes().startswith(b"\x89PNG") and "Mean IoU on camvid" in capsys.readouterr().out


def test_score_shows_the_map_of_a_detector(detector, tmp_path, capsys):
    write_image(tmp_path / "photographs" / "a.png", np.full((40, 60, 3), 90, dtype=np.uint8))
    options = ["--weights", str(detector), "--speed", "fast", "--into", str(tmp_path / "scored"), *CPU]
    assert main(["score", str(tmp_path / "photographs"), *options]) == 0
    assert [path.name for path in (tmp_path / "scored").iterdir()] == ["a_scores.png"]


def test_compare_sets_a_detector_beside_the_networks_scores(weights, detector, tmp_path, capsys):
    output = tmp_path / "both.csv"
    options = ["--benchmarks", "RoadAnomaly21", "--bootstrap", "40", "--output", str(output)]
    files = [str(weights), str(detector)]
    assert main(["compare", *files, "--model", "enet", "--score", "msp", "max_logit", *options, *CPU]) == 0
    assert "beside" in capsys.readouterr().out
    summary = pd.read_csv(output.with_suffix(".summary.csv"))
    name = "neighbours_and_entropy"
    assert summary["score"].tolist() == ["msp", "max_logit", name, name]
    assert summary["score_of_baseline"].tolist() == ["msp", "max_logit"] * 2


def one_line(capsys):
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--recipe", "neighbours_16_and_entropy"],
            "ENet has no map of its encoder at 1/16; it has 1/4, 1/8",
        ),
        (["--entries", "2"], "neighbours_and_entropy counts 5 neighbours; a bank of 2 is too small"),
        (["--output", "detector.csv"], "detector.csv must end in .safetensors"),
        (["--scenes", "cityscapes"], "cityscapes/leftImg8bit/train"),
        (["--model", "erfnet"], "holds weights of enet, not erfnet"),
    ],
)
def test_what_cannot_be_fitted_is_one_line_and_status_2(weights, options, message, capsys):
    given = [
        "--model",
        "enet",
        "--weights",
        str(weights),
        *CPU,
        "--output",
        str(weights.parent / "d.safetensors"),
    ]
    capsys.readouterr()
    assert main(["detector", *given, *options]) == 2
    assert message in one_line(capsys)
    assert not (weights.parent / "d.safetensors").exists()


def test_the_networks_own_file_is_never_replaced(weights, capsys):
    before = weights.read_bytes()
    options = ["--model", "enet", "--weights", str(weights), "--output", str(weights), *CPU]
    assert main(["detector", *options]) == 2
    assert "holds the network's weights; choose another --output" in one_line(capsys)
    assert weights.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("evaluate", ["--score", "msp"], "holds a detector with its own score; leave --score out"),
        ("evaluate", ["--temperature", "2"], "leave --temperature out"),
        ("evaluate", ["--keep-void-channel"], "leave --keep-void-channel out"),
        ("evaluate", ["--model", "erfnet"], "holds a detector of enet, not erfnet; say --model enet"),
        ("evaluate", ["--speed", "compiled"], "a detector runs neither compiled nor as a CUDA graph"),
        ("calibrate", ["--model", "enet"], "holds a detector, this needs a network's checkpoint"),
        ("detector", ["--model", "enet"], "holds a detector, this needs a network's checkpoint"),
    ],
)
def test_what_a_detector_is_not_for_is_one_line_and_status_2(detector, command, options, message, capsys):
    benchmarks = ["--benchmarks", "RoadAnomaly21"] if command == "evaluate" else []
    capsys.readouterr()
    assert main([command, "--weights", str(detector), *benchmarks, *options, *CPU]) == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
