"""What the paper printed is held against the masks; what printed numbers give away, in functions."""

import itertools

import pytest
import torch

from course_lib import evaluation, metrics
from course_lib.lesson import tables

PRINTED = {1: 15, 2: 15, 3: 15, 4: 90}


@pytest.mark.parametrize("table", PRINTED)
def test_each_table_has_two_numbers_for_every_cell_of_the_paper(table):
    frame = tables.paper_values(table)
    assert len(frame) == PRINTED[table]
    assert frame["benchmark"].nunique() == 5
    assert not frame.duplicated(["model", "training", "score", "temperature", "benchmark"]).any()
    assert frame[["auprc", "fpr95"]].notna().all(axis=None)


def test_a_table_that_the_paper_does_not_have_is_refused():
    with pytest.raises(ValueError, match="tables 1 to 4, got 5"):
        tables.paper_values(5)


def test_the_masks_of_three_official_sets_explain_the_papers_row():
    official, row = tables.official_prevalence(), tables.paper_values(3).query("model == 'enet'")
    printed = row[row["benchmark"].isin(official.index)].set_index("benchmark")["auprc"].to_dict()
    ways = {"prevalence": official["prevalence"], "with void": official["prevalence_with_void"]}
    assert tables.explained_by(printed, ways) == {
        "RoadAnomaly21": "prevalence",
        "RoadObsticle21": "prevalence",
        "fs_static": "with void",
    }
    assert tables.explained_by({"elsewhere": 1.0}, ways) == {"elsewhere": None}


def test_void_is_found_from_one_number_and_back():
    for prevalence, void in itertools.product((0.0, 1.4, 30.0), (0.0, 15.2, 90.0)):
        printed = prevalence * (1 - void / 100) + void
        assert tables.void_share(prevalence, printed) == pytest.approx(void)


@pytest.mark.parametrize("rule", metrics.FPR_CONVENTIONS)
def test_a_constant_score_gets_what_is_predicted(rule):
    truth = torch.arange(1000) < 130
    auprc, fpr95 = tables.no_knowledge("constant", 13.0, rule)
    constant = torch.zeros(1000)
    assert auprc == pytest.approx(100 * metrics.average_precision(constant, truth))
    assert fpr95 == pytest.approx(100 * metrics.fpr_at_tpr(constant, truth, convention=rule))
    with pytest.raises(ValueError, match="unknown kind 'lucky'"):
        tables.no_knowledge("lucky", 13.0, rule)


@pytest.mark.parametrize("seeds", [1, 2, 3, 4])
def test_luck_counts_the_orders_in_which_nothing_overlaps(seeds):
    places = range(2 * seeds)
    orders = list(itertools.combinations(places, seeds))
    apart = [mine for mine in orders if max(mine) == seeds - 1 or min(mine) == seeds]
    assert tables.luck(seeds) == pytest.approx(len(apart) / len(orders))


def test_images_are_rounded_up():
    assert tables.images_needed(10, 30, 9) == 38


def test_pooling_is_over_pixels_and_void_counts_only_where_asked():
    masks = [torch.tensor([1, 0, 0]), torch.tensor([255, 0, 0, 0, 0])]
    assert metrics.pooled_prevalence(masks) == pytest.approx(1 / 7)
    assert metrics.pooled_prevalence(iter(masks), counts_void=True) == pytest.approx(2 / 8)
    with pytest.raises(ValueError, match="no valid pixel"):
        metrics.pooled_prevalence([torch.tensor([255])])


def test_all_mistakes_mended_are_the_right_protocol_but_for_its_name():
    protocol = evaluation.PROTOCOLS["paper"]
    for mistake in evaluation.DEVIATIONS:
        before, protocol = protocol, evaluation.with_fix(protocol, mistake)
        assert {k for k in vars(protocol) if vars(protocol)[k] != vars(before)[k]} == {mistake}
    right = vars(evaluation.PROTOCOLS["benchmark"])
    assert {k for k in right if right[k] != vars(protocol)[k]} == {"description"}
    with pytest.raises(ValueError, match="unknown mistake 'speling'"):
        evaluation.with_fix(protocol, "speling")


def test_intervals_cover_as_often_as_they_say_with_100_images_and_less_with_10():
    table = tables.coverage()
    assert table.loc[100, ["auprc", "fpr95", "auprc_difference"]].between(93, 97).all()
    assert (table.loc[10, ["auprc", "fpr95", "auprc_difference"]] < table.loc[100].iloc[1:]).all()
    assert (table["repeats"] == 1000).all()
