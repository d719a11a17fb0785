"""Streaming metrics: exact while small, honest about the error when large, the same however it is shared."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from course_lib.metrics import EXACT_PIXELS, StreamingMetrics
from course_lib.metrics.histogram import NUM_BINS, split_bits

KINDS = {
    "normal": lambda noise: noise,
    "max logit": lambda noise: -9 + 3 * noise,
    "softmax": lambda noise: torch.sigmoid(noise - 3),
    "log probability": lambda noise: -torch.exp(2 * noise + 1),
    "256 levels": lambda noise: (noise * 32).round() / 32,
    "two levels": lambda noise: (noise > 1).float(),
    "mostly one": lambda noise: noise.clamp(max=-2),
}


def pixels(kind, count, seed=0):
    """Return scores of two overlapping classes, and a mask with a tenth of void."""
    generator = torch.Generator().manual_seed(seed)
    target = (torch.rand(count, generator=generator) < 0.03).to(torch.uint8)
    scores = KINDS[kind](torch.randn(count, generator=generator) + target)
    target[torch.rand(count, generator=generator) < 0.1] = 255
    return scores, target


def streamed(scores, target, images, **options):
    metrics = StreamingMetrics(**options)
    for i, (part, truth) in enumerate(zip(scores.chunk(images), target.chunk(images), strict=True)):
        metrics.update(part, truth, f"{i:03d}")
    return metrics


def judged(scores, target):
    """Return AuPRC, FPR95 and AUROC by scikit-learn."""
    valid = target != 255
    truth, values = target[valid].numpy(), scores[valid].numpy()
    fpr, tpr, _ = roc_curve(truth, values, drop_intermediate=False)
    return average_precision_score(truth, values), fpr[tpr >= 0.95][0], roc_auc_score(truth, values)


@pytest.mark.parametrize("kind", KINDS)
def test_small_benchmarks_are_exact(kind):
    scores, target = pixels(kind, 20_000)
    found = streamed(scores, target, images=4).compute()
    assert (found.auprc, found.fpr95, found.auroc) == pytest.approx(judged(scores, target), rel=1e-9)
    assert (found.auprc_bound, found.fpr95_bound, found.auroc_bound) == (0, 0, 0)
    assert found.images == 4 and found.pixels == int((target != 255).sum())
    assert found.prevalence == pytest.approx((target == 1).sum().item() / found.pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_large_benchmarks_are_close_and_within_their_own_bound(kind):
    scores, target = pixels(kind, 2_000_000)
    metrics = streamed(scores, target, images=8)
    assert metrics.kept is None and int((target != 255).sum()) > EXACT_PIXELS
    found = metrics.compute()
    expected = judged(scores, target)
    bounds = found.auprc_bound, found.fpr95_bound, found.auroc_bound
    for value, truth, bound in zip((found.auprc, found.fpr95, found.auroc), expected, bounds, strict=True):
        assert abs(value - truth) < 1e-4
        assert abs(value - truth) <= bound + 1e-9
    if "level" in kind:
        assert bounds == (0, 0, 0)  # every bin holds one distinct score: nothing is lost


def test_scores_in_few_bins_are_taken_as_evenly_mixed_and_not_as_ties():
    scores, target = pixels("normal", 1_500_000)
    found = streamed(100 + scores, target, images=3, exact_pixels=10).compute()
    auprc, _, auroc = judged(100 + scores, target)
    assert abs(found.auprc - auprc) < 3e-5 < found.auprc_bound  # as ties it would be off by 3e-4
    assert abs(found.auroc - auroc) < 3e-5


def test_scores_that_share_bins_report_a_bound_that_holds():
    scores, target = pixels("normal", 50_000)
    scores = 1000 + scores / 500  # all within a few bins
    found = streamed(scores, target, images=2, exact_pixels=10).compute()
    differences = np.abs(np.subtract((found.auprc, found.fpr95, found.auroc), judged(scores, target)))
    assert (differences <= (found.auprc_bound, found.fpr95_bound, found.auroc_bound)).all()
    assert found.auprc_bound > 0.001 and found.fpr95_bound > 0.01


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_the_bound_holds_whatever_the_order_inside_a_bin(data):
    steps = data.draw(hnp.arrays(np.int32, st.integers(2, 40), elements=st.integers(0, 1500)))
    scores = (np.float32(0.5).view(np.int32) + steps).view(np.float32)  # neighbouring floats, in six bins
    target = data.draw(hnp.arrays(np.uint8, scores.shape, elements=st.integers(0, 1)))
    target[0], target[1] = 1, 0
    scores, target = torch.from_numpy(scores), torch.from_numpy(target)
    found = streamed(scores, target, images=1, exact_pixels=1).compute()
    differences = np.abs(np.subtract((found.auprc, found.fpr95, found.auroc), judged(scores, target)))
    assert (differences <= np.array((found.auprc_bound, found.fpr95_bound, found.auroc_bound)) + 1e-9).all()


@pytest.mark.parametrize(
    "limits", [(10**6, 10**6), (1000, 1000), (15_000, 15_000)], ids=["exact", "binned", "crossing"]
)
def test_two_halves_merged_are_the_whole_bit_for_bit(limits):
    scores, target = pixels("max logit", 20_000)
    whole = streamed(scores, target, images=6, exact_pixels=limits[0])
    first, second = (StreamingMetrics(exact_pixels=limits[1]) for _ in range(2))
    for i, (part, truth) in enumerate(zip(scores.chunk(6), target.chunk(6), strict=True)):
        (second if i % 2 else first).update(part, truth, f"{i:03d}")
    second.merge(first)
    assert second.compute() == whole.compute()
    assert second.intervals(resamples=50) == whole.intervals(resamples=50)
    assert (second.kept is None) == (whole.kept is None)
    for state in ("pages", "counts", "only"):
        assert torch.equal(getattr(second.histogram, state), getattr(whole.histogram, state))


def test_merging_the_same_image_twice_raises():
    scores, target = pixels("normal", 1000)
    first, second = streamed(scores, target, images=2), streamed(scores, target, images=2)
    with pytest.raises(ValueError, match="both halves hold image '000'"):
        first.merge(second)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_constant_but_for_small_summaries(kind):
    scores, target = pixels(kind, 400_000)
    few = streamed(scores[:200_000], target[:200_000], images=10, exact_pixels=1000)
    many = streamed(scores, target, images=20, exact_pixels=1000)
    for image in many.images.values():
        assert sum(part.element_size() * part.numel() for part in image) <= 65_536
    assert many.kept is None and len(pickle.dumps(many.histogram)) < 25e6
    assert len(many.histogram.pages) <= 1.1 * len(few.histogram.pages)


def test_bins_keep_the_order_of_floats():
    values = [float("-inf"), -3.0, -1e-30, -0.0, 0.0, 1e-30, 1.0, 1.0005, 3e38, float("inf")]
    bins, _ = split_bits(torch.tensor(values))
    assert (bins.diff() >= 0).all() and bins[3] == bins[4] and bins[0] >= 0 and bins[-1] < NUM_BINS


def test_small_benchmarks_are_exact_in_double_precision_too():
    scores = 1 + torch.arange(2000, dtype=torch.float64) * 1e-10
    target = (torch.arange(2000) % 3 == 0).to(torch.uint8)
    found = streamed(scores, target, images=2).compute()
    assert (found.auprc, found.fpr95, found.auroc) == pytest.approx(judged(scores, target), rel=1e-9)


def test_the_bound_of_the_chord_reaches_into_the_next_bin():
    # 19 of 20 anomalies above a bin in which 500 normal pixels outrank the last anomaly
    low = torch.linspace(0.50001, 0.50003, 1001)
    scores = torch.cat([torch.linspace(2, 3, 19), low])
    target = torch.zeros(1020, dtype=torch.uint8)
    target[:19], target[19 + 500] = 1, 1
    exact = streamed(scores, target, images=1).compute("chord")
    found = streamed(scores, target, images=1, exact_pixels=1).compute("chord")
    assert exact.fpr95 > 0.4 and abs(found.fpr95 - exact.fpr95) <= found.fpr95_bound


def test_infinite_scores_are_ordinary_ties():
    scores = torch.tensor([float("inf"), float("inf"), 0.0, float("-inf")])
    target = torch.tensor([1, 0, 1, 0], dtype=torch.uint8)
    for limit in (10, 1):
        found = streamed(scores, target, images=1, exact_pixels=limit).compute()
        assert (found.auprc, found.fpr95, found.auroc) == pytest.approx(((1 / 2 + 2 / 3) / 2, 0.5, 0.625))


@pytest.mark.parametrize("limit", [10**6, 10])
def test_the_largest_tie_is_the_share_of_pixels_at_one_score(limit):
    scores = torch.tensor([1.0] * 12 + [0.3] * 5 + [0.1, 0.2, 0.4])
    target = (torch.arange(20) % 4 == 0).int()
    metrics = streamed(scores, target, images=2, exact_pixels=limit).compute()
    assert metrics.largest_tie == 0.6 and not metrics.constant


def test_scores_that_only_share_a_bin_are_no_tie():
    scores = 1 + 1e-5 * torch.arange(20)
    metrics = streamed(scores, (torch.arange(20) % 4 == 0).int(), images=1, exact_pixels=0).compute()
    assert metrics.largest_tie == 0


@pytest.mark.parametrize("limit", [10**6, 10])
def test_a_constant_score_is_named_and_gets_chance(limit):
    target = torch.tensor([1] + [0] * 19, dtype=torch.uint8)
    found = streamed(torch.full((20,), 0.3), target, images=1, exact_pixels=limit)
    step, chord = found.compute("step"), found.compute("chord")
    assert step.constant and step.auprc == step.prevalence == 0.05
    assert (step.fpr95, chord.fpr95, step.auroc) == (1.0, pytest.approx(0.95), 0.5)
    assert not streamed(torch.arange(20.0), target, images=1, exact_pixels=limit).compute().constant


def test_void_pixels_never_count():
    scores, target = pixels("normal", 5000)
    disturbed = scores.where(target != 255, torch.tensor(1e9))
    assert streamed(disturbed, target, 2).compute() == streamed(scores, target, 2).compute()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([255, 255], "got 0 anomalous, 0 normal"),
        ([0, 0], "got 0 anomalous, 2 normal"),
        ([1, 1], "2 anomalous, 0 normal"),
    ],
)
@pytest.mark.parametrize("limit", [10, 1])
def test_all_void_or_one_class_gives_a_clear_answer(target, message, limit):
    metrics = streamed(torch.rand(2), torch.tensor(target, dtype=torch.uint8), images=1, exact_pixels=limit)
    with pytest.raises(ValueError, match=message):
        metrics.compute()


@pytest.mark.parametrize(
    ("scores", "target", "name", "message"),
    [
        ([1.0, 2.0], [1], "b", r"image 'b': scores \(2,\) and mask \(1,\) differ"),
        ([1.0, float("nan")], [1, 0], "b", "image 'b': 1 of 2 scores are NaN"),
        ([1.0, 2.0], [2, 0], "b", r"image 'b': masks hold 0, 1 and 255, got \[0, 2\]"),
        ([1.0, 2.0], [1, 0], "a", "image 'a' was added before"),
    ],
)
def test_bad_images_are_named_and_change_nothing(scores, target, name, message):
    metrics = StreamingMetrics()
    metrics.update(torch.tensor([3.0, 1.0]), torch.tensor([1, 0]), "a")
    before = metrics.compute()
    with pytest.raises(ValueError, match=message):
        metrics.update(torch.tensor(scores), torch.tensor(target), name)
    assert metrics.compute() == before
