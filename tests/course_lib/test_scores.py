"""Scores on pixels solved by hand, against the goldens, and with bad arguments."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib import scores

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "losses.npz")


def pixel(*logits):
    return torch.tensor(logits).view(1, -1, 1, 1)


def test_scores_of_two_equal_logits_by_hand():
    equal = pixel(2.0, 2.0)
    assert scores.msp(equal).item() == pytest.approx(0.5)
    assert scores.max_logit(equal).item() == -2.0
    assert scores.max_entropy(equal).item() == pytest.approx(1.0)
    assert scores.energy(equal).item() == pytest.approx(-2 - math.log(2))
    assert scores.energy(equal, temperature=2.0).item() == pytest.approx(-2 - 2 * math.log(2))


def test_temperature_divides_the_logits():
    assert scores.msp(pixel(0.0, math.log(9.0)), temperature=2.0).item() == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("score", "golden", "sign"),
    [
        (scores.msp, "softmax_MSP_score", 1),
        (scores.max_logit, "max_logit", -1),
        (lambda z: scores.max_entropy(z) * math.log(19), "entropy_nats", 1),
        (scores.energy, "energy_T1", 1),
        (lambda z: scores.energy(z, temperature=2.0), "energy_T2", 1),
        (lambda z: 1 - scores.msp(z, temperature=2.0), "max_probability_T2", 1),
    ],
)
def test_scores_equal_the_goldens(score, golden, sign):
    logits = torch.from_numpy(GOLDENS["logits"]).double()
    torch.testing.assert_close(sign * score(logits), torch.from_numpy(GOLDENS[golden]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["msp", "max_logit", "max_entropy", "energy"])
def test_the_20th_channel_takes_no_part(name):
    logits = torch.randn(2, 20, 3, 4)
    logits[:, 19, 0] += 5
    without = scores.score(name, logits[:, :19])
    assert without.shape == (2, 3, 4)
    torch.testing.assert_close(scores.score(name, logits), without)
    assert not torch.allclose(scores.score(name, logits, known_classes=range(20)), without)


def test_only_known_classes_take_part():
    logits = torch.randn(1, 19, 3, 4)
    known = [0, 2, 13]
    torch.testing.assert_close(scores.msp(logits, known), scores.msp(logits[:, known]))
    uniform = torch.zeros(1, 19, 1, 1)
    assert scores.max_entropy(uniform, known).item() == pytest.approx(1.0)


def test_void_is_the_logarithm_of_its_probability_and_never_underflows():
    logits = torch.zeros(1, 20, 1, 2)
    logits[0, 0] = torch.tensor([200.0, 300.0])
    assert logits.softmax(1)[0, 19].tolist() == [[0.0, 0.0]]
    assert scores.void(logits).tolist() == [[[-200.0, -300.0]]]
    assert scores.one_minus_void(logits).tolist() == [[[1.0, 1.0]]]


@pytest.mark.parametrize("name", scores.SCORES)
def test_scores_leave_their_argument_alone(name):
    logits = torch.randn(1, 20, 2, 2)
    before = logits.clone()
    scores.score(name, logits, temperature=2.0)
    assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores.score("magic", pixel(1.0, 2.0)), "unknown score 'magic'; known are msp, max_logit"),
        (lambda: scores.msp(torch.zeros(19, 2, 2)), r"need float logits \(N, C, H, W\)"),
        (lambda: scores.msp(torch.zeros(1, 19, 2, 2, dtype=torch.int64)), "got torch.int64"),
        (
            lambda: scores.msp(pixel(1.0, 2.0), temperature=0.0),
            "temperature must be a positive number, got 0.0",
        ),
        (
            lambda: scores.energy(pixel(1.0, 2.0), temperature=math.inf),
            "temperature must be a positive number",
        ),
        (lambda: scores.msp(pixel(1.0, 2.0), known_classes=[0, 2]), "2 or more of the 2 channels"),
        (lambda: scores.msp(pixel(1.0, 2.0), known_classes=[0]), "2 or more of the 2 channels"),
        (lambda: scores.void(torch.zeros(1, 19, 2, 2)), "needs 20 outputs, void last"),
    ],
)
def test_bad_arguments_raise(call, message):
    with pytest.raises(ValueError, match=message):
        call()
