"""The ladder shows each step beside chance, with intervals and marks; holes stay holes."""

import pandas as pd
import pytest

from course_lib.evaluation.table import with_types
from course_lib.lesson import tables

ROW = {
    "network": "ERFNet", "step": "MSP", "seeds": 3, "benchmark": "RoadAnomaly", "chance": 10.9,
    "auprc": 28.1, "auprc_low": 22.0, "auprc_high": 34.0,
    "fpr95": 67.2, "fpr95_low": 60.0, "fpr95_high": 75.0,
    "auprc_difference": 0.0, "auprc_beyond_images": False, "auprc_beyond_seeds": False,
    "fpr95_difference": 0.0, "fpr95_beyond_images": False, "fpr95_beyond_seeds": False,
}  # fmt: skip
BEYOND = {"auprc_difference": 12.0, "auprc_beyond_images": True, "auprc_beyond_seeds": True}


def frame(*changes):
    """Return a ladder with one row per change."""
    return with_types(pd.DataFrame([ROW | change for change in changes]))


def cells(table, label):
    """Return the printed cells of a row."""
    return [None if cell is None else str(cell) for cell in table.rows[label]]


def test_chance_comes_first_and_what_was_not_measured_is_a_hole():
    found = frame({}, {"benchmark": "fs_static", "chance": 1.37}, {"step": "neighbours", "auprc": 30.0})
    table = tables.ladder(found, [("ERFNet", "neighbours"), ("ERFNet", "MSP")])
    assert list(table.rows) == ["chance", "ERFNet, neighbours", "ERFNet, MSP"]
    assert cells(table, "chance") == ["10.9", "95.0", "1.37", "95.0"]
    assert cells(table, "ERFNet, MSP")[:2] == ["28.1 [22, 34]", "67.2 [60, 75]"]
    assert cells(table, "ERFNet, neighbours") == ["30.0 [22, 34]", "67.2 [60, 75]", None, None]
    assert table.benchmarks == ("RoadAnomaly", "fs_static")


@pytest.mark.parametrize(
    "change, auprc, fpr95",
    [
        (BEYOND, "28.1▲", "67.2"),
        (BEYOND | {"auprc_difference": -12.0}, "28.1▼", "67.2"),
        (BEYOND | {"auprc_beyond_seeds": False}, "28.1", "67.2"),
        (BEYOND | {"auprc_beyond_seeds": None}, "28.1▲", "67.2"),
        (
            {"fpr95_difference": -9.0, "fpr95_beyond_images": True, "fpr95_beyond_seeds": None},
            "28.1",
            "67.2▲",
        ),
    ],
)
def test_marks_ask_images_and_seeds(change, auprc, fpr95):
    table = tables.ladder(frame({"step": "smoothed entropy"} | change), [("ERFNet", "smoothed entropy")])
    assert [cell.marked for cell in table.rows["ERFNet, smoothed entropy"]] == [auprc, fpr95]


@pytest.mark.parametrize("seeds, phrase", [((3, 3), "means of 3 seeds"), ((1, 3), "means of 1 to 3 seeds"),
                                           ((1, 1), "of one seed")])  # fmt: skip
def test_the_caption_counts_the_seeds_of_what_is_shown(seeds, phrase):
    found = frame({"seeds": seeds[0]}, {"step": "outliers", "seeds": seeds[1]}, {"step": "more", "seeds": 9})
    assert phrase in tables.ladder(found, [("ERFNet", "MSP"), ("ERFNet", "outliers")]).caption


def test_an_unknown_rung_and_one_that_stands_twice_are_refused():
    with pytest.raises(ValueError, match="no rung Lite0, MSP in the ladder; there are ERFNet, MSP"):
        tables.ladder(frame({}), [("Lite0", "MSP")])
    with pytest.raises(ValueError, match="stands twice"):
        tables.ladder(frame({}, {}), [("ERFNet", "MSP")])
