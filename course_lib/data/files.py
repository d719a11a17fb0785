"""From files to tensors: one image, one mask, one folder; whatever is wrong with a file, the error names it.

What happens to an image happens to its mask.
"""

import glob
import math
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from course_lib.labels import IGNORE
from course_lib.runtime import what_instead

Size = tuple[int, int]
"""Height and width in pixels."""


class Sample(NamedTuple):
    """One image with its target, as they are on disk."""

    name: str
    """What the names of image and mask share."""
    image: Image.Image
    """RGB."""
    target: Tensor
    """uint8 (H, W), the size of the image."""


def read_image(path: Path) -> Image.Image:
    """Return an image as RGB, wholly decoded.

    Raises:
        ValueError: if the file is damaged or no image.
    """
    image = _decoded(path)
    if image.mode[0] in "IF":
        told = "an image has 8 bits a channel: save it so (numbers of 16 bits divided by 256)"
        raise ValueError(f"{path} has mode {image.mode}; {told}")
    return image if image.mode == "RGB" else image.convert("RGB")


def read_mask(path: Path) -> Tensor:
    """Return the numbers of a one-channel image, uint8 (H, W); warn if greys of a palette contradict them.

    Raises:
        ValueError: if the file is damaged or has more than one channel.
    """
    image = _decoded(path)
    if image.mode not in ("L", "P"):
        raise ValueError(
            f"{path} has mode {image.mode}; a mask has one channel of 8 bits: save it so, or fetch it again"
        )
    numbers = np.array(image)
    if image.mode == "P":
        palette = np.reshape(image.getpalette("RGB"), (-1, 3)).astype(int)
        used = np.unique(numbers[numbers < min(len(palette), IGNORE)])
        if not np.ptp(palette[used], axis=1).any() and (np.diff(palette[used, 0]) < 0).any():
            warnings.warn(
                f"masks in {path.parent}: their palette draws {used[0]} lighter than {used[-1]}, but "
                "only numbers count; if light means anomaly, convert them to mode L, with 1 in its place"
            )
    return torch.from_numpy(numbers)


def _decoded(path: Path) -> Image.Image:
    """Open an image and decode every pixel, so that a truncated file is noticed here."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path}; the data set is incomplete: fetch it again") from None
    except Image.DecompressionBombError:
        most = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        raise ValueError(f"{path} is too large: shrink it to {most:.0f} million pixels or fewer") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow reports broken png chunks as SyntaxError
        instead = what_instead(path)
        reason = f"it {instead}" if instead else error
        raise ValueError(
            f"{path} cannot be read as an image ({reason}); fetch it again, or save it anew"
        ) from None


class Layout(NamedTuple):
    """Where a data set keeps its files: the group in both patterns is what an image and its mask share."""

    folder: str
    """Below that of the data set."""
    images: str
    """A pattern of paths below the folder."""
    masks: str
    image_folder: str = ""
    """Where the images are, if not in ``folder``."""
    every_image_has_a_mask: bool = False
    """Else images without one are left out."""


def _by_name(folder: Path, pattern: str) -> dict[str, list[Path]]:
    """Return the files below a folder whose path matches, by the group in the pattern; no hidden ones."""
    below = glob.glob("**", root_dir=folder, recursive=True)  # noqa: PTH207 - it skips what is hidden
    found: dict[str, list[Path]] = {}
    for path in sorted(below):
        if match := re.fullmatch(pattern, Path(path).as_posix(), re.IGNORECASE):
            found.setdefault(match[1], []).append(folder / match[0])
    return found


def _cure(folder: Path, pattern: str, name: str, partner: Path) -> str:
    """Say what a missing file is called, and whether there is one that only has another name or format.

    Args:
        folder: in which it is missing.
        pattern: of its path.
        name: what it shares with its partner, the group in the pattern.
        partner: the image of a mask, or the mask of an image.
    """
    expected = re.sub(r"\(\?:[^()]*\)\??|\[\^/\]\+", "*", pattern.replace("([^/]+)", name)).replace("\\", "")
    whole_name = re.compile(rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])")
    for (path,) in _by_name(folder, r"(.+\.[^/]+)").values():
        if path != partner and whole_name.search(path.name):
            return f"named {expected}; there is {path.name}: rename it, or save it as png"
    return f"named {expected}: add it or fetch it again"


class ImagePairs(Dataset[Sample]):
    """Images in numerical order with their masks, whose values are translated."""

    def __init__(self, layout: Layout, root: Path, values: dict[int, int]) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            layout: where the files are.
            root: the folder of the data set.
            values: every value that a mask may hold, and what becomes of it.

        Raises:
            FileNotFoundError: if there are no images or no masks, or one has no partner.
            ValueError: if an image or a mask is there twice.
        """
        folder, image_folder = root / layout.folder, root / (layout.image_folder or layout.folder)
        images, masks = _by_name(image_folder, layout.images), _by_name(folder, layout.masks)
        if not images:
            raise FileNotFoundError(f"no images in {image_folder}, named as {layout.images}; fetch them")
        if layout.every_image_has_a_mask and (bare := sorted(images.keys() - masks.keys())):
            image = images[bare[0]][0]
            cure = _cure(folder, layout.masks, bare[0], image)
            raise FileNotFoundError(f"no mask for {image}; every image needs one, {cure}")
        if not masks:
            raise FileNotFoundError(
                f"no masks for the images in {folder}, named as {layout.masks}; fetch them"
            )
        if missing := sorted(masks.keys() - images.keys()):
            mask = masks[missing[0]][0]
            cure = _cure(image_folder, layout.images, missing[0], mask)
            raise FileNotFoundError(f"no image {missing[0]} in {image_folder} for {mask}, {cure}")
        for paths in (found[name] for found in (images, masks) for name in masks if len(found[name]) > 1):
            raise ValueError(f"{paths[0]} and {paths[1]} have one name, so which one is meant? rename one")

        def in_order(name: str) -> list:  # validation2 before validation10
            return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

        self.names = sorted(masks, key=in_order)
        self.images, self.masks = ([found[name][0] for name in self.names] for found in (images, masks))
        self.values = values

    def __len__(self) -> int:
        """Return how many images there are on this disk."""
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Decode one image and its target.

        Raises:
            ValueError: if a file is damaged, sizes differ, or the mask holds an unknown value.
        """
        path, mask_path = self.images[index], self.masks[index]
        image, mask = read_image(path), read_mask(mask_path)
        if (image.height, image.width) != tuple(mask.shape):
            height, width = mask.shape
            raise ValueError(
                f"{mask_path} is {height} x {width}, its image {image.height} x {image.width} (height x "
                "width); a mask has the size of its image: fetch both again"
            )
        new_of_old = np.full(256, -1, dtype=np.int16)  # -1 where a value is unknown
        new_of_old[list(self.values)] = list(self.values.values())
        target = new_of_old[mask.numpy()]
        if (target < 0).any():
            unknown = np.unique(mask.numpy()[target < 0]).tolist()
            raise ValueError(
                f"{mask_path} holds the label {', '.join(map(str, unknown))}; "
                f"expected only {', '.join(map(str, sorted(self.values)))}: is it a mask of this data set?"
            )
        return Sample(self.names[index], image, torch.from_numpy(target.astype(np.uint8)))


def resize_image(image: Image.Image, size: Size) -> Image.Image:
    """Return the image at (height, width), by Pillow's bilinear filter: what published figures used."""
    height, width = size
    return image.resize((width, height), Image.BILINEAR)


def size_for(image: Image.Image, size: Size, multiple: int) -> Size:
    """Return height and width with an image's own shape, about the area of ``size``, and nothing to pad.

    Args:
        image: a photograph of any shape.
        size: height and width, in pixels, that a network was trained on.
        multiple: of which both sides are one; the network's ``size_multiple``.
    """
    scale = math.sqrt(math.prod(size) / (image.height * image.width))
    sides = (max(1, round(scale * side / multiple)) for side in (image.height, image.width))
    height, width = (multiple * side for side in sides)
    return height, width


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


def resized_pair(image: Image.Image, target: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Return image (3, height, width) and target (height, width) at ``size``, both uint8."""
    return _channels_first(resize_image(image, size)), resize_mask(target, size)


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
                    translate=(2 / width, 2 / height),  # pixels, as ERFNet's authors do
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
