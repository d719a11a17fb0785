"""Intervals over images: against the plain way, on hopeless cases, and around the truth."""

import math

import numpy as np
import pytest
import torch

from course_lib.metrics import StreamingMetrics, average_precision, fpr_at_tpr, interval_widths


def simulated(images, pixels, seed=0, separation=1.0):
    """Return images that differ: each has its own share of anomalies and its own offset."""
    generator = np.random.default_rng(seed)
    for _ in range(images):
        is_anomaly = generator.random(pixels) < generator.uniform(0.01, 0.3)
        scores = generator.normal(generator.normal(0, 0.5), 1, pixels) + separation * is_anomaly
        yield torch.from_numpy(scores).float(), torch.from_numpy(is_anomaly)


def streamed(images):
    metrics = StreamingMetrics()
    for i, (scores, is_anomaly) in enumerate(images):
        metrics.update(scores, is_anomaly.to(torch.uint8), f"{i:03d}")
    return metrics


def test_intervals_equal_those_of_the_plain_way():
    images = list(simulated(images=8, pixels=2000))
    found = streamed(images).intervals(resamples=200, seed=1)
    draws = np.random.default_rng(1).integers(8, size=(200, 8))
    auprc, fpr95, above = [], [], []
    for draw in draws:
        scores, is_anomaly = (torch.cat(parts) for parts in zip(*(images[i] for i in draw), strict=True))
        auprc.append(average_precision(scores, is_anomaly))
        fpr95.append(fpr_at_tpr(scores, is_anomaly))
        above.append(auprc[-1] - is_anomaly.double().mean().item())
    assert found.resamples == 200
    assert found.auprc == pytest.approx(np.quantile(auprc, [0.025, 0.975]), abs=1e-3)
    assert found.fpr95 == pytest.approx(np.quantile(fpr95, [0.025, 0.975]), abs=1e-3)
    assert found.auprc_above_chance == pytest.approx(np.quantile(above, [0.025, 0.975]), abs=1e-3)


def test_the_same_seed_gives_the_same_intervals():
    metrics = streamed(simulated(images=6, pixels=500))
    assert metrics.intervals(100, seed=3) == metrics.intervals(100, seed=3)
    assert metrics.intervals(100, seed=3) != metrics.intervals(100, seed=4)


def test_the_width_of_all_images_is_that_of_their_interval_and_fewer_images_are_wider():
    metrics = streamed(simulated(images=20, pixels=2000))
    images = list(metrics.images.values())
    low, high = metrics.intervals(2000).auprc
    assert interval_widths(images, 20, subsets=1, resamples=2000).item() == pytest.approx(high - low, rel=0.1)
    few, many = (interval_widths(images, size, subsets=30).median() for size in (5, 15))
    assert few > 1.2 * many
    assert torch.equal(interval_widths(images, 5, 3, seed=1), interval_widths(images, 5, 3, seed=1))


def test_a_constant_score_is_never_above_chance_and_a_good_one_is():
    images = list(simulated(images=10, pixels=500))
    constant = streamed((torch.zeros_like(scores), truth) for scores, truth in images).intervals(200)
    assert constant.auprc_above_chance == pytest.approx((0, 0), abs=1e-12)
    low, _ = streamed(images).intervals(200).auprc_above_chance
    assert low > 0.05


def test_resamples_without_an_anomaly_are_left_out():
    images = list(simulated(images=3, pixels=200))
    images = [images[0], *((scores, torch.zeros_like(truth)) for scores, truth in images[1:])]
    assert 0 < streamed(images).intervals(100).resamples < 100
    hopeless = streamed(images[1:]).intervals(100)
    assert hopeless.resamples == 0 and math.isnan(hopeless.auprc[0])


def test_an_image_of_void_alone_changes_nothing_but_the_draws():
    metrics = streamed(simulated(images=2, pixels=200))
    metrics.update(torch.rand(10), torch.full((10,), 255), "void")
    assert metrics.intervals(100).resamples > 90


def test_nothing_to_draw_from_raises():
    with pytest.raises(ValueError, match="got 0 images, 10 resamples"):
        StreamingMetrics().intervals(10)
    with pytest.raises(ValueError, match="got 2 images, 0 resamples"):
        streamed(simulated(images=2, pixels=50)).intervals(0)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    truth = streamed(simulated(images=2000, pixels=200, seed=99)).compute()
    hits = 0
    for seed in range(60):
        low, high = streamed(simulated(images=30, pixels=200, seed=seed)).intervals(200).auprc
        hits += low <= truth.auprc <= high
    assert 50 <= hits <= 60  # 95 % of 60 is 57; a binomial gives fewer than 50 once in ten thousand
