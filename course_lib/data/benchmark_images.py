"""Read the images of an anomaly benchmark."""

from pathlib import Path

from course_lib.data.benchmarks import BENCHMARKS
from course_lib.data.files import ImagePairs, list_files
from course_lib.data.mini import mini_root
from course_lib.labels import IGNORE
from course_lib.runtime import data_root, unknown_name


class BenchmarkImages(ImagePairs):
    """The images of one benchmark in order, each with a target of 0 normal, 1 anomaly, 255 void."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        """Look at the folder; nothing is decoded yet.

        Args:
            name: a key of ``BENCHMARKS``.
            root: the folder of all benchmarks, by default ``benchmarks`` under the data root; the generated
                ones are in ``data/mini``, and drawn on first use.

        Raises:
            ValueError: if the name is unknown.
            FileNotFoundError: if the folder is missing or empty, or an image has no mask or a mask no image.
        """
        if name not in BENCHMARKS:
            raise unknown_name("benchmark", name, BENCHMARKS)
        self.name, self.benchmark = name, BENCHMARKS[name]
        self.values = {0: 0, self.benchmark.anomaly_value: 1, IGNORE: IGNORE}
        home = mini_root if self.benchmark.generated else data_root
        folder = (root or home() / "benchmarks") / name
        self.images = list_files(folder / "images", self.benchmark.suffix)
        self.masks = [folder / "labels_masks" / f"{path.stem}.png" for path in self.images]
        found = {path.stem for path in list_files(folder / "labels_masks", ".png")}
        for path in self.masks:
            if not path.is_file():
                raise FileNotFoundError(f"no mask {path}; every image needs one: fetch the benchmark again")
        without_image = sorted(found - {path.stem for path in self.masks})
        if without_image:
            raise FileNotFoundError(
                f"no image {without_image[0]}{self.benchmark.suffix} in {folder / 'images'} for its mask; "
                "fetch the benchmark again"
            )
