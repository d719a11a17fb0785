"""From a picture and its mask to tensors; what happens to one happens to the other."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from course_lib.labels import IGNORE

Size = tuple[int, int]
"""Height and width in pixels."""

PairTransform = Callable[[Image.Image, Tensor], tuple[Tensor, Tensor]]

TRANSLATION = 2  # pixels to each side, as ERFNet's authors do


def resize_image(image: Image.Image, size: Size) -> Image.Image:
    """Return the image at (height, width), by Pillow's bilinear filter: what published figures used."""
    height, width = size
    return image.resize((width, height), Image.BILINEAR)


def resize_mask(mask: Tensor, size: Size) -> Tensor:
    """Return a mask (H, W) in uint8 at (height, width), by nearest neighbour: no value is made up."""
    height, width = size
    return torch.from_numpy(np.array(Image.fromarray(mask.numpy()).resize((width, height), Image.NEAREST)))


def _channels_first(image: Image.Image) -> Tensor:
    """Return an RGB image as uint8 (3, H, W), contiguous, else a batch of one confuses torch's layouts."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def to_tensor(image: Image.Image, scale: bool = True) -> Tensor:
    """Return RGB float32, shape (3, H, W), in [0, 1] or, without ``scale``, in [0, 255]."""
    values = _channels_first(image).float()
    return values.div_(255) if scale else values


def evaluation_transform(size: Size) -> PairTransform:
    """Return a transform that resizes the image, and leaves the target at its own size.

    It returns the image in float32 (3, height, width) in [0, 1] and the target in int64.
    """

    def transform(image: Image.Image, target: Tensor) -> tuple[Tensor, Tensor]:
        return to_tensor(resize_image(image, size)), target.long()

    return transform


def resized_pair(image: Image.Image, target: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Return image (3, height, width) and target (height, width) at ``size``, both uint8."""
    picture = _channels_first(resize_image(image, size))
    return picture, resize_mask(target, size)


class Augmentation:
    """Flip a resized pair at random and shift it by up to two pixels; torch's global generator decides."""

    def __init__(self, size: Size) -> None:
        """Prepare for pairs of (height, width)."""
        from torchvision import tv_tensors  # here: seconds to load, for training alone
        from torchvision.transforms import v2

        height, width = size
        self.as_image, self.as_mask = tv_tensors.Image, tv_tensors.Mask
        self.compose = v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.RandomAffine(
                    degrees=0,
                    translate=(TRANSLATION / width, TRANSLATION / height),
                    fill={tv_tensors.Image: 0, tv_tensors.Mask: IGNORE},
                ),
                v2.ToDtype({tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64}, scale=True),
            ]
        )

    def __call__(self, image: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image in float32 (3, height, width) in [0, 1] and the target in int64 (height, width).

        What is shifted in from outside is black and void.
        """
        picture, mask = self.compose(self.as_image(image), self.as_mask(target))
        return picture.as_subclass(Tensor), mask.as_subclass(Tensor)
