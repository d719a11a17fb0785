"""Smoothing and the distance to known features: cases by hand, independent judges, errors in one line."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.neighbors import NearestNeighbors
from small_detectors import Halving
from torch.nn import functional as F

from course_lib.detectors import (
    MOST_BYTES,
    REACH,
    FeatureBank,
    digest_of,
    distance_to_known,
    smoothed,
)
from course_lib.detectors.measures import CHUNK


def bank_of(rows, stride=8):
    directions = F.normalize(torch.as_tensor(rows, dtype=torch.float32), dim=1)
    return FeatureBank(directions, stride, "weights", "images")


def test_a_single_pixel_becomes_the_gaussian_by_hand():
    scores = torch.zeros(1, 5, 5)
    scores[0, 2, 2] = 1
    near = math.exp(-1 / (2 * 0.6**2))  # of the neighbour of a pixel; the Gaussian reaches 2 pixels
    far = math.exp(-4 / (2 * 0.6**2))
    total = 1 + 2 * near + 2 * far
    line = torch.tensor([far, near, 1, near, far]) / total
    torch.testing.assert_close(smoothed(scores, 0.6)[0], line[:, None] * line)


@pytest.mark.parametrize("sigma", [0.1, 0.7, 2.0, 4.0, 30.0])
def test_smoothing_equals_scipys_with_edges_repeated(sigma):
    scores = torch.randn(2, 20, 33, generator=torch.Generator().manual_seed(0))
    expected = [gaussian_filter(one.numpy(), sigma, mode="nearest", truncate=REACH) for one in scores]
    torch.testing.assert_close(smoothed(scores, sigma), torch.from_numpy(np.stack(expected)))


def test_smoothing_keeps_constants_shape_and_dtype_and_leaves_the_scores_alone():
    scores = torch.full((3, 4, 6), -2.5, dtype=torch.float64)
    kept = scores.clone()
    found = smoothed(scores, 2.0)
    torch.testing.assert_close(found, kept)
    assert torch.equal(scores, kept)


@pytest.mark.parametrize("sigma", [0, -1.0, math.nan, math.inf])
def test_a_sigma_that_is_no_positive_number_is_refused(sigma):
    with pytest.raises(ValueError, match=f"sigma .* must be a positive number of pixels, got {sigma}"):
        smoothed(torch.zeros(1, 4, 4), sigma)


@pytest.mark.parametrize("scores", [torch.zeros(4, 4), torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4).long()])
def test_scores_of_another_shape_or_type_are_not_smoothed(scores):
    with pytest.raises(ValueError, match=r"need float scores \(N, H, W\), got"):
        smoothed(scores, 1.0)


@pytest.mark.parametrize(("neighbours", "expected"), [(1, 0.2), (2, 0.3), (3, 1 - 0.8 / 3)])
def test_the_distance_is_one_minus_the_mean_cosine_of_the_nearest(neighbours, expected):
    bank = bank_of([[1, 0], [0, 1], [-1, 0]])  # cosines to (3, 4): 0.6, 0.8, -0.6
    features = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    assert distance_to_known(features, bank, neighbours).item() == pytest.approx(expected, abs=1e-6)


def test_only_directions_count_and_what_is_in_the_bank_is_at_distance_0():
    rows = torch.randn(20, 16, generator=torch.Generator().manual_seed(0))
    features = (7 * rows).T.reshape(1, 16, 4, 5)
    found = distance_to_known(features, bank_of(rows), neighbours=1)
    assert found.shape == (1, 4, 5) and found.amin() >= 0 and found.amax() < 1e-6


def test_a_place_without_features_is_at_distance_1():
    assert distance_to_known(torch.zeros(1, 2, 1, 1), bank_of([[1, 0], [0, 1]]), 2).item() == 1


def test_distances_agree_with_scikit_learn_beyond_one_chunk():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(CHUNK + 90, 6, generator=generator)
    features = torch.randn(2, 6, 5, 7, generator=generator)
    bank = bank_of(rows)
    judge = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(bank.directions.float())
    distances, _ = judge.kneighbors(features.movedim(1, -1).reshape(-1, 6))
    expected = torch.from_numpy(distances).mean(dim=1).view(2, 5, 7).float()
    torch.testing.assert_close(distance_to_known(features, bank), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "neighbours", "message"),
    [
        ((1, 3, 2, 2), 1, r"need features \(N, 2, h, w\) for a bank of 2 channels, got \(1, 3, 2, 2\)"),
        ((2, 4, 4), 1, r"need features \(N, 2, h, w\)"),
        ((1, 2, 2, 2), 4, "neighbours must be 1 to 3, the entries of the bank; got 4"),
        ((1, 2, 2, 2), 0, "neighbours must be 1 to 3"),
    ],
)
def test_features_and_neighbours_that_do_not_fit_the_bank_are_one_line(shape, neighbours, message):
    with pytest.raises(ValueError, match=message):
        distance_to_known(torch.rand(shape), bank_of([[1, 0], [0, 1], [-1, 0]]), neighbours)


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        (torch.zeros(0, 4), r"need features \(M, C\) for a bank, got \(0, 4\)"),
        (torch.full((2, 4), math.nan), "features for a bank are not finite"),
        (torch.zeros(MOST_BYTES // 200 + 1, 100), r"takes 2.0 MB, more than 2; draw fewer"),
    ],
)
def test_a_bank_is_finite_and_small(directions, message):
    with pytest.raises(ValueError, match=message):
        FeatureBank(directions, 8, "weights", "images")


def test_a_bank_of_other_weights_is_refused_and_auxiliary_heads_do_not_count():
    network = Halving()
    bank = FeatureBank(torch.eye(8), 8, digest_of(network), "images")
    bank.check(network)
    network.extra, network.auxiliary_names = torch.nn.Linear(2, 2), ("extra",)
    bank.check(network)
    with torch.no_grad():
        network.last.bias[0] += 1e-3
    with pytest.raises(ValueError, match="the bank at 1/8 was drawn with other weights than this network's"):
        bank.check(network)
