"""Losses: one case by hand, the reference values, and what must not count."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.losses import class_weights, cross_entropy_sum, ohem_sum, weight_sum

GOLDENS = Path(__file__).parents[1] / "goldens"


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


def with_probabilities(*own):
    """Return logits of two classes, (1, 2, 1, W), that give class 0 these probabilities."""
    p = torch.tensor(own, dtype=torch.float64)
    return torch.stack([p.log(), (1 - p).log()]).view(1, 2, 1, -1)


def test_ohem_leaves_easy_and_void_pixels_out():
    logits = with_probabilities(0.9, 0.5, 0.25, 0.01)
    target = torch.tensor([[[0, 0, 0, 255]]])  # the hardest pixel is void
    # Two of three valid pixels get less than 0.7: their mean, times three.
    expected = 3 * (math.log(2) + math.log(4)) / 2
    assert ohem_sum(logits, target, torch.ones(2).double()).item() == pytest.approx(expected)
    assert weight_sum(target, torch.ones(2)).item() == 3


def test_ohem_takes_the_hardest_sixteenth_where_few_pixels_are_hard():
    own = [0.99 - 0.001 * i for i in range(33)]
    target = torch.zeros(1, 1, 33, dtype=torch.long)
    expected = 33 * -(math.log(own[-1]) + math.log(own[-2])) / 2
    assert ohem_sum(with_probabilities(*own), target, torch.ones(2).double()).item() == pytest.approx(
        expected
    )


def test_ohem_weighs_classes_but_not_when_it_looks_for_hard_pixels():
    logits, target = with_probabilities(0.5, 0.4, 0.9), torch.tensor([[[0, 1, 0]]])
    weights = torch.tensor([1.0, 3.0]).double()
    expected = 5 * (math.log(2) - 3 * math.log(0.6)) / 4
    assert ohem_sum(logits, target, weights).item() == pytest.approx(expected)


@pytest.mark.parametrize(("own", "label"), [(0.5, 255), (0.99, 0)], ids=["all void", "few and easy"])
def test_ohem_of_nothing_is_zero_and_has_no_gradient(own, label):
    logits = with_probabilities(own, own).requires_grad_()
    loss = ohem_sum(logits, torch.full((1, 1, 2), label), torch.ones(2).double())
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


def test_ohem_of_parts_is_the_mean_of_the_parts_by_their_valid_pixels():
    torch.manual_seed(0)
    logits, target, ones = torch.randn(2, 19, 6, 6), torch.randint(0, 19, (2, 6, 6)), torch.ones(19)
    target[0, :3] = 255
    first, second = (ohem_sum(logits[i : i + 1], target[i : i + 1], ones) for i in (0, 1))
    hard = [
        torch.nn.functional.cross_entropy(z[:, y != 255].T, y[y != 255], reduction="none")
        for z, y in zip(logits, target, strict=True)
    ]
    means = [losses[losses > -math.log(0.7)].mean() for losses in hard]
    assert ((first + second) / 54).item() == pytest.approx(((18 * means[0] + 36 * means[1]) / 54).item())


OHEM_CASES = json.loads((GOLDENS / "losses.json").read_text())["ohem_ce"]


@pytest.mark.parametrize("case", OHEM_CASES)
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_ohem_equals_the_reference(goldens, case, dtype, relative):
    expected = OHEM_CASES[case]
    logits = (expected["logit_factor"] * goldens["logits"].to(dtype)).requires_grad_()
    target, ones = goldens["labels"].long(), torch.ones(19, dtype=dtype)
    total = ohem_sum(logits, target, ones, expected["thresh"])
    loss = total / weight_sum(target, ones)
    loss.backward()
    assert loss.item() == pytest.approx(expected["loss"], rel=relative)
    gradient, facts = logits.grad, expected["grad_logits"]
    assert gradient.norm().item() == pytest.approx(facts["l2"], rel=relative)
    assert gradient.flatten()[:6].tolist() == pytest.approx(facts["first6"], rel=relative, abs=1e-12)
