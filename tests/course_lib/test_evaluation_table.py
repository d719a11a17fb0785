"""Settings out of range are refused; the marks in the table follow the intervals."""

import pytest
import torch

from course_lib import evaluation, metrics, models
from course_lib.evaluation.table import interval_columns

ROW = {"benchmark": "RoadAnomaly21", "score": "msp", "temperature": 1.0, "images": 4, "images_of": 10} | {
    "auprc": 30.0,
    "auroc": 50.0,
    "largest_tie": 0.0,
    "constant": False,
}


@pytest.mark.parametrize(
    ("low", "high", "fpr95", "expected"),
    [
        (0.02, 0.3, (0.2, 0.6), (True, True, "30.00  ", "40.00  ")),  # better than chance
        (-0.02, 0.3, (0.2, 0.96), (False, False, "30.00~ ", "40.00~ ")),  # within chance
        (-0.3, -0.02, (0.96, 1.0), (True, True, "30.00! ", "97.00! ")),  # worse than chance
    ],
)
def test_marks_follow_the_intervals(low, high, fpr95, expected):
    worse = high < 0
    intervals = interval_columns(metrics.Intervals((0.1, 0.5), fpr95, (low, high), 1000), constant=False)
    row = ROW | intervals | {"fpr95": 97.0 if worse else 40.0, "chance": 50.0 if worse else 10.0}
    frame = evaluation.table([row], models.Metadata(model="enet"), "enet.pth")
    assert (frame["auprc_outside_chance"][0], frame["fpr95_outside_chance"][0]) == expected[:2]
    text = evaluation.as_text(frame)
    assert f"{expected[2]}[10.00, 50.00]" in text and expected[3] in text


@pytest.mark.parametrize(("others", "name"), [(0, "void (constant)"), (2, "void (99.9 % at one score)")])
def test_a_nearly_constant_score_is_named(others, name):
    scores = torch.zeros(10_000)
    scores[:others] = 1
    streamed = metrics.StreamingMetrics()
    streamed.update(scores, (torch.arange(10_000) % 10 == 0).int())
    row = evaluation.row_of("RoadAnomaly21", ("void", 1.0), evaluation.Settings(resamples=0), streamed)
    frame = evaluation.table([row], models.Metadata(model="enet"), "enet.pth")
    assert frame["largest_tie"][0] == 100 - others / 100 and frame["constant"][0] == (others == 0)
    assert name in evaluation.as_text(frame)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scores": ("magic",)}, "unknown score 'magic'"),
        ({"scores": ()}, "no score given"),
        ({"temperatures": (0.0,)}, r"temperatures must be positive numbers, got \[0.0\]"),
        ({"temperatures": (float("nan"),)}, r"temperatures must be positive numbers, got \[nan\]"),
        ({"seed": -1}, "the seed must be 0 or more, got -1"),
        ({"protocol": "kind"}, "unknown protocol 'kind'"),
        ({"size": (0, 64)}, r"size must be a positive height and width, got \[0, 64\]"),
        ({"resamples": -1}, "resamples: 0 or at least 40, got -1"),
        ({"resamples": 1}, "resamples: 0 or at least 40, got 1"),
    ],
)
def test_settings_out_of_range_raise(options, message):
    with pytest.raises(ValueError, match=message):
        evaluation.Settings(**options)


def test_settings_of_a_network_are_those_that_it_was_trained_with_unless_chosen_otherwise():
    metadata = models.Metadata(model="enet", size=[16, 24], known_classes=[0, 2])
    settings = evaluation.Settings.of(metadata, scores=("msp",), seed=None, resamples=0)
    expected = evaluation.Settings(("msp",), size=(16, 24), known_classes=(0, 2), resamples=0)
    assert settings == expected and evaluation.Settings.of(metadata, size=(8, 8)).size == (8, 8)


def test_tables_of_version_0_1_with_bounds_of_the_binning_can_be_read(tmp_path):
    columns = "model,seed,auprc,auprc_bound,fpr95_bound,auroc_bound"
    (tmp_path / "old.csv").write_text(f"{columns}\nenet,0,50.5,0.0,0.001,0.0\nenet,,1,0,0,0\n")
    frame = evaluation.read_table(tmp_path / "old.csv")
    assert frame["seed"].dtype == "Int64" and frame["auprc"].tolist() == [50.5, 1]
