"""Several networks on the same images: paired draws, seeds, and what must not be compared."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_data import write_benchmark, write_camvid
from small_runs import run, scored

from course_lib import data, evaluation, models
from course_lib.metrics import average_precision, fpr_at_tpr
from course_tools.__main__ import main


def plain_differences(one, other):
    """Return the differences of AuPRC and FPR95 in points, for the same draws of images."""
    draws = np.random.default_rng(1).integers(6, size=(100, 6))
    for draw in draws:
        numbers = []
        for images in (one, other):
            scores, is_anomaly = (torch.cat(part) for part in zip(*(images[i] for i in draw), strict=True))
            numbers.append((average_precision(scores, is_anomaly), fpr_at_tpr(scores, is_anomaly)))
        yield [100 * (a - b) for a, b in zip(*numbers, strict=True)]


def test_intervals_of_differences_are_those_of_the_same_draws():
    summary = evaluation.compare([run("ce", 0, 1.0), run("ln", 1, 1.3)], "ce").set_index("training")
    pairs = np.array(list(plain_differences(list(scored(1.3, 1)), list(scored(1.0, 0)))))
    row = summary.loc["ln"]
    for name, column in (("auprc", pairs[:, 0]), ("fpr95", pairs[:, 1])):
        found = row[f"{name}_difference_low"], row[f"{name}_difference_high"]
        assert found == pytest.approx(np.quantile(column, [0.025, 0.975]), abs=1e-6)
        assert row[f"{name}_difference"] == pytest.approx(row[name] - summary.loc["ce", name])
    assert row["auprc_beyond_images"] and pd.isna(row["auprc_beyond_seeds"])


def test_a_network_does_not_differ_from_itself():
    row = evaluation.compare([run()], "ce").iloc[0]
    assert (row["auprc_difference"], row["auprc_difference_low"], row["auprc_difference_high"]) == (0, 0, 0)
    assert not row["auprc_beyond_images"]


def test_pairs_are_narrower_than_intervals_of_each_network():
    row = evaluation.compare([run("ce", 0, 1.0), run("ln", 0, 1.05)], "ce").iloc[1]  # the same noise
    width = row["auprc_difference_high"] - row["auprc_difference_low"]
    assert width < 0.5 * (row["auprc_high"] - row["auprc_low"])


def test_seeds_are_averaged_and_their_range_is_kept():
    runs = [run("ce", seed) for seed in range(3)] + [run("ln", seed, 2.5) for seed in range(3, 5)]
    summary = evaluation.compare(runs, "ce").set_index("training")
    singles = [one.frame["auprc"].item() for one in runs[:3]]
    ce, ln = summary.loc["ce"], summary.loc["ln"]
    assert ce["auprc"] == pytest.approx(np.mean(singles))
    assert (ce["auprc_lowest_seed"], ce["auprc_highest_seed"]) == (min(singles), max(singles))
    assert (ce["seeds"], ln["seeds"]) == (3, 2) and pd.isna(ce["seed"])
    assert (ce["miou"], ln["miou_highest_seed"]) == (pytest.approx(61), pytest.approx(64))
    assert ln["auprc_beyond_images"] and ln["auprc_beyond_seeds"]
    assert ce["auprc_low"] < ce["auprc"] < ce["auprc_high"] < ln["auprc_low"]


def test_seeds_that_overlap_are_said_to():
    runs = [run("ce", 0, 1.0), run("ce", 1, 1.4), run("ln", 2, 1.2), run("ln", 3, 1.6)]
    assert not evaluation.compare(runs, "ce").iloc[1]["auprc_beyond_seeds"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (run(), "ce_0.safetensors: training ce, seed 0 stands twice"),
        (run("ln", epochs=80), "ln_0.safetensors of training ln has epochs 80, others have 20"),
        (run("ln", profile="mini"), "has profile mini, others have"),
        (run("ln", images=5), "was measured on other images or scores than the first network"),
    ],
)
def test_what_would_mean_nothing_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        evaluation.compare([run(), other], "ce")


def test_an_absent_baseline_is_named():
    with pytest.raises(ValueError, match="no run of training ce to compare with; there are ln, eiml"):
        evaluation.compare([run("ln"), run("eiml")], "ce")


def test_without_resamples_there_is_nothing_to_compare(data_root):
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    network, settings = models.build("enet"), evaluation.Settings(size=(16, 24), resamples=0)
    images = [data.BenchmarkImages("RoadAnomaly21")]
    rows = evaluation.evaluate(network, images, settings, progress=False)
    with pytest.raises(ValueError, match="RoadAnomaly21: a comparison needs resamples of two images or more"):
        evaluation.network_result(rows, models.Metadata(), "x")


@pytest.fixture
def files(tmp_path, data_root):
    write_benchmark(data_root / "benchmarks", "RoadAnomaly21")
    write_camvid(data_root / "CamVid")
    paths = []
    for seed, training in enumerate(("ce", "ce", "eiml")):
        torch.manual_seed(seed)
        head = "isomax" if training == "eiml" else "linear"
        metadata = models.Metadata(model="enet", training=training, seed=seed, size=[16, 24], epochs=1)
        paths.append(tmp_path / f"{training}_{seed}.safetensors")
        models.save_checkpoint(models.build("enet", head=head), paths[-1], metadata)
    return [str(path) for path in paths]


def test_the_command_prints_differences_and_writes_both_tables(files, tmp_path, capsys):
    output = tmp_path / "out" / "table.csv"
    options = ["--model", "enet", "--benchmarks", "RoadAnomaly21", "--score", "msp", "max_logit"]
    more = ["--bootstrap", "40", "--device", "cpu", "--output", str(output)]
    assert main(["compare", str(tmp_path / "*.safetensors"), *options, *more]) == 0
    printed = capsys.readouterr().out
    assert (
        "3 of 3: eiml, seed 2" in printed and "AuPRC differs by" in printed and printed.count(" [") == 2 * 2
    )
    runs, summary = pd.read_csv(output), pd.read_csv(output.with_suffix(".summary.csv"))
    assert len(runs) == 6 and summary["training"].tolist() == ["ce", "ce", "eiml", "eiml"]
    assert summary["seeds"].tolist() == [2, 2, 1, 1] and list(runs.columns) == list(evaluation.COLUMNS)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--output", "table.txt"], "table.txt must end in .csv"),
        (["--baseline", "ln", "--benchmarks", "RoadAnomaly21"], "no run of training ln to compare with"),
        (["--baseline", "ln"], "no run of training ln to compare with; there are ce, eiml"),
        (["--benchmarks", "RoadAnomaly22"], "unknown benchmark"),
    ],
)
def test_wrong_usage_of_the_command_is_one_line_and_status_2(files, extra, message, capsys):
    options = ["--model", "enet", "--score", "msp", "--bootstrap", "40", "--device", "cpu"]
    assert main(["compare", *files, *options, *extra]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(lines) == 1 and message in lines[0]
