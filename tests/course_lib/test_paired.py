"""One network at several temperatures: differences, the oracle, Table 2 and its figures."""

import numpy as np
import pytest
import torch
from small_data import write_benchmark

from course_lib import calibration, data, evaluation, models
from course_lib.lesson import figures, tables

TEMPERATURES = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    names = ("RoadAnomaly21", "fs_static")
    for name in names:
        write_benchmark(root, name)
    images = [data.BenchmarkImages(name, root) for name in names]
    torch.manual_seed(0)
    network = models.build("erfnet")
    settings = evaluation.Settings(("msp", "max_logit"), TEMPERATURES, size=(16, 24), resamples=60)
    rows = evaluation.evaluate(network, images, settings, progress=False)
    return evaluation.network_result(rows, models.Metadata(model="erfnet"), "w")


@pytest.fixture(scope="module")
def table(run):
    return evaluation.against_temperature(run)


def test_differences_are_to_the_same_benchmark_at_t_1_in_the_same_draws(run, table):
    for row in table.to_dict("records"):
        mine, theirs = (
            run.drawn[row["benchmark"], "msp", t].auprc.numpy() for t in (row["temperature"], 1.0)
        )
        found = row["auprc_difference_low"], row["auprc_difference_high"]
        assert found == pytest.approx(np.quantile(100 * (mine - theirs), [0.025, 0.975]))
        assert (row["auprc_difference"] == 0) == (row["temperature"] == 1)


def test_a_score_without_temperature_is_left_out(table):
    assert set(table["score"]) == {"msp"} and len(table) == 2 * len(TEMPERATURES)


def test_a_baseline_that_was_not_measured_is_refused(run):
    with pytest.raises(ValueError, match=r"T = 1.1 was not measured, only 0.5, 1, 2"):
        evaluation.against_temperature(run, 1.1)


def test_the_oracle_takes_the_highest_auprc_of_each_benchmark(table):
    best = calibration.oracle(table)
    assert len(best) == 2
    for row in best.itertuples():
        assert row.auprc == table.loc[table["benchmark"] == row.benchmark, "auprc"].max()


def test_the_oracle_needs_one_network_and_a_choice(table):
    with pytest.raises(ValueError, match="msp on RoadAnomaly21 has a single temperature"):
        calibration.oracle(table[table["temperature"] == 1])
    for column in ("weights", "seed", "protocol"):
        with pytest.raises(ValueError, match=rf"one network under one protocol, got .*'{column}': 'b'"):
            calibration.oracle(table.astype({column: object}).assign(**{column: ["a", "b"] * 3}))


def test_table_2_names_the_fitted_row_and_the_oracle(table):
    printed = tables.temperature_table(table, fitted=2.0)
    assert list(printed.rows) == [
        "chance",
        "MSP (t = 0.5)",
        "MSP (t = 1)",
        "MSP (t = 2, fitted)",
        "MSP, best t (oracle)",
    ]
    assert "chosen on the very images that it is measured on" in printed.caption
    oracle = printed.rows["MSP, best t (oracle)"]
    assert all(cell.mark == "" for cell in oracle)
    assert oracle[0].value == table.loc[table["benchmark"] == "RoadAnomaly21", "auprc"].max()


def test_marks_follow_the_sign_and_fpr95_is_better_when_lower(table):
    gains = {"auprc_difference": 2.0, "auprc_beyond_images": True}
    losses = {"fpr95_difference": 3.0, "fpr95_beyond_images": True}
    hot = tables.temperature_table(table.assign(**gains, **losses)).rows["MSP (t = 2)"]
    assert [cell.mark.strip("~!=") for cell in hot] == ["▲", "▼"] * 2
    falls = tables.temperature_table(table.assign(**gains | {"auprc_difference": -2.0}, **losses))
    assert {cell.mark.strip("~!=") for cell in falls.rows["MSP (t = 2)"]} == {"▼"}
    within = {"auprc_beyond_images": False, "fpr95_beyond_images": False}
    none = tables.temperature_table(table.assign(**within)).rows["MSP (t = 2)"]
    assert {cell.mark.strip("~!=") for cell in none} == {""}


def test_without_differences_the_caption_explains_no_marks(table):
    plain = table.drop(columns=[name for name in table if "difference" in name or "beyond" in name])
    assert "▲" in tables.temperature_table(table).caption
    assert "▲" not in tables.temperature_table(plain).caption


def test_a_fitted_temperature_of_exactly_1_is_named(table):
    assert "MSP (t = 1, fitted)" in tables.temperature_table(table, fitted=1.0).rows


def test_what_is_no_table_of_one_score_is_refused(table):
    with pytest.raises(ValueError, match="need one score, got msp, energy"):
        tables.temperature_table(table.assign(score=["msp", "energy"] * 3))
    with pytest.raises(ValueError, match=r"the fitted T = 3 is not in the table"):
        tables.temperature_table(table, fitted=3.0)


def test_figures_say_in_words_what_they_show(table):
    assert "RoadAnomaly21" in figures.temperature_curves(table, 2.0).alt


def test_scores_are_compared_with_one_of_the_same_network_in_the_same_draws(run):
    found = evaluation.against_score(run)
    assert len(found) == len(run.frame) and set(found["baseline_score"]) == {"msp"}
    row = found[(found["score"] == "max_logit") & (found["benchmark"] == "fs_static")].iloc[0]
    mine, theirs = (run.drawn["fs_static", *key].fpr95.numpy() for key in (("max_logit", 1.0), ("msp", 1.0)))
    limits = row["fpr95_difference_low"], row["fpr95_difference_high"]
    assert limits == pytest.approx(np.quantile(100 * (mine - theirs), [0.025, 0.975]))
    itself = found[(found["score"] == "msp") & (found["temperature"] == 1)]
    assert (itself[["auprc_difference", "fpr95_difference"]] == 0).all(axis=None)
    assert not itself["auprc_beyond_images"].any()


def test_a_table_of_scores_explains_its_marks(run):
    frame = evaluation.against_score(run)
    frame = frame[frame["temperature"] == 1].assign(auprc_beyond_images=True, auprc_difference=-1.0)
    printed = tables.paper_table(frame)
    assert "▼ worse than MSP of the same network" in printed.caption
    assert all("▼" in cell.mark for cell in printed.rows["MaxLogit"][::2])


def test_a_score_that_was_not_measured_is_no_baseline(run):
    with pytest.raises(ValueError, match="score void was not measured, only msp, max_logit"):
        evaluation.against_score(run, "void")


@pytest.mark.parametrize(
    ("interval", "mine", "baseline", "said"),
    [
        ((1, 5), [31, 30], [27, 28], "better"),
        ((-5, -1), [27, 28], [30, 31], "worse"),
        ((0, 5), [31, 30], [27, 28], "cannot tell"),
        ((1, 5), [31, 28], [27, 28], "cannot tell"),
        ((1, 5), [27, 28], [30, 31], "cannot tell"),
    ],
)
def test_a_verdict_needs_images_and_seeds(interval, mine, baseline, said):
    assert evaluation.verdict(*interval, mine, baseline) == said


@pytest.mark.parametrize(
    ("metric", "difference", "images", "seeds", "said"),
    [
        ("auprc", 2.0, True, True, "better"),
        ("fpr95", 2.0, True, True, "worse"),
        ("fpr95", -2.0, True, None, "better"),
        ("auprc", 2.0, True, False, "cannot tell"),
        ("auprc", 2.0, False, True, "cannot tell"),
        ("auprc", 2.0, None, None, "cannot tell"),
    ],
)
def test_the_verdict_on_a_row_knows_which_metric_is_better_when_lower(
    metric, difference, images, seeds, said
):
    names = (f"{metric}_difference", f"{metric}_beyond_images", f"{metric}_beyond_seeds")
    row = dict(zip(names, (difference, images, seeds), strict=True))
    assert evaluation.verdict_of(row, metric) == said
