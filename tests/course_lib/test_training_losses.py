"""The losses of the paper's Table 4: pixels by hand, the reference values, and what must not count."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.losses import (
    LOSSES,
    cross_entropy_sum,
    find_term,
    focal_sum,
    isomax_sum,
    logit_norm_sum,
    weight_sum,
)

GOLDENS = Path(__file__).parents[1] / "goldens"
FACTS = json.loads((GOLDENS / "losses.json").read_text())
ARRAYS = np.load(GOLDENS / "losses.npz")
TOLERANCES = ((torch.float64, 1e-9), (torch.float32, 1e-5))
in_both_precisions = pytest.mark.parametrize(("dtype", "relative"), TOLERANCES)


def golden(name, dtype=torch.float64):
    return torch.from_numpy(ARRAYS[name]).to(dtype)


def pixels(*columns):
    """Return logits (1, C, 1, W) from one list of C logits per pixel."""
    return torch.tensor(columns, dtype=torch.float64).T.reshape(1, -1, 1, len(columns))


def mean_and_gradient(term, logits, weights):
    """Return the weighted mean over the valid pixels of the golden labels, and its gradient."""
    logits, target = logits.clone().requires_grad_(), golden("labels").long()
    mean = term(logits, target, weights) / weight_sum(target, weights)
    mean.backward()
    return mean.item(), logits.grad


def assert_near(found, expected, relative):
    torch.testing.assert_close(found.double(), expected, rtol=relative, atol=relative * expected.abs().max())


@in_both_precisions
@pytest.mark.parametrize("gamma", [0, 2, 5])
@pytest.mark.parametrize("reduction", ["mean_over_valid", "weighted_mean_over_weight_sum"])
def test_focal_equals_the_reference(gamma, reduction, dtype, relative):
    weights = golden("class_weights", dtype) if "weighted" in reduction else torch.ones(19, dtype=dtype)
    found, gradient = mean_and_gradient(
        lambda *a: focal_sum(*a, gamma=gamma), golden("logits", dtype), weights
    )
    assert found == pytest.approx(FACTS["focal"][f"gamma_{gamma}"][reduction]["loss"], rel=relative)
    assert_near(gradient, golden(f"focal_gamma{gamma}_grad_{reduction}"), relative)


@in_both_precisions
@pytest.mark.parametrize("temperature", [0.04, 1, 0.01])
def test_logit_norm_equals_the_reference_and_not_the_norm_over_the_width(temperature, dtype, relative):
    facts, ones = FACTS["logitnorm"][f"t_{temperature}"], torch.ones(19, dtype=dtype)
    found, gradient = mean_and_gradient(
        lambda *a: logit_norm_sum(*a, temperature=temperature), golden("logits", dtype), ones
    )
    assert found == pytest.approx(facts["loss"], rel=relative)
    assert found != pytest.approx(facts["WRONG_loss_if_norm_taken_over_last_axis_of_BCHW"], rel=1e-3)
    assert_near(gradient, golden(f"logitnorm_t{temperature}_grad_logits"), relative)


def test_focal_of_two_pixels_by_hand():
    logits, weights = pixels([0, math.log(3)], [5, 0]), torch.tensor([1.0, 2.0]).double()
    target = torch.tensor([[[1, 255]]])  # p = 3/4, weight 2; the other pixel is void
    assert focal_sum(logits, target, weights).item() == pytest.approx(2 * (1 / 4) ** 2 * math.log(4 / 3))
    assert focal_sum(logits, target, weights, gamma=0).item() == pytest.approx(2 * math.log(4 / 3))


def test_focal_with_gamma_0_is_the_cross_entropy_and_negative_gammas_are_refused():
    logits, weights = golden("logits"), golden("class_weights")
    target = golden("labels").long()
    expected = cross_entropy_sum(logits, target, weights)
    torch.testing.assert_close(focal_sum(logits, target, weights, gamma=0), expected)
    with pytest.raises(ValueError, match=r"gamma must be 0 or more, got -1"):
        focal_sum(logits, target, weights, gamma=-1)


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
def test_focal_has_a_finite_gradient_where_a_pixel_is_certain(gamma):
    logits = torch.tensor([[200.0, -200.0], [0.0, 0.0]]).T.reshape(1, 2, 1, 2).requires_grad_()
    for target in ([[[0, 0]]], [[[1, 0]]]):
        loss = focal_sum(logits, torch.tensor(target), torch.ones(2), gamma=gamma)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite() and gradient.isfinite().all()


def test_logit_norm_of_a_pixel_by_hand():
    # length 5, so (3, 4) becomes (0.6, 0.8) / 0.04 = (15, 20)
    loss = logit_norm_sum(pixels([3, 4]), torch.tensor([[[1]]]), torch.ones(2).double())
    assert loss.item() == pytest.approx(math.log1p(math.exp(-5)), rel=1e-6)


def test_logit_norm_does_not_see_how_long_the_logits_are():
    logits, target, ones = golden("logits"), golden("labels").long(), torch.ones(19).double()
    once, thrice = (logit_norm_sum(factor * logits, target, ones) for factor in (1, 3))
    assert once.item() == pytest.approx(thrice.item(), rel=1e-6)


def test_an_output_that_is_never_trained_takes_no_part_in_logit_norm():
    torch.manual_seed(0)
    logits, known = torch.randn(2, 19, 3, 4, requires_grad=True), [0, 2, 13]
    loss = logit_norm_sum(logits, torch.tensor([0, 2, 13, 255]).expand(2, 3, 4), torch.ones(19), known)
    places = torch.tensor([0, 1, 2, 255]).expand(2, 3, 4)
    alone = logit_norm_sum(logits[:, known], places, torch.ones(3))
    assert loss.item() == pytest.approx(alone.item())
    loss.backward()
    touched = logits.grad.abs().sum(dim=(0, 2, 3)) > 0
    assert touched.nonzero().flatten().tolist() == known


def test_a_target_outside_the_known_classes_is_not_passed_over():
    loss = logit_norm_sum(torch.randn(1, 3, 1, 1), torch.tensor([[[1]]]), torch.ones(3), known_classes=[0, 2])
    assert loss.item() == math.inf


def test_logits_of_zero_have_a_finite_gradient_in_logit_norm():
    logits = torch.zeros(1, 19, 2, 2, requires_grad=True)
    loss = logit_norm_sum(logits, torch.zeros(1, 2, 2, dtype=torch.long), torch.ones(19))
    loss.backward()
    assert loss.item() == pytest.approx(4 * math.log(19)) and logits.grad.isfinite().all()


def test_isomax_multiplies_by_ten_by_hand():
    # differences of 0.1 become differences of 1
    loss = isomax_sum(pixels([-0.5, -0.6]), torch.tensor([[[1]]]), torch.ones(2).double())
    assert loss.item() == pytest.approx(math.log1p(math.e))


@pytest.mark.parametrize("name", LOSSES)
def test_void_pixels_get_no_gradient_and_an_all_void_batch_gives_zero(name):
    torch.manual_seed(0)
    logits, weights = torch.randn(1, 19, 2, 3, requires_grad=True), torch.rand(19) + 0.5
    target = torch.tensor([[[0, 255, 7], [255, 3, 18]]])
    term = find_term(name, margins=(-9.0, 0.0))
    term(logits, target, weights).backward()
    silent = logits.grad.abs().sum(dim=1)[0] == 0
    assert silent.tolist() == [[False, True, False], [True, False, False]]
    changed = logits.detach().where(target != 255, 99.0)
    assert term(changed, target, weights).item() == pytest.approx(term(logits, target, weights).item())
    logits.grad = None
    nothing = term(logits, torch.full((1, 2, 3), 255), weights)
    nothing.backward()
    assert nothing.item() == 0 and not logits.grad.any()


@pytest.mark.parametrize("name", ["ce", "fl", "ln", "eiml"])
def test_a_network_that_knows_nothing_has_a_mean_loss_of_log_19(name):
    logits, weights = torch.zeros(2, 19, 3, 4, dtype=torch.float64), golden("class_weights")
    target = torch.randint(0, 19, (2, 3, 4))
    mean = find_term(name)(logits, target, weights) / weight_sum(target, weights)
    factor = (18 / 19) ** 2 if name == "fl" else 1
    assert mean.item() == pytest.approx(factor * math.log(19))


def test_only_logit_norm_is_told_the_known_classes_and_unknown_terms_are_named():
    assert find_term("ce", [0, 2]) is cross_entropy_sum
    assert find_term("ln", [0, 2]).keywords == {"known_classes": [0, 2]}
    with pytest.raises(ValueError, match="unknown loss term 'eim'; known are ce, ohem, fl, ln, eiml"):
        find_term("eim")
