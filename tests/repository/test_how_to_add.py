"""What the page on adding things says works: its code is run, and what it adds is used."""

import re

import pandas as pd
import pytest
import torch
from small_data import ROOT, street_settings, write_benchmark, write_street

from course_lib import losses, models, scores, training
from course_lib.data import BENCHMARKS
from course_tools.__main__ import main

PAGE = (ROOT / "site" / "how_to_add.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.+?)```", PAGE, flags=re.DOTALL)
TABLES = (
    scores.SCORES, losses.LOSSES, models.NETWORKS, BENCHMARKS, training.TRAININGS, training.RECIPES,
)  # fmt: skip


@pytest.fixture
def added():
    """Run all code of the page; afterwards the tables are what they were."""
    before = [dict(table) for table in TABLES]
    space: dict = {}
    for block in BLOCKS:
        exec(block, space)
    yield space
    for table, kept in zip(TABLES, before, strict=True):
        table.clear()
        table.update(kept)


def test_each_thing_is_one_definition_and_one_line_in_one_table():
    definitions = [len(re.findall(r"^(?:def|class) ", block, flags=re.MULTILINE)) for block in BLOCKS]
    lines = [len(re.findall(r"^[A-Z]+\[\"", block, flags=re.MULTILINE)) for block in BLOCKS]
    assert definitions == [1, 1, 0, 1, 0, 0] and lines == [1] * 6


def test_the_score_by_hand_sees_known_classes_only(added):
    logits = torch.zeros(1, 20, 1, 1)
    logits[0, [3, 5, 7, 19]] = torch.tensor([4.0, 3.0, 1.0, 9.0]).view(4, 1, 1)
    assert scores.score("margin", logits).item() == -1
    assert scores.score("margin", logits, known_classes=[3, 7], temperature=2.0).item() == -3


def test_the_loss_by_hand_leaves_void_out(added):
    logits = torch.tensor([[3.0, 5.0], [1.0, 7.0]]).log().view(1, 2, 1, 2)
    target, weights = torch.tensor([[[0, 255]]]), torch.tensor([2.0, 1.0])
    # p of the first pixel is 3/4; the second is void
    assert losses.find_term("squared")(logits, target, weights).item() == pytest.approx(2 / 16)


def test_the_network_takes_any_size_void_and_prototypes(added):
    for outputs, head in ((19, "linear"), (20, "isomax")):
        network = models.build("tiny", outputs, head).eval()
        assert network(torch.rand(2, 3, 9, 14)).shape == (2, outputs, 9, 14)


def test_network_and_loss_are_trained_and_score_and_benchmark_measured(added, data_root, capsys):
    write_street(data_root / "CamVid")
    write_benchmark(data_root / "benchmarks", "WinterRoads")
    settings = street_settings("tiny", training="squared_ce")
    weights = training.train(settings, data_root / "run").weights
    table = data_root / "table.csv"
    arguments = ["--model", "tiny", "--weights", str(weights), "--benchmarks", "WinterRoads"]
    assert main(["evaluate", *arguments, "--score", "margin", "--output", str(table)]) == 0
    (row,) = pd.read_csv(table).to_dict("records")
    assert [row[key] for key in ("model", "training", "score", "images", "images_of")] == [
        "tiny", "squared_ce", "margin", 3, 3,
    ]  # fmt: skip
    assert "margin" in capsys.readouterr().out
