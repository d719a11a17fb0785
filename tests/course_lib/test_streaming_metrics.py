"""Streaming metrics: exact while small, within 1e-4 when large, the same however it is shared."""

import pickle

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from course_lib.metrics import EXACT_PIXELS, StreamingMetrics, exact_curve
from course_lib.metrics.streaming import NUM_BINS, bin_of, lower_edges

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
    assert found.images == 4 and found.pixels == int((target != 255).sum())
    assert found.prevalence == pytest.approx((target == 1).sum().item() / found.pixels)


@pytest.mark.parametrize("convention", ["step", "chord"])
@pytest.mark.parametrize("kind", KINDS)
def test_large_benchmarks_are_within_a_ten_thousandth(kind, convention):
    scores, target = pixels(kind, 2_000_000)
    metrics = streamed(scores, target, images=8)
    assert metrics.kept is None and int((target != 255).sum()) > EXACT_PIXELS
    found, valid = metrics.compute(convention), target != 255
    curve = exact_curve(scores[valid], target[valid] == 1)
    auprc, fpr95, auroc = judged(scores, target)
    assert (found.auprc, found.auroc) == pytest.approx((auprc, auroc), abs=1e-4)
    assert found.fpr95 == pytest.approx(curve.fpr_at_tpr(0.95, convention).item(), abs=1e-4)
    if convention == "step":
        assert found.fpr95 == pytest.approx(fpr95, abs=1e-4)
    assert found.largest_tie == pytest.approx(curve.largest_tie().item(), abs=3e-4)


def test_scores_in_few_bins_are_taken_as_evenly_mixed_and_not_as_ties():
    scores, target = pixels("normal", 1_500_000)
    found = streamed(100 + scores, target, images=3, exact_pixels=10).compute()
    auprc, _, auroc = judged(100 + scores, target)
    assert abs(found.auprc - auprc) < 3e-5  # as ties it would be off by 3e-4
    assert abs(found.auroc - auroc) < 3e-5


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
    assert second.histogram.pages.keys() == whole.histogram.pages.keys()
    for page, counts in second.histogram.pages.items():
        assert torch.equal(counts, whole.histogram.pages[page])


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
    bins = bin_of(torch.tensor(values))
    assert (bins.diff() >= 0).all() and bins[3] == bins[4] and bins[0] >= 0 and bins[-1] < NUM_BINS


def test_small_benchmarks_are_exact_in_double_precision_too():
    scores = 1 + torch.arange(2000, dtype=torch.float64) * 1e-10
    target = (torch.arange(2000) % 3 == 0).to(torch.uint8)
    found = streamed(scores, target, images=2).compute()
    assert (found.auprc, found.fpr95, found.auroc) == pytest.approx(judged(scores, target), rel=1e-9)


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
    bins = bin_of(scores)
    edges = lower_edges(bins)
    assert (edges <= scores).all()
    assert torch.equal(bin_of(edges), bins)
    assert torch.equal(bin_of(edges.nextafter(torch.tensor(-torch.inf))), bins - 1)
