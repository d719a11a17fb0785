"""Streaming metrics against the obvious way, in one run: pytest tests/benchmarks/benchmark_metrics.py

The obvious way keeps all pixels and sorts them twice, in scikit-learn's average precision and ROC curve.
"""

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_curve

from course_lib.metrics import StreamingMetrics

PIXELS, IMAGES = 20_000_000, 20
SCORES = {"continuous": lambda noise: noise, "80 levels": lambda noise: (noise * 10).round() / 10}


@pytest.fixture(scope="module", params=SCORES)
def benchmark_pixels(request):
    """Scores and masks of 20 images of a million pixels."""
    generator = torch.Generator().manual_seed(0)
    target = (torch.rand(PIXELS, generator=generator) < 0.02).to(torch.uint8)
    return SCORES[request.param](torch.randn(PIXELS, generator=generator) + target), target


def streaming(scores, target):
    metrics = StreamingMetrics()
    for part, truth in zip(scores.chunk(IMAGES), target.chunk(IMAGES), strict=True):
        metrics.update(part, truth)
    found = metrics.compute()
    return found.auprc, found.fpr95


def obvious(scores, target):
    truth, values = target.numpy(), scores.numpy()
    fpr, tpr, _ = roc_curve(truth, values, drop_intermediate=False)
    return average_precision_score(truth, values), fpr[tpr >= 0.95][0]


@pytest.mark.parametrize("way", [streaming, obvious])
def test_metrics_of_20_million_pixels(benchmark, benchmark_pixels, way):
    auprc, fpr95 = benchmark.pedantic(way, args=benchmark_pixels, rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(auprc=auprc, fpr95=fpr95)
