"""Read one image, one mask, one folder; whatever is wrong with a file, the error names it and the cure."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset


class Sample(NamedTuple):
    """One image with its target, as they are on disk."""

    name: str
    """The file's name without its suffix."""
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
        raise ValueError(f"{path} has mode {image.mode}; an image has 8 bits a channel: convert it")
    return image if image.mode == "RGB" else image.convert("RGB")


def read_mask(path: Path) -> Tensor:
    """Return the numbers of a one-channel image, uint8 (H, W).

    Raises:
        ValueError: if the file is damaged or has more than one channel.
    """
    image = _decoded(path)
    if image.mode not in ("L", "P"):
        raise ValueError(
            f"{path} has mode {image.mode}; a mask has one channel of 8 bits: save it so, or fetch it again"
        )
    return torch.from_numpy(np.array(image))


def _decoded(path: Path) -> Image.Image:
    """Open an image and decode every pixel, so that a truncated file is noticed here."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path}; the data set is incomplete: fetch it again") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow reports broken png chunks as SyntaxError
        raise ValueError(f"{path} cannot be read as an image ({error}); fetch it again") from None


def read_pair(image_path: Path, mask_path: Path) -> tuple[Image.Image, Tensor]:
    """Return an image and its mask.

    Raises:
        ValueError: if one of them is damaged, or their sizes differ.
    """
    image, mask = read_image(image_path), read_mask(mask_path)
    if (image.height, image.width) != tuple(mask.shape):
        height, width = mask.shape
        raise ValueError(
            f"{mask_path} is {height} x {width}, its image {image.height} x {image.width} (height x width); "
            "a mask has the size of its image: fetch both again"
        )
    return image, mask


def relabel(mask: Tensor, new_of_old: dict[int, int], path: Path) -> Tensor:
    """Translate the values of a mask.

    Args:
        mask: uint8 (H, W).
        new_of_old: every value that may occur, and what becomes of it.
        path: the file of the mask, for the error.

    Raises:
        ValueError: if the mask holds another value.
    """
    table, known = np.zeros(256, dtype=np.uint8), np.zeros(256, dtype=bool)
    table[list(new_of_old)], known[list(new_of_old)] = list(new_of_old.values()), True
    wrong = ~known[mask.numpy()]
    if wrong.any():
        unknown = np.unique(mask.numpy()[wrong]).tolist()
        raise ValueError(
            f"{path} holds the label {', '.join(map(str, unknown))}; "
            f"expected only {', '.join(map(str, sorted(new_of_old)))}: is it a mask of this data set?"
        )
    return torch.from_numpy(table[mask.numpy()])


def list_files(folder: Path, *suffixes: str) -> list[Path]:
    """Return the files of a folder that end in one of ``suffixes``, sorted, 2 before 10, without hidden ones.

    Raises:
        FileNotFoundError: if there is no such folder or no such file in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no folder {folder}; put the data set there, or point COURSE_DATA at the folder that holds it"
        )
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = [path for path in visible if path.suffix.lower() in suffixes]
    if not files:
        wanted = ", ".join(f"*{suffix}" for suffix in suffixes)
        raise FileNotFoundError(f"no {wanted} in {folder}; the data set is empty: fetch it again")
    return sorted(files, key=lambda path: path.stem.zfill(12) if path.stem.isdigit() else path.stem)


def files_below(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder and its folders that match, sorted, without hidden ones."""
    found = (path for path in folder.rglob(pattern) if path.is_file())
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


class ImagePairs(Dataset[Sample]):
    """Images with their masks, whose values are translated; a subclass says which."""

    images: Sequence[Path]
    masks: Sequence[Path]
    values: dict[int, int]
    """Every value that a mask may hold, and what becomes of it."""
    image_ending: str = ""
    """What may stand between the name of a sample and the suffix in the name of its image."""

    def __len__(self) -> int:
        """Return how many images there are on this disk."""
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Decode one image and its target.

        Raises:
            ValueError: if a file is damaged, sizes differ, or the mask holds an unknown value.
        """
        path = self.images[index]
        image, mask = read_pair(path, self.masks[index])
        target = relabel(mask, self.values, self.masks[index])
        return Sample(path.stem.removesuffix(self.image_ending), image, target)
