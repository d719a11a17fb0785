"""What each protocol does to images, masks and scores."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data import BENCHMARKS, Sample
from course_lib.evaluation import PROTOCOLS, find_protocol, to_size_of

GIVEN = (32, 64)
FS_STATIC = BENCHMARKS["fs_static"]
FISHYSCAPES = {"FS_LostFound_full", "fs_static"}


@pytest.fixture
def sample():
    target = torch.zeros(48, 80, dtype=torch.uint8)
    target[:6], target[20:30, 20:30] = 255, 1
    pixels = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    return Sample("0", Image.fromarray(pixels), target)


@pytest.mark.parametrize(
    ("name", "size", "highest"), [("benchmark", GIVEN, 1), ("peer", (512, 1024), 1), ("paper", (48, 80), 255)]
)
def test_size_and_range_of_the_input(name, size, highest, sample):
    images = PROTOCOLS[name].input(sample, GIVEN)
    assert images.shape == (1, 3, *size) and images.dtype == torch.float32
    assert 0.9 * highest < images.max() <= highest
    if name == "paper":
        assert torch.equal(images[0], torch.from_numpy(np.array(sample.image)).permute(2, 0, 1).float())


def test_benchmark_leaves_the_mask_as_it_is(sample):
    assert torch.equal(PROTOCOLS["benchmark"].target(sample, FS_STATIC), sample.target)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_paper_counts_void_as_anomaly_on_the_two_fishyscapes_sets(name, sample):
    target = PROTOCOLS["paper"].target(sample, BENCHMARKS[name])
    assert (target[:6] == (1 if name.removeprefix("mini_") in FISHYSCAPES else 255)).all()
    assert (sample.target[:6] == 255).all()  # the argument is left alone


def test_peer_resizes_masks_and_skips_images_without_anomaly(sample):
    target = PROTOCOLS["peer"].target(sample, FS_STATIC)
    assert target.shape == (512, 1024) and target.unique().tolist() == [0, 1, 255]
    free = sample._replace(target=torch.zeros(48, 80, dtype=torch.uint8))
    assert PROTOCOLS["peer"].target(free, FS_STATIC) is None
    assert PROTOCOLS["benchmark"].target(free, FS_STATIC) is not None


def test_scores_are_resized_without_aligning_corners():
    scores = torch.tensor([[0.0, 1.0]])
    resized = to_size_of(torch.zeros(1, 4), scores)
    assert resized.tolist() == [[0.0, 0.25, 0.75, 1.0]]
    assert to_size_of(torch.zeros(1, 2), scores) is scores


def test_an_unknown_protocol_raises():
    with pytest.raises(ValueError, match="unknown protocol 'kind'; known are benchmark, peer, paper"):
        find_protocol("kind")
