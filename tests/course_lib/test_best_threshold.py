"""The threshold with the best pixel F1, read off the histogram."""

import pytest
import torch

from course_lib.metrics import StreamingMetrics
from course_lib.metrics.histogram import lower_edges, split_bits


def test_the_best_threshold_is_that_of_all_thresholds_tried():
    generator = torch.Generator().manual_seed(5)
    truth = torch.rand(4000, generator=generator) < 0.2
    scores = torch.randn(4000, generator=generator) + 1.5 * truth
    metrics = StreamingMetrics()
    metrics.update(scores, truth.to(torch.uint8))
    threshold, f1 = metrics.best_f1()

    def f1_at(value):
        flagged = scores >= value
        return 2 * (flagged & truth).sum().item() / (flagged.sum() + truth.sum()).item()

    assert f1 == pytest.approx(max(f1_at(value) for value in scores.tolist()), abs=2e-3)
    assert f1_at(threshold) == pytest.approx(f1)


def test_lower_edges_are_the_lowest_scores_of_their_bins():
    scores = torch.tensor([-1e9, -3.7, -1e-20, 0.0, 1e-30, 0.3, 2.0, 5e8])
    bins, _ = split_bits(scores)
    edges = lower_edges(bins)
    assert (edges <= scores).all()
    assert torch.equal(split_bits(edges)[0], bins)
    assert torch.equal(split_bits(edges.nextafter(torch.tensor(-torch.inf)))[0], bins - 1)
