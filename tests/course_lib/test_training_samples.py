"""What the network sees depends on seed, epoch and image alone."""

import pytest
import torch
from small_data import write_street
from torch.utils.data import DataLoader

from course_lib import data
from course_lib.training import samples


def test_every_image_comes_once_per_epoch_in_a_new_order():
    batches = list(samples.Batches(images=7, batch=3, epochs=2, seed=0))
    epochs = [[key for batch in batches[3 * e : 3 * e + 3] for key in batch] for e in (0, 1)]
    for number, epoch in enumerate(epochs):
        assert sorted(epoch) == [(number, index) for index in range(7)]
    assert [index for _, index in epochs[0]] != [index for _, index in epochs[1]]


@pytest.mark.parametrize("start", range(7))
def test_batches_go_on_from_any_step(start):
    whole = list(samples.Batches(images=7, batch=3, epochs=2, seed=0))
    rest = samples.Batches(images=7, batch=3, epochs=2, seed=0, start=start)
    assert list(rest) == whole[start:] and len(rest) == len(whole) - start


def test_augmentation_depends_on_seed_epoch_and_image_alone(data_root, monkeypatch):
    write_street(data_root / "CamVid")
    camvid = data.CamVid("train")
    images = samples.TrainingImages(camvid, (16, 24), seed=0)
    first = images[0, 3][0]
    torch.rand(5)
    images[0, 2]
    assert torch.equal(images[0, 3][0], first)
    assert not all(torch.equal(images[epoch, 3][0], first) for epoch in range(1, 6))
    monkeypatch.setattr(samples, "CACHE_BYTES", 0)
    uncached = samples.TrainingImages(camvid, (16, 24), seed=0)
    assert uncached.cache is None and torch.equal(uncached[0, 3][0], first)
    assert uncached.class_counts().tolist() == images.class_counts().tolist()


def test_many_images_travel_to_workers_on_any_system(data_root):
    write_street(data_root / "CamVid", images=(("train", 300),))
    images = samples.TrainingImages(data.CamVid("train"), (16, 24), seed=0)
    loaded = DataLoader(images, batch_sampler=[[(0, 1)]], num_workers=1, multiprocessing_context="spawn")
    assert torch.equal(next(iter(loaded))[0][0], images[0, 1][0])


def test_preparing_images_leaves_the_global_generator_alone(data_root):
    write_street(data_root / "CamVid")
    images = samples.TrainingImages(data.CamVid("train"), (16, 24), seed=0)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    images[0, 1]
    assert torch.equal(torch.rand(1), expected)
