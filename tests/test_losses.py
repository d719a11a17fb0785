"""Losses: one case by hand, the reference values, and what must not count."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.losses import class_weights, cross_entropy_sum, weight_sum

GOLDENS = Path(__file__).parent / "goldens"


def test_rare_classes_weigh_more_by_the_published_formula():
    weights = class_weights(torch.tensor([0.99, 0.01, 0.0]), 1.10)
    assert weights.tolist() == pytest.approx([1 / math.log(2.09), 1 / math.log(1.11), 1 / math.log(1.10)])


def test_impossible_shares_and_constants_are_refused():
    with pytest.raises(ValueError, match=r"add up to 1 and a constant above 1, got 2 and 1\.1"):
        class_weights(torch.ones(2), 1.1)
    with pytest.raises(ValueError, match=r"got 1 and 1\.0"):
        class_weights(torch.tensor([0.5, 0.5]), 1.0)


def test_cross_entropy_on_two_pixels_by_hand():
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 5.0]]).view(1, 2, 1, 2)
    weights = torch.tensor([1.0, 2.0])
    target = torch.tensor([[[1, 255]]])  # p = 3/4, weight 2; the other pixel is void
    assert cross_entropy_sum(logits, target, weights).item() == pytest.approx(2 * math.log(4 / 3))
    assert weight_sum(target, weights).item() == 2


def test_void_pixels_get_no_gradient_and_an_all_void_batch_gives_zero():
    logits = torch.randn(1, 19, 2, 2, requires_grad=True)
    target = torch.tensor([[[0, 255], [255, 3]]])
    cross_entropy_sum(logits, target, torch.ones(19)).backward()
    silent = logits.grad.abs().sum(dim=1)[0] == 0
    assert silent.tolist() == [[False, True], [True, False]]
    void = torch.full((1, 2, 2), 255)
    assert cross_entropy_sum(logits, void, torch.ones(19)).item() == 0
    assert weight_sum(void, torch.ones(19)).item() == 0


def test_sums_of_parts_give_the_loss_of_the_whole():
    torch.manual_seed(0)
    logits, weights = torch.randn(4, 19, 6, 6), torch.rand(19) + 0.5
    target = torch.randint(0, 19, (4, 6, 6))
    target[0] = 255  # parts with very different numbers of valid pixels
    target[1, :5] = 255
    whole = torch.nn.functional.cross_entropy(logits, target, weights, ignore_index=255)
    pairs = list(zip(logits.split(1), target.split(1), strict=True))
    total = sum(cross_entropy_sum(z, y, weights) for z, y in pairs)
    assert (total / sum(weight_sum(y, weights) for _, y in pairs)).item() == pytest.approx(whole.item())


@pytest.fixture(scope="module")
def goldens():
    arrays = np.load(GOLDENS / "losses.npz")
    return {name: torch.from_numpy(arrays[name]) for name in ("logits", "labels", "class_weights")}


def test_cross_entropy_equals_the_reference(goldens):
    # a focal loss with gamma 0 is the cross-entropy
    expected = json.loads((GOLDENS / "losses.json").read_text())["focal"]["gamma_0"]
    logits, target = goldens["logits"].double(), goldens["labels"].long()
    weights = goldens["class_weights"].double()
    total = cross_entropy_sum(logits, target, weights)
    ours = {
        "loss": (total / weight_sum(target, weights)).item(),
        "sum": cross_entropy_sum(logits, target, torch.ones(19).double()).item(),
    }
    assert ours["loss"] == pytest.approx(expected["weighted_mean_over_weight_sum"]["loss"])
    assert ours["sum"] == pytest.approx(expected["sum"]["loss"])
