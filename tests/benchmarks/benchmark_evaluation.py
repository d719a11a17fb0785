"""Evaluation against the obvious way, and its growth: pytest tests/benchmarks/benchmark_evaluation.py

Needs COURSE_DATA and COURSE_REFERENCE (two real benchmarks, an ENet), as tests/real does. Both take turns,
each in a process of its own; ratios and memory are printed and written to results/benchmarks/.
"""

import os

import numpy as np
import pytest
import ways

from course_lib.runtime import PROJECT_ROOT

BENCHMARKS = ("RoadAnomaly21", "RoadObsticle21")
PAIRS = 3


@pytest.fixture(scope="module")
def weights():
    if "COURSE_REFERENCE" not in os.environ:
        pytest.skip("COURSE_REFERENCE is not set")
    return PROJECT_ROOT / os.environ["COURSE_REFERENCE"] / "weights" / "enet_cityscapes_ce_peer.pth"


def test_against_the_obvious_way(weights):
    rows = []
    for _ in range(PAIRS):
        found, seconds, megabytes = ways.measured(ways.obvious, weights, BENCHMARKS)
        row = {"obvious_s": seconds, "obvious_mb": megabytes}
        for speed in ("plain", "fast"):
            mine, seconds, megabytes = ways.measured(ways.ours, weights, BENCHMARKS, speed)
            row |= {f"{speed}_s": seconds, f"{speed}_mb": megabytes}
            row[f"{speed}_off"] = max(np.abs(np.subtract(mine[key], found[key])).max() for key in found)
        for speed in ("plain", "fast"):
            row[f"{speed}_times"] = row["obvious_s"] / row[f"{speed}_s"]
            row[f"{speed}_memory"] = row[f"{speed}_mb"] / row["obvious_mb"]
        rows.append(row)
    frame = ways.write("evaluation", rows)
    assert (frame[["plain_off", "fast_off"]] < 0.01).all().all()


def test_memory_does_not_grow_with_the_images(weights):
    rows = []
    for images in (10, 30, 100):
        _, seconds, megabytes = ways.measured(ways.ours, weights, [("RoadAnomaly21", images)])
        rows.append({"images": images, "seconds": seconds, "megabytes": megabytes})
    frame = ways.write("evaluation_images", rows)
    print(f"{np.polyfit(frame['images'], frame['seconds'], 1)[0]:.3f} s for one more image")


def test_growth_with_the_scores(weights):
    rows = []
    for number in range(1, 5):
        scores = ("max_logit", "msp", "energy", "max_entropy")[:number]
        _, seconds, megabytes = ways.measured(ways.ours, weights, ("RoadAnomaly21",), scores=scores)
        rows.append({"scores": number, "seconds": seconds, "megabytes": megabytes})
    frame = ways.write("evaluation_scores", rows)
    for column in ("seconds", "megabytes"):
        print(f"{np.polyfit(frame['scores'], frame[column], 1)[0]:.2f} {column} for one more score")
