"""Our evaluation reproduces figures that other people published, the paper's own Table 3 among them."""

import pandas as pd
import pytest

from course_tools.__main__ import main

AUPRC, FPR95 = 0.02, 0.05  # allowed differences, in percent points

# weights, options, and {(benchmark, score): (AuPRC, FPR95)} as printed by their authors
PUBLISHED = {
    "another project's ENet, softmax scores": (
        "enet_cityscapes_ce_peer.pth",
        ["--protocol", "peer", "--keep-void-channel"],
        {
            ("RoadAnomaly21", "msp"): (17.595, 84.925),
            ("RoadAnomaly21", "max_logit"): (19.390, 76.646),
            ("RoadAnomaly21", "max_entropy"): (17.735, 84.676),
            ("RoadObsticle21", "msp"): (3.571, 43.983),
            ("RoadObsticle21", "max_logit"): (5.982, 32.096),
            ("RoadObsticle21", "max_entropy"): (3.933, 42.599),
        },
    ),
    "a third project's void ENet": (
        "enet_cityscapes_void20_peer_b.pth",
        ["--protocol", "peer", "--score", "void"],
        {("RoadAnomaly21", "void"): (12.348, 84.774), ("RoadObsticle21", "void"): (1.139, 63.600)},
    ),
}
TABLE_3 = {  # its first row
    ("RoadAnomaly21", "void"): (14.81, 95.00),
    ("RoadObsticle21", "void"): (0.67, 95.00),
    ("fs_static", "void"): (16.36, 95.00),
}
PAPER = "enet_seed_paper_void20.pth"

# the default protocol, measured here and not published: a change of more than 0.3 points wants an explanation
DEFAULT = {
    "enet_cityscapes_ce_peer.pth": {
        ("RoadAnomaly21", "msp"): (17.62, 84.73),
        ("RoadAnomaly21", "max_logit"): (19.40, 76.14),
        ("RoadAnomaly21", "max_entropy"): (17.76, 84.48),
        ("RoadObsticle21", "msp"): (3.61, 43.52),
        ("RoadObsticle21", "max_logit"): (6.16, 30.51),
        ("RoadObsticle21", "max_entropy"): (3.97, 42.04),
    },
    "enet_cityscapes_void20_peer_b.pth": {
        ("RoadAnomaly21", "void"): (12.34, 84.75),
        ("RoadObsticle21", "void"): (1.14, 63.13),
    },
    PAPER: {
        ("RoadAnomaly21", "void"): (17.29, 74.06),
        ("RoadObsticle21", "void"): (2.50, 30.04),
        ("fs_static", "void"): (8.57, 90.13),
    },
}
CHANCE = {"RoadAnomaly21": 14.81, "RoadObsticle21": 0.67, "fs_static": 1.37}


def table(path, weights, found, options):
    """Run ``evaluate`` and return its CSV, indexed by benchmark and score."""
    names = list(dict.fromkeys(name for name, _ in found))
    scores = list(dict.fromkeys(score for _, score in found))
    chosen = options if "--score" in options else ["--score", *scores, *options]
    network = ["--model", "enet", "--weights", str(weights), "--speed", "fast"]
    assert main(["evaluate", *network, "--benchmarks", *names, *chosen, "--output", str(path)]) == 0
    return pd.read_csv(path).set_index(["benchmark", "score"])


def same(frame, published):
    """Assert that a table holds the published numbers, of all images."""
    for key, (auprc, fpr95) in published.items():
        assert frame.loc[key, "auprc"] == pytest.approx(auprc, abs=AUPRC), key
        assert frame.loc[key, "fpr95"] == pytest.approx(fpr95, abs=FPR95), key
        assert frame.loc[key, "images"] == frame.loc[key, "images_of"]


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_figures_come_out(case, benchmarks, weights, tmp_path):
    name, options, published = PUBLISHED[case]
    same(table(tmp_path / "t.csv", weights / name, published, [*options, "--bootstrap", "0"]), published)


@pytest.fixture(scope="module")
def of_paper(benchmarks, weights, tmp_path_factory):
    """The paper's weights under its own protocol, beside a constant score."""
    options = ["--protocol", "paper", "--score", "void", "--controls"]
    return table(tmp_path_factory.mktemp("paper") / "t.csv", weights / PAPER, TABLE_3, options)


def test_the_papers_table_3_comes_out(of_paper):
    same(of_paper, TABLE_3)


def test_the_papers_numbers_are_chance(of_paper):
    for benchmark in ("RoadAnomaly21", "RoadObsticle21"):
        paper, constant = of_paper.loc[(benchmark, "void")], of_paper.loc[(benchmark, "constant")]
        assert not paper["auprc_outside_chance"] and not paper["fpr95_outside_chance"]
        assert not constant["auprc_outside_chance"] and not constant["fpr95_outside_chance"]
        assert paper["auprc"] == pytest.approx(constant["auprc"], abs=0.001)
        assert paper["fpr95"] == pytest.approx(constant["fpr95"], abs=0.001)
        assert paper["largest_tie"] > 99.9  # P(void) is lost in 1 - P(void), or is 0 itself


@pytest.mark.parametrize("name", DEFAULT)
def test_the_default_protocol_gives_intervals_and_chance(name, benchmarks, weights, tmp_path):
    expected = DEFAULT[name]
    frame = table(tmp_path / "table.csv", weights / name, expected, [])
    assert (frame["auprc_low"] < frame["auprc"]).all() and (frame["auprc"] < frame["auprc_high"]).all()
    assert (frame["fpr95_low"] < frame["fpr95"]).all() and (frame["fpr95"] < frame["fpr95_high"]).all()
    chance = frame["chance"].groupby("benchmark").first()
    assert chance.round(2).to_dict() == {name: CHANCE[name] for name in chance.index}
    for key, (auprc, fpr95) in expected.items():
        assert frame.loc[key, "auprc"] == pytest.approx(auprc, abs=0.3), key
        assert frame.loc[key, "fpr95"] == pytest.approx(fpr95, abs=0.3), key
    if name == PAPER:  # the paper's own weights know something after all
        assert frame.loc[("RoadObsticle21", "void"), ["auprc_outside_chance", "fpr95_outside_chance"]].all()
