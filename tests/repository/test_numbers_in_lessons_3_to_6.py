"""Numbers in the texts of lessons 3, 4 and 6 are those of the tables and networks of the course."""

from collections import Counter

import pytest
from lesson_texts import needs_solutions, text_of
from torch import nn

from course_lib import data, evaluation, labels, metrics, models
from course_lib.lesson import tables, widgets

CROWD, ROADS = "mini_RoadAnomaly21", ("mini_RoadObsticle21", "mini_FS_LostFound_full")

pytestmark = needs_solutions


@pytest.fixture(scope="module")
def lesson_3():
    return text_of("03_void_classification")


@pytest.fixture(scope="module")
def lesson_4():
    return text_of("04_training_losses")


@pytest.fixture(scope="module")
def lesson_6():
    return text_of("06_reading_results")


@pytest.fixture(scope="module")
def runs():
    return tables.measured("mini", "losses")


@pytest.fixture(scope="module")
def summary():
    return tables.measured("mini", "losses.summary")


def of_training(summary, training):
    """Return the rows of a training by score and benchmark, with a verdict on both metrics."""
    rows = summary[summary["training"] == training].set_index(["score", "benchmark"])
    verdicts = {
        f"{metric}_verdict": [evaluation.verdict_of(row, metric) for row in rows.to_dict("records")]
        for metric in ("auprc", "fpr95")
    }
    return rows.assign(**verdicts)


def on(series, *benchmarks):
    """Return the entries of some benchmarks."""
    return series[series.index.get_level_values("benchmark").isin(benchmarks)]


def test_a_verdict_on_each_of_105_differences(runs, summary, lesson_4):
    seeds = runs.groupby(["training", "score", "benchmark"])["auprc"].apply(list)
    rows = summary[summary["training"] != "ce"]
    said = Counter()
    for row in rows.itertuples():
        mine, baseline = (seeds[name, row.score, row.benchmark] for name in (row.training, "ce"))
        interval = row.auprc_difference_low, row.auprc_difference_high
        said[len(mine), evaluation.verdict(*interval, mine, baseline) != "cannot tell"] += 1
    excluding = rows["auprc_beyond_images"].sum()
    assert f"about 5 of {len(rows)}. {excluding} do" in lesson_4
    assert f"The rule upholds {said[1, True] + said[3, True]}." in lesson_4
    assert (
        f"the {said[1, True]} verdicts on a single seed are weak, and of the {said[3, True]} others"
        in lesson_4
    )
    for seeds, odds in (
        (2, "two against two in one of three"),
        (3, "against three lie apart in one case of ten"),
    ):
        assert tables.luck(seeds) == pytest.approx({2: 1 / 3, 3: 1 / 10}[seeds]) and odds in lesson_4


def test_what_eiml_fl_wins_and_loses(summary, lesson_4):
    found = of_training(summary, "eiml_fl")
    points, rates = found["auprc_difference"], found["fpr95_difference"].round().astype(int)
    won, lost = (points[found["auprc_verdict"] == said] for said in ("better", "worse"))
    assert len(on(won, *ROADS)) == len(won) == 6 and len(on(lost, CROWD)) == 3
    assert f"by {won.min():.0f} to {won.max():.0f} points with each score" in lesson_4
    assert f"by {-on(lost, CROWD).max():.0f} to {-on(lost, CROWD).min():.0f} points on `{CROWD}`" in lesson_4
    assert f"{len(won)} wins, {len(lost)} losses" in lesson_4
    fewer, more = (rates[found["fpr95_verdict"] == said] for said in ("better", "worse"))
    assert len(on(fewer, ROADS[0])) == len(fewer) == 3 and len(on(more, CROWD)) == len(more) == 2
    assert f"by {-fewer.max()} to {-fewer.min()} points" in lesson_4
    assert f"with two, by {more.min()} and {more.max()}" in lesson_4


def test_two_awkward_rows_stand_beside_ce(summary, lesson_4):
    control, alone = (of_training(summary, name).loc["msp"] for name in ("ce_scale10", "eiml"))
    assert Counter(control["auprc_verdict"])["better"] == 3 and "worse" not in set(control["auprc_verdict"])
    assert "beats CE's AuPRC on three sets and loses on none" in lesson_4
    ce = of_training(summary, "ce").loc["msp"]
    rates = [frame["fpr95"][ROADS[0]] for frame in (control, ce)]
    assert f"{rates[0]:.0f} instead of {rates[1]:.0f} %" in lesson_4
    assert (alone["auprc_difference"] > 0).all() and alone["auprc_beyond_images"].sum() == 2
    assert "a higher AuPRC than CE by MSP on all five sets, on two beyond images" in lesson_4


def test_the_widest_spread_of_ce_is_named_as_that(runs, lesson_4):
    by_cell = runs[runs["training"] == "ce"].groupby(["score", "benchmark"])["auprc"]
    widths = (by_cell.max() - by_cell.min()).sort_values()
    assert widths.index[-1] == ("max_logit", ROADS[1]) and widths.iloc[:-1].between(1, 7).all()
    first, second, third = sorted(by_cell.get_group(widths.index[-1]))
    assert f"reaches {first:.0f}, {second:.0f} and {third:.0f} % (MaxLogit)" in lesson_4
    assert f"the other {len(widths) - 1} are 1 to 7 points" in lesson_4


def test_mean_iou_and_the_losses_at_the_end(runs, lesson_4):
    miou, last = runs["miou"], tables.measured("mini", "eiml_fl.log").iloc[-1]
    assert f"all lie between {miou.min():.1f} and {miou.max():.1f} %" in lesson_4
    assert f"{last['validation_loss']:.2f} against {last['loss']:.2f}" in lesson_4


def test_on_photographs_eiml_fl_finds_more_on_an_empty_road(lesson_4):
    found = of_training(tables.measured("camvid", "losses.summary"), "eiml_fl")
    verdicts = [list(found[f"{metric}_verdict"]) for metric in ("auprc", "fpr95")]
    assert set(found["seeds"]) == {3} and verdicts[0].count("worse") == 0
    better = verdicts[0].count("better")
    assert f"better in {better} of {len(found)} cells, beyond images and seeds, and worse in none" in lesson_4
    gains = on(found["auprc_difference"], "RoadObsticle21")
    assert set(on(found["auprc_verdict"], "RoadObsticle21")) == {"better"}
    assert f"there it gains {gains.min():.0f} to {gains.max():.0f} points with each score" in lesson_4
    alone = of_training(tables.measured("camvid", "losses.summary"), "eiml")
    gains = on(alone["auprc_difference"], "RoadObsticle21")
    assert set(alone["seeds"]) == {3} and not on(alone["auprc_beyond_seeds"], "RoadObsticle21").any()
    assert f"gains {gains.min():.0f} to {gains.max():.0f}, which seeds explain" in lesson_4
    assert (verdicts[1].count("better"), verdicts[1].count("worse")) == (1, 1)
    assert "one is better and one is worse" in lesson_4


def test_msp_finds_less_on_ten_times_the_distances():
    found = tables.measured("mini", "eiml_fl.temperatures")
    lost = found[(found["temperature"] == 0.1) & (found["score"] == "msp")].set_index("benchmark")
    assert (lost["auprc_difference"] < 0).all() and lost["auprc_beyond_images"].sum() == 4


def test_the_papers_table_3_and_what_explains_it(lesson_3, lesson_6):
    printed, shares = tables.paper_values(3), tables.official_prevalence()
    pairs = printed.set_index(["model", "benchmark"])[["auprc", "fpr95"]]
    same = (pairs.loc["enet"] == pairs.loc["erfnet"]).all(axis=1).sum()
    assert same == 3 and "two networks share three pairs" in lesson_6
    exactly = (printed["fpr95"] == 95).sum()
    assert (exactly, len(printed)) == (8, 15) and "Eight of the fifteen printed FPR95 are 95.00" in lesson_6
    chance = shares["prevalence"]
    assert (
        f"| chance | {chance['RoadAnomaly21']:.2f} / 95 | {chance['RoadObsticle21']:.2f} / 95 |" in lesson_3
    )
    assert f"The paper prints {pairs['auprc']['enet', 'fs_static']} for fs_static" in lesson_6
    assert f"where the prevalence is {chance['fs_static']:.2f} %" in lesson_6
    void = tables.void_share(chance["RoadObsticle21"], shares["prevalence_with_void"]["RoadObsticle21"])
    assert f"On RoadObsticle21, {void:.0f} % of the pixels are void" in lesson_6


def test_the_coverage_of_intervals(lesson_6):
    found = tables.coverage().drop(columns="repeats")
    assert f"with 10, only {found.loc[10].min()} to {found.loc[10].max()} %" in lesson_6
    assert (found.loc[100] // 1 == 94).all() and "With 100 images 94 % did" in lesson_6


def test_layers_and_outputs_are_counted(lesson_3):
    built = {name: models.build(name, labels.VOID) for name in models.PAPER_NETWORKS}
    layers = {
        name: sum(isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) for module in network.modules())
        for name, network in built.items()
    }
    assert f"more layers ({layers['enet']} convolutions against {layers['erfnet']})" in lesson_3
    more = {}
    for name, network in built.items():
        with_void = models.build(name, labels.VOID + 1)
        heads = network.classifier, with_void.classifier
        before, after = (sum(weights.numel() for weights in head.parameters()) for head in heads)
        more[name] = after - before
    assert f"between {more['erfnet']} (ERFNet) and {more['bisenetv2']} (BiSeNetV2) numbers" in lesson_3


def percent(view, name):
    """Return a number that an explorer shows."""
    return float(view.numbers[name].split()[0])


def test_mistakes_ticked_in_lesson_3_show_what_it_says(lesson_3):
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet", "void"))
    settings = evaluation.Settings(size=metadata.size)
    explorer = widgets.protocol_explorer(network, settings, data.BenchmarkImages(ROADS[1]))
    right, void, both = (
        explorer.view(**ticks)
        for ticks in ({}, {"counts_void": True}, {"counts_void": True, "inverts_void": True})
    )
    before, after, inverted = (percent(view, "AuPRC") for view in (right, void, both))
    chances = [percent(view, "chance") for view in (right, void)]
    assert f"raises AuPRC from {before:.0f} to {after:.0f} % in profile `mini`" in lesson_3
    assert f"chance rises from {chances[0]:.0f} to {chances[1]:.0f}." in lesson_3
    assert f"it is {inverted:.0f} %, with the *wrong* sign" in lesson_3
    raw = explorer.view(raw_input=True)
    assert percent(raw, "AuPRC") < percent(raw, "chance")


def test_maxlogit_and_msp_in_pairs_are_what_lesson_6_says(lesson_6):
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    asked_for = evaluation.Settings.of(metadata, scores=("msp", "max_logit"))
    found = evaluation.measure(network, data.BenchmarkImages(CROWD), asked_for, progress=False)
    msp, max_logit = (100 * found[name, 1.0].resampled().auprc for name in asked_for.scores)
    intervals = [metrics.percentile_interval(values) for values in (max_logit, msp, max_logit - msp)]
    (a, b), (c, d), (e, f) = intervals
    assert f"{a:.0f} to {b:.0f} % and {c:.0f} to {d:.0f} %" in lesson_6
    assert f"between {e:.1f} and {f:.1f} points" in lesson_6


def test_the_last_steps_of_mending_are_what_lesson_6_says(lesson_6):
    network, metadata = models.load("bisenetv2", models.shipped_weights("mini", "bisenetv2", "void"))
    larger = data.Enlarged(data.BenchmarkImages("mini_fs_static"), factor=2, most=15)
    explorer = widgets.protocol_explorer(network, evaluation.Settings(size=metadata.size), larger)
    proud, ignored, right = (
        explorer.view(**ticks) for ticks in ({"size": True, "counts_void": True}, {"size": True}, {})
    )
    assert f"AuPRC {percent(proud, 'AuPRC'):.0f} %! A triumph?" in lesson_6
    assert f"{percent(ignored, 'AuPRC'):.0f} % where chance is {percent(ignored, 'chance'):.1f} %" in lesson_6
    rates = [percent(view, "FPR95") for view in (ignored, right)]
    now = percent(right, "AuPRC")
    assert f"{now:.0f} %, and FPR95 falls from {rates[0]:.0f} to {rates[1]:.0f} %" in lesson_6
