"""Streaming metrics against the obvious way: pytest tests/benchmarks/benchmark_metrics.py

The obvious way keeps all pixels and sorts them twice, in scikit-learn's average precision and ROC curve. Each
runs in a process of its own; written to results/benchmarks/metrics.csv.
"""

import time

import numpy as np
import psutil
import pytest
import torch
import ways
from sklearn.metrics import average_precision_score, roc_curve

from course_lib import runtime
from course_lib.metrics import StreamingMetrics

IMAGE = 1_000_000
SCORES = {"continuous": lambda noise: noise, "80 levels": lambda noise: (noise * 10).round() / 10}


def image(number, kind):
    """Scores and mask of one image of a million pixels."""
    generator = torch.Generator().manual_seed(number)
    target = (torch.rand(IMAGE, generator=generator) < 0.02).to(torch.uint8)
    return SCORES[kind](torch.randn(IMAGE, generator=generator) + target), target


def streaming(images, kind):
    metrics = StreamingMetrics(summaries=False)
    for number in range(images):
        metrics.update(*image(number, kind))
    found = metrics.compute()
    return found.auprc, found.fpr95


def obvious(images, kind):
    scores, truth = (
        torch.cat(parts).numpy() for parts in zip(*(image(i, kind) for i in range(images)), strict=True)
    )
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    return average_precision_score(truth, scores), fpr[tpr >= 0.95][0]


def measure(way, images, kind):
    """Return results, seconds without the making of the pixels, and megabytes at the peak."""
    started = time.perf_counter()
    for number in range(images):
        image(number, kind)
    made = time.perf_counter() - started
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    found = way(images, kind)
    seconds = time.perf_counter() - started - made
    return found, seconds, 1000 * runtime.peak_memory() - before / 1e6


@pytest.mark.parametrize("kind", SCORES)
def test_metrics_of_many_pixels(kind):
    rows = []
    for images in (1, 10, 100):
        mine, seconds, megabytes = ways.in_a_process(measure, streaming, images, kind)
        theirs, their_seconds, their_megabytes = ways.in_a_process(measure, obvious, images, kind)
        row = {"scores": kind, "million_pixels": images, "seconds": seconds, "megabytes": megabytes}
        row |= {"obvious_seconds": their_seconds, "obvious_megabytes": their_megabytes}
        rows.append(row | {"times": their_seconds / seconds, "off": np.abs(np.subtract(mine, theirs)).max()})
    frame = ways.write(f"metrics_{kind.replace(' ', '_')}", rows)
    assert (frame["off"] < 1e-4).all()
