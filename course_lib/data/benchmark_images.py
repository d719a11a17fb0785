"""Read the images of an anomaly benchmark."""

import os
from pathlib import Path

from course_lib.data.benchmarks import BENCHMARKS, find_benchmark
from course_lib.data.files import ImagePairs, Sample
from course_lib.data.layouts import find_pairs
from course_lib.data.mini import mini_root
from course_lib.data.profiles import Profile
from course_lib.labels import IGNORE
from course_lib.runtime import data_root, unknown_name


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


def benchmarks_here(profile: Profile) -> tuple[list[BenchmarkImages], dict[str, str]]:
    """Return the benchmarks of a profile that intervals over images can be had of, and why not the others.

    Returns:
        Those of two images or more; by the name of each other one, the reason and its cure.
    """
    found, reasons = [], {}
    for name in profile.benchmarks:
        try:
            images = BenchmarkImages(name)
        except (FileNotFoundError, ValueError) as error:
            reasons[name] = str(error)
            continue
        if len(images) < 2:
            reasons[name] = "a single image; intervals over images need two or more"
        else:
            found.append(images)
    return found, reasons
