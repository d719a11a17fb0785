"""Read the images of an anomaly benchmark."""

import os
from pathlib import Path

from course_lib.data.benchmarks import BENCHMARKS, find_benchmark
from course_lib.data.files import ImagePairs
from course_lib.data.layouts import find_pairs
from course_lib.data.mini import mini_root
from course_lib.labels import IGNORE
from course_lib.runtime import data_root, unknown_name


class BenchmarkImages(ImagePairs):
    """The images of one benchmark in order, each with a target of 0 normal, 1 anomaly, 255 void."""

    image_ending = "_leftImg8bit"  # of Lost and Found, as in Cityscapes

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
