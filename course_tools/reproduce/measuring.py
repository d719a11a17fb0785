"""Networks measured on the benchmarks of a job; whatever takes long is kept."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from course_lib import calibration, data, evaluation
from course_tools import result_store
from course_tools.reproduce.job import Job, Missing, samples
from course_tools.reproduce.networks import Checkpoint


class Bench:
    """The benchmarks and validation images of a job, opened once, and what was measured on them."""

    def __init__(self, job: Job) -> None:
        """Open what is there; what is not is listed in ``missing``."""
        self.job, self.missing = job, Missing()
        self.store = result_store.Store(job.folder / "kept")
        self.benchmarks, reasons = data.benchmarks_here(job.profile)
        self.missing.reasons |= reasons
        self.validation = samples(job.profile, "val", self.missing)
        self.training = samples(job.profile, "train", self.missing)
        self.measured: dict[Checkpoint, None] = {}
        """The networks in the tables so far."""

    def run(
        self, checkpoint: Checkpoint, step: str, settings: evaluation.Settings, with_controls: bool = False
    ) -> evaluation.NetworkResult:
        """Measure a network on every benchmark, with its mean IoU."""
        network, metadata = checkpoint.loaded
        self.measured[checkpoint] = None
        about = [_about(checkpoint, settings), with_controls]

        def make() -> dict:
            controls = self._controls(checkpoint, settings) if with_controls else None
            return evaluation.measured_rows(network, self.benchmarks, settings, controls)

        found = self._kept(step, about, self.benchmarks, make)
        return evaluation.measured_of(found, metadata, checkpoint.path, self.miou(checkpoint))

    def miou(self, checkpoint: Checkpoint) -> tuple[float, int] | None:
        """Return the mean IoU on the validation images as a fraction, and the number of classes in it."""
        if self.validation is None:
            return None
        settings = self.job.settings(checkpoint.loaded[1])

        def make() -> dict:
            counts = evaluation.confusion(checkpoint.loaded[0], self.validation, settings)
            return {"miou": counts.mean_iou(), "classes": len(counts.iou())}

        step, about = f"miou_{checkpoint.name}", _about(checkpoint, settings)
        found = self._kept(step, about, [self.validation], make)
        return found["miou"], found["classes"]

    def fitted_temperature(self, checkpoint: Checkpoint) -> float | None:
        """Return the temperature that fits the validation images best; None if there are none."""
        if self.validation is None:
            return None
        settings = replace(self.job.settings(checkpoint.loaded[1]), protocol="benchmark")

        def make() -> dict:
            pixels = calibration.sample_pixels(checkpoint.loaded[0], self.validation, settings)
            return {"temperature": calibration.fit_temperature(*pixels).temperature}

        step, about = f"temperature_{checkpoint.name}", _about(checkpoint, settings)
        return self._kept(step, about, [self.validation], make)["temperature"]

    def objects(self, checkpoint: Checkpoint, settings: evaluation.Settings) -> list[dict]:
        """Return the component metrics of a network on every benchmark."""
        return self._by_benchmark("objects", checkpoint, settings, evaluation.component_rows)

    def each_image(self, checkpoint: Checkpoint, settings: evaluation.Settings) -> list[dict]:
        """Return the metrics of a network on each image of every benchmark."""

        def rows(network, images, settings) -> list[dict]:
            found = evaluation.per_image(network, images, settings).to_dict("records")
            return [{"benchmark": images.name} | row for row in found]

        return self._by_benchmark("images", checkpoint, settings, rows)

    def _by_benchmark(
        self, kind: str, checkpoint: Checkpoint, settings: evaluation.Settings, rows: Callable
    ) -> list[dict]:
        """Return the rows of every benchmark, each kept for itself."""
        found = []
        for images in self.benchmarks:
            step = f"{kind}_{images.name}_{checkpoint.name}"
            make = _later(rows, checkpoint, images, settings)
            found += self._kept(step, _about(checkpoint, settings), [images], make)["rows"]
        return found

    def _controls(self, checkpoint: Checkpoint, settings: evaluation.Settings) -> evaluation.Controls:
        """Return as many controls as the data here allow; a constant score always."""
        if self.validation is None or self.training is None:
            return evaluation.Controls()
        return evaluation.Controls(
            evaluation.mean_score_maps(checkpoint.loaded[0], self.validation, settings),
            evaluation.colour_scores(self.training, settings.size),
        )

    def _kept(self, step: str, about: object, read: Sequence, make: Callable[[], dict]) -> dict:
        """Return what a step gives; it is made again if the images that it reads are other ones."""
        return self.store.kept(step, [about, [result_store.files_of(images) for images in read]], make)


def _later(rows: Callable, checkpoint: Checkpoint, images: object, settings: evaluation.Settings) -> Callable:
    """Return a function that computes rows when it is called."""
    return lambda: {"rows": rows(checkpoint.loaded[0], images, settings)}


def _about(checkpoint: Checkpoint, settings: evaluation.Settings) -> dict:
    """Return all but the images that decides what is measured."""
    chosen = asdict(settings) | {"device": str(settings.device)}
    return {"weights": checkpoint.sha256, "settings": chosen}
