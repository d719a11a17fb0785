"""The ladder: every step of every network that is trained here, in pairs with one baseline."""

import re

import pandas as pd
import pytest
from small_sweeps import CPU, write_data

from course_lib import data, detectors, evaluation, models, training
from course_tools import __main__, ladder, sweeps

SMALL = """
[all]
profile = "camvid"
size = [64, 96]
batch = 4
epochs = 1
learning_rate = 1e-3
[[grid]]
model = ["erfnet"]
seed = [0, 1]
[[grid]]
model = ["efficientnet_lite0"]
seed = [0, 1, 2]
"""
MISSING = "model=efficientnet_lite0_seed=2"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Four of five small runs, and the folder they are in."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = write_data(tmp_path_factory.mktemp("ladder"), monkeypatch)
        (folder / "small.toml").write_text(SMALL)
        monkeypatch.setattr(ladder.steps, "FOLDER", folder)
        monkeypatch.setattr(ladder.steps, "SWEEPS", {"camvid": ("small",)})
        sweep = sweeps.read_sweep(folder / "small.toml", CPU)
        for run in sweep.runs:
            if run.name != MISSING:
                training.train(run.settings, sweep.folder / run.name)
        yield folder


@pytest.fixture(scope="module")
def found(trained):
    results, missing = ladder.measure_all(data.find_profile("camvid"), CPU, resamples=50)
    assert missing == [f"small: {MISSING}"]
    return results


def test_every_step_stands_beside_the_baseline(found):
    frame = ladder.ladder(found)
    steps = {name: set(rows["step"]) for name, rows in frame.groupby("network")}
    assert steps["ERFNet"] == {
        "MSP",
        "MaxLogit",
        "MaxEntropy",
        "Energy",
        "smoothed entropy",
        "neighbours at 1/8",
        "neighbours at 1/8 + entropy",
    }
    assert "neighbours at 1/16, 1/32 + entropy" in steps["Lite0, random"]
    assert not any("1/8" in step for step in steps["Lite0, random"])
    assert steps["ERFNet, CE, shipped"] == {"MSP", "MaxLogit", "MaxEntropy", "Energy"}
    own = frame[(frame["network"] == "ERFNet") & (frame["step"] == "MSP")].iloc[0]
    assert own["auprc_difference"] == 0 and own["seeds"] == 2
    other = frame[(frame["network"] == "Lite0, random") & (frame["step"] == "smoothed entropy")].iloc[0]
    assert other["auprc_difference"] == pytest.approx(other["auprc"] - own["auprc"])
    seeds = ladder.of_each_seed(found)
    mine = seeds[(seeds["network"] == "Lite0, random") & (seeds["step"] == "smoothed entropy")]
    assert mine["seed"].tolist() == [0, 1] and mine["auprc"].mean() == pytest.approx(other["auprc"])


def test_a_step_is_the_detector_of_that_recipe(trained, found):
    seeds = ladder.of_each_seed(found)
    mine = seeds[
        (seeds["network"] == "ERFNet") & (seeds["step"] == "neighbours at 1/8") & (seeds["seed"] == 1)
    ]
    folder = models.results_folder("camvid") / "sweeps" / "small" / "model=erfnet_seed=1"
    network, metadata = models.load("erfnet", folder / "erfnet_ce.safetensors")
    scenes = data.SEGMENTATION_SETS["camvid"]
    detector = detectors.fit("neighbours", network, metadata, scenes("train"), scenes("val"), progress=False)
    settings = evaluation.Settings.of(metadata, resamples=0)
    (row,) = evaluation.evaluate(detector, data.open_benchmarks(["fs_static"]), settings, progress=False)
    assert mine["auprc"].tolist() == pytest.approx([row["auprc"]])


def test_hindsight_takes_the_best_of_the_others_for_each_metric(found):
    final = ("Lite0, random", "neighbours at 1/16 + entropy")
    duels = ladder.with_hindsight(found, final)
    frame = ladder.ladder(found)
    others = frame[frame["network"].isin(["ERFNet", "ERFNet, CE, shipped"])]
    best = others.loc[others["fpr95"].idxmin()]
    duel = duels[duels["metric"] == "fpr95"].iloc[0]
    assert duel["opponent"] == f"{best['network']}, {best['step']}"
    assert duel["difference"] == pytest.approx(best["fpr95"] - duel["final"])  # positive: ours is better
    assert (
        duel["difference_low"] <= duel["difference"] + 20
        and duel["difference_low"] <= duel["difference_high"]
    )


def test_the_command_writes_tables_and_measures_nothing_twice(trained, found, monkeypatch, capsys):
    def never(*_, **__):
        raise AssertionError("measured again")

    monkeypatch.setattr(ladder.steps, "_rows", never)
    arguments = ["ladder", "--profile", "camvid", "--bootstrap", "50", "--device", "cpu"]
    published = trained / "published"
    arguments += ["--publish", str(published)]
    assert __main__.main([*arguments, "--final", "Lite0, random", "smoothed entropy"]) == 1
    shown = capsys.readouterr().out
    assert f"not trained here: small: {MISSING}" in shown and "smoothed entropy" in shown
    folder = models.results_folder("camvid") / "what_works"
    assert len(pd.read_csv(folder / "hindsight.csv")) == 2
    assert set(pd.read_csv(folder / "summary.csv")["network"]) == set(ladder.ladder(found)["network"])
    page = (published / "README.md").read_text(encoding="utf-8")
    assert "| Lite0, random, smoothed entropy |" in page and (published / "camvid_ladder.png").is_file()
    assert "| fs_static | AuPRC" in page and "](camvid_hindsight.csv)" in page
    assert re.search(r"^Made on \d{4}-\d\d-\d\d with torch .+ on .+ cores\)\.$", page, re.MULTILINE)


@pytest.mark.parametrize(
    "final, message",
    [(["Lite0", "MSP"], "network of --final 'Lite0'"), (["ERFNet", "magic"], "step of ERFNet 'magic'")],
)
def test_a_final_that_is_not_there_is_named_before_anything_is_measured(
    trained, monkeypatch, capsys, final, message
):
    monkeypatch.setattr(ladder.steps, "measure_all", None)
    arguments = ["ladder", "--profile", "camvid", "--device", "cpu", "--final", *final]
    assert __main__.main(arguments) == 2
    assert message in capsys.readouterr().err
