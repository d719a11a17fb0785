"""A detector is the sum of its parts in a common unit, of any size and speed; bad input is one clear line."""

import math

import pytest
import torch
from small_detectors import METADATA, SIZE, Halving, fitted, pictures, streets

from course_lib import data, detectors, models, scores
from course_lib.detectors import Detector, DistancePart, Recipe, ScorePart, Statistics

BOTH = Recipe("both", (DistancePart(16, neighbours=3), ScorePart("msp", sigma=1.5)))


def test_a_detector_is_the_sum_of_its_standardised_parts():
    detector, images = fitted(BOTH), pictures(2, 3, 64, 96)
    network, (distance, msp) = detector.network, detector.statistics
    with torch.no_grad():
        logits, maps = models.logits_and_scales(network, images, [16])
        far = detectors.distance_to_known(maps[16], detector.banks["16"], 3)
        far = torch.nn.functional.interpolate(far[:, None], (64, 96), mode="bilinear")[:, 0]
        unsure = detectors.smoothed(scores.msp(logits, METADATA.known_classes), 1.5)
        expected = (far - distance.mean) / distance.std + (unsure - msp.mean) / msp.std
        torch.testing.assert_close(detector(images), expected)


def test_each_part_has_mean_0_and_standard_deviation_1_on_the_validation_images():
    detector = fitted(BOTH)
    images = torch.stack([data.to_tensor(sample.image) for sample in streets(4, seed=1)])
    with torch.no_grad():
        parts = detector.part_maps(images)
    for part, (mean, std) in zip(parts, detector.statistics, strict=True):
        assert mean == pytest.approx(part.double().mean().item(), rel=1e-5)
        assert std == pytest.approx(part.double().std(correction=0).item(), rel=1e-4)


@pytest.mark.parametrize("size", [(33, 50), (64, 96), (32, 31), (5, 7)])
def test_scores_have_the_size_of_the_images_whatever_it_is(size):
    with torch.no_grad():
        found = fitted("neighbours_16_32_and_entropy")(pictures(2, 3, *size))
    assert found.shape == (2, *size) and found.isfinite().all()


def test_what_is_padded_is_not_smoothed_into_the_image():
    network, images = Halving().eval(), pictures(1, 3, 40, 70)
    detector = Detector(Recipe("plain", (ScorePart("max_logit", sigma=3.0),)), network, METADATA)
    with torch.no_grad():
        expected = detectors.smoothed(scores.max_logit(network(images), METADATA.known_classes), 3.0)
        torch.testing.assert_close(detector(images), expected)


def test_a_detector_stays_in_evaluation_mode_and_checks_images_as_its_network():
    detector = fitted(BOTH).train()
    assert not detector.training and not detector.network.training
    with pytest.raises(ValueError, match="divide by 255"):
        detector(torch.full((1, 3, 64, 96), 255.0))


def test_the_bank_holds_as_many_features_of_every_image_and_a_seed_decides_which():
    network = Halving().eval()
    first, again, other = (
        detectors.draw_banks(network, streets(6), SIZE, [8, 32], entries=32, seed=seed, progress=False)
        for seed in (0, 0, 1)
    )
    assert [len(bank.directions) for bank in first] == [30, 30]  # 5 of each; 1/32 has 6 places
    assert [bank.stride for bank in first] == [8, 32] and first[0].images_digest == first[1].images_digest
    assert all(torch.equal(a.directions, b.directions) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].directions, other[0].directions)
    for image, rows in zip(streets(6), first[0].directions.split(5), strict=True):
        with torch.no_grad():
            maps = models.logits_and_scales(network, data.to_tensor(image.image)[None], [8])[1]
        own = torch.nn.functional.normalize(maps[8][0].flatten(1).T, dim=1)
        assert (rows.float() @ own.T).amax(dim=1).min() > 0.999  # each row is a place of that image


def test_with_more_images_than_entries_some_are_drawn_and_the_digest_knows_which_images():
    network, digests = Halving().eval(), set()
    for images, size in ((streets(6), SIZE), (streets(6, seed=2), SIZE), (streets(6), (32, 64))):
        (bank,) = detectors.draw_banks(network, images, size, [8], entries=4, progress=False)
        assert len(bank.directions) == 4
        digests.add(bank.images_digest)
    assert len(digests) == 3


def test_what_was_padded_never_reaches_a_bank():
    network = Halving().eval()
    (bank,) = detectors.draw_banks(network, streets(1), (40, 70), [16], entries=100, progress=False)
    assert len(bank.directions) == 3 * 5  # of 4 x 6 with what was padded


def test_a_bank_takes_2_megabytes_at_the_most(monkeypatch):
    monkeypatch.setattr("course_lib.detectors.fitting.MOST_BYTES", 8 * 2 * 12)  # 12 features of 8 channels
    (bank,) = detectors.draw_banks(Halving().eval(), streets(6), SIZE, [8], progress=False)
    assert len(bank.directions) == 12


def test_fitting_leaves_the_metadata_and_says_what_the_detector_is():
    detector = fitted("neighbours", size=(32, 64))
    assert (detector.name, detector.metadata.training) == ("neighbours", "ce+neighbours")
    assert detector.metadata.size == [32, 64] and METADATA.training == "ce"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"recipe": "neighbors"}, "unknown recipe 'neighbors'; known are .* did you mean neighbours"),
        (
            {"validation_images": []},
            "smoothed_entropy needs validation images to measure its parts on, got none",
        ),
        ({"recipe": "neighbours", "training_images": []}, "a bank needs training images and entries, got 0"),
        ({"recipe": "neighbours", "entries": 4}, "neighbours counts 5 neighbours; a bank of 4 is too small"),
        (
            {"recipe": Recipe("many", (DistancePart(32, neighbours=40),))},
            "many needs a bank of 40 entries or more at 1/32, got 36",
        ),
        ({"recipe": Recipe("far", (DistancePart(64),))}, "Halving has no map of its encoder at 1/64"),
        ({"recipe": Recipe("v", (ScorePart("void"),))}, "the void score needs 20 outputs"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(chosen, message):
    given = {
        "recipe": "smoothed_entropy",
        "network": Halving(),
        "metadata": METADATA,
        "training_images": streets(6),
        "validation_images": streets(2),
        "progress": False,
    }
    with pytest.raises(ValueError, match=message):
        detectors.fit(**given | chosen)


@pytest.mark.parametrize("bias", [0.0, math.nan])
def test_a_part_that_is_the_same_everywhere_or_nan_is_named(bias):
    network = Halving()
    torch.nn.init.zeros_(network.last.weight)
    torch.nn.init.constant_(network.last.bias, bias)
    with pytest.raises(ValueError, match=r"score='max_entropy'.* is the same everywhere .*, or not finite"):
        fitted("smoothed_entropy", network)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScorePart("mps"), "unknown score 'mps'; known are msp"),
        (
            lambda: ScorePart("msp", sigma=0),
            "sigma of the smoothing must be a positive number of pixels, got 0",
        ),
        (lambda: DistancePart(8, sigma=math.nan), "sigma .* got nan"),
        (lambda: DistancePart(8, neighbours=0), "stride and neighbours must be 1 or more, got 8, 0"),
        (lambda: Recipe("none", ()), "recipe 'none' has no part"),
        (lambda: Recipe("msp", (ScorePart("msp"),)), "a recipe needs a name that is no score's, got 'msp'"),
        (
            lambda: Detector(detectors.RECIPES["neighbours"], Halving(), METADATA),
            "neighbours needs a bank of 5 entries or more at 1/8, got 0",
        ),
        (
            lambda: Detector(BOTH, Halving(), METADATA, fitted(BOTH).banks.values(), [Statistics(0, 1)]),
            "both needs a mean and a positive standard deviation for each of its 2 parts",
        ),
        (
            lambda: Detector(BOTH, other_weights(), METADATA, fitted(BOTH).banks.values()),
            "the bank at 1/16 was drawn with other weights than this network's",
        ),
        (lambda: two_banks_of_different_images(), "the banks of two were drawn from different images"),
    ],
)
def test_what_does_not_belong_together_is_one_line(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def other_weights():
    network = Halving()
    torch.nn.init.zeros_(network.last.bias)
    return network


def two_banks_of_different_images():
    network, recipe = Halving(), Recipe("two", (DistancePart(8), DistancePart(16)))
    banks = [
        detectors.draw_banks(network, streets(4, seed), SIZE, [stride], progress=False)[0]
        for stride, seed in ((8, 0), (16, 1))
    ]
    return Detector(recipe, network, METADATA, banks)


@pytest.mark.parametrize("speed", ["cuda_graph", "compiled"])
def test_speeds_that_only_a_network_can_have_are_refused(speed):
    with pytest.raises(
        ValueError, match="a detector runs neither compiled nor as a CUDA graph; choose plain"
    ):
        fitted("smoothed_entropy").accelerated(speed)


def test_half_precision_computes_scores_in_single():
    detector, images = fitted("neighbours_and_entropy"), pictures(1, 3, 64, 96)
    with torch.no_grad():
        found, plain = detector.accelerated("bf16")(images), detector(images)
    assert found.dtype == torch.float32
    assert torch.corrcoef(torch.stack([found.flatten(), plain.flatten()]))[0, 1] > 0.9
