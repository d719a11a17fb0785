"""The command that fits a temperature: what it writes and prints, and one clear line for what goes wrong."""

import hashlib
import json

import pandas as pd
import pytest
import torch
from small_data import write_benchmark, write_street

from course_lib import calibration, data, evaluation, models
from course_tools.__main__ import main


@pytest.fixture
def weights(tmp_path, data_root):
    write_street(data_root / "CamVid")
    torch.manual_seed(0)
    path = tmp_path / "erfnet_ce.safetensors"
    metadata = models.Metadata(
        model="erfnet", training="ce", profile="camvid", size=[16, 24], known_classes=[0, 2, 13]
    )
    models.save_checkpoint(models.build("erfnet"), path, metadata)
    return path


def test_the_file_beside_the_checkpoint_says_what_was_fitted_on_what(weights, capsys):
    assert main(["calibrate", "--weights", str(weights), "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    about = json.loads(weights.with_suffix(".temperature.json").read_text())
    assert about["validation"] == "camvid" and about["images"] == 2
    assert about["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    fitted, before, after = about["fitted"], about["before"], about["after"]
    assert fitted["nll_after"] <= fitted["nll_before"] and after["nll"] <= before["nll"] + 1e-6
    assert before["accuracy"] == after["accuracy"]  # no temperature changes which class is largest
    assert f"T = {fitted['temperature']:.3f}" in printed and "Brier score" in printed


def test_numbers_are_those_of_all_valid_pixels_of_known_classes(weights):
    network, metadata = models.load("erfnet", weights)
    settings = evaluation.Settings(size=tuple(metadata.size), known_classes=tuple(metadata.known_classes))
    samples = data.CamVid("val")
    found = calibration.measure_calibration(network, samples, settings, (1.0, 3.0), progress=False)
    logits, targets = zip(
        *(
            calibration.known_pixels(one)
            for one in evaluation.segmented(network, samples, settings, progress=False)
        ),
        strict=True,
    )
    valid = torch.cat(targets) != 255
    logits, target = torch.cat(logits)[valid], torch.cat(targets)[valid]
    for temperature, calibrated in found.items():
        nll = torch.nn.functional.cross_entropy(logits / temperature, target).item()
        assert calibrated.nll == pytest.approx(nll, rel=1e-5) and calibrated.pixels == len(target)
    with pytest.raises(ValueError, match=r"temperatures must be positive numbers, got \[0\]"):
        calibration.measure_calibration(network, samples, settings, (0,), progress=False)


def test_evaluate_takes_the_fitted_temperature(weights, data_root, tmp_path):
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    assert main(["calibrate", "--weights", str(weights), "--device", "cpu"]) == 0
    table = tmp_path / "table.csv"
    options = ["--benchmarks", "RoadAnomaly21", "--score", "msp", "--bootstrap", "0", "--output", str(table)]
    chosen = ["--temperature", "1", "fitted", "--device", "cpu"]
    assert main(["evaluate", "--weights", str(weights), *options, *chosen]) == 0
    fitted = calibration.read_temperature(weights)
    assert pd.read_csv(table)["temperature"].tolist() == pytest.approx([1, fitted])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no fitted temperature at"),
        ("{", "holds no fitted temperature; run python3 start.py calibrate"),
        ('{"fitted": {"temperature": 2}}', "holds no fitted temperature"),
        ('{"fitted": {"temperature": 2}, "weights_sha256": "0"}', "was fitted for other weights than"),
    ],
)
def test_evaluate_says_why_there_is_no_fitted_temperature(weights, data_root, content, message, capsys):
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    if content:
        calibration.temperature_file(weights).write_text(content)
    options = ["--benchmarks", "RoadAnomaly21", "--temperature", "fitted", "--device", "cpu"]
    assert main(["evaluate", "--weights", str(weights), *options]) == 2
    assert message in capsys.readouterr().err


def test_a_temperature_that_is_no_number_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--temperature", "warm"])
    assert "need a number or fitted, got 'warm'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pixels", "0"], "need one pixel or more to fit on, got 0"),
        (["--weights", "absent.safetensors"], "no weights at absent.safetensors"),
        (["--validation", "cityscapes"], "ityscapes"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(weights, options, message, capsys):
    assert main(["calibrate", "--weights", str(weights), "--device", "cpu", *options]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]
    assert not weights.with_suffix(".temperature.json").exists()
