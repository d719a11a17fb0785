"""What the paper printed is held against the masks."""

import pytest

from course_lib.lesson import tables

PRINTED = {1: 15, 2: 15, 3: 15, 4: 90}


@pytest.mark.parametrize("table", PRINTED)
def test_each_table_has_two_numbers_for_every_cell_of_the_paper(table):
    frame = tables.published(table)
    assert len(frame) == PRINTED[table]
    assert frame["benchmark"].nunique() == 5
    assert not frame.duplicated(["model", "training", "score", "temperature", "benchmark"]).any()
    assert frame[["auprc", "fpr95"]].notna().all(axis=None)


def test_a_table_that_the_paper_does_not_have_is_refused():
    with pytest.raises(ValueError, match="tables 1 to 4, got 5"):
        tables.published(5)


def test_the_void_row_of_enet_is_the_prevalence_in_both_ways_of_counting():
    printed = tables.published(3).query("model == 'enet'").set_index("benchmark")["auprc"]
    shares = tables.official_prevalence()
    assert printed["RoadAnomaly21"] == round(shares.loc["RoadAnomaly21", "prevalence"], 2)
    assert printed["RoadObsticle21"] == round(shares.loc["RoadObsticle21", "prevalence"], 2)
    assert printed["fs_static"] == round(shares.loc["fs_static", "prevalence_with_void"], 2)
