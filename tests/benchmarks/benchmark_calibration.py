"""Memory and time of a fit, by the number of images: pytest tests/benchmarks/benchmark_calibration.py

Each number of images in a process of its own, the shipped network on validation scenes, again and again.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from course_lib import calibration, data, evaluation, models, runtime


class Repeated:
    """The validation scenes, as often as needed; nothing is kept."""

    def __init__(self, images):
        self.images, self.scenes = images, data.SEGMENTATION_SETS["mini"]("val")

    def __len__(self):
        return self.images

    def __getitem__(self, index):
        if index >= self.images:
            raise IndexError(index)
        return self.scenes[index % len(self.scenes)]


def fit_and_measure(images):
    """Return seconds and peak gigabytes of what ``calibrate`` does."""
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    settings = evaluation.Settings(size=metadata.size, known_classes=metadata.known_classes)
    started = time.monotonic()
    drawn = calibration.sample_pixels(network, Repeated(images), settings, progress=False)
    fitted = calibration.fit_temperature(*drawn)
    calibration.measure_calibration(
        network, Repeated(images), settings, (1.0, fitted.temperature), progress=False
    )
    return time.monotonic() - started, runtime.peak_memory()


@pytest.mark.parametrize("images", [10, 100, 1000])
def test_fit(benchmark, images):
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        seconds, gigabytes = benchmark.pedantic(process.submit(fit_and_measure, images).result, rounds=1)
    benchmark.extra_info.update(seconds_per_image=seconds / images, peak_gb=gigabytes)
    print(f"{images} images: {1000 * seconds / images:.0f} ms per image, peak {gigabytes:.2f} GB")
