"""What happens to an image happens to its mask."""

import numpy as np
import torch
from PIL import Image

from course_lib.data import (
    Augmentation,
    evaluation_transform,
    resize_image,
    resize_mask,
    resized_pair,
    to_tensor,
)


def picture_of(mask):
    """Return a grey picture that shows the mask's values."""
    return Image.fromarray(np.repeat(mask.numpy()[..., None], 3, axis=2))


def test_images_are_resized_by_pillows_bilinear_filter():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    expected = np.asarray(image.resize((30, 20), Image.BILINEAR))
    assert np.array_equal(np.asarray(resize_image(image, (20, 30))), expected)


def test_masks_are_resized_without_new_values():
    mask = torch.tensor([[0, 255], [1, 0]], dtype=torch.uint8)
    assert resize_mask(mask, (4, 4)).tolist() == [[0, 0, 255, 255]] * 2 + [[1, 1, 0, 0]] * 2


def test_tensors_are_in_0_to_1_unless_told_otherwise():
    image = Image.fromarray(np.full((2, 3, 3), 51, dtype=np.uint8))
    assert to_tensor(image).shape == (3, 2, 3) and to_tensor(image).unique().item() == np.float32(0.2)
    assert to_tensor(image, scale=False).unique().tolist() == [51.0]
    assert type(to_tensor(image)) is torch.Tensor


def test_evaluation_resizes_the_image_and_leaves_the_target():
    target = torch.zeros(40, 60, dtype=torch.uint8)
    image, same = evaluation_transform((20, 30))(picture_of(target), target)
    assert image.shape == (3, 20, 30) and image.dtype == torch.float32
    assert same.shape == (40, 60) and same.dtype == torch.int64


def test_training_flips_and_shifts_image_and_mask_together():
    torch.manual_seed(0)
    mask = torch.randint(1, 200, (32, 64), dtype=torch.uint8)
    augment, picture = Augmentation((32, 64)), mask.expand(3, -1, -1)
    seen = set()
    for _ in range(40):
        image, target = augment(picture, mask)
        assert image.shape == (3, 32, 64) and target.shape == (32, 64)
        assert (image.dtype, target.dtype) == (torch.float32, torch.int64)
        assert type(image) is type(target) is torch.Tensor
        outside = target == 255
        shown = (image[0] * 255).round().long()
        assert torch.equal(shown[~outside], target[~outside]) and (shown[outside] == 0).all()
        assert outside.float().mean() < 0.1
        seen.add((bool(outside.any()), int(target[16, 32])))
    assert len(seen) > 10 and {moved for moved, _ in seen} == {True, False}


def test_training_resizes_both():
    mask = torch.zeros(40, 60, dtype=torch.uint8)
    image, target = resized_pair(picture_of(mask), mask, (16, 32))
    assert image.shape == (3, 16, 32) and target.shape == (16, 32)
    assert image.dtype == target.dtype == torch.uint8
