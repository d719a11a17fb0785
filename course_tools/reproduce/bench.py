"""What is asked for, which checkpoints and data this machine has for it, and what they give."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path

import torch

from course_lib import calibration, data, evaluation, models, runtime
from course_tools.result_store import Store, about_network, files_of

LIGHT = "efficientnet_lite0"
"""The network of lesson 7, which the paper does not have."""

NUMBERS = (1, 2, 3, 4)
"""Of the paper's tables, and of its figures."""

WITHOUT_TRAINING = {"tables": (1, 2, 3), "figures": (1,)}
"""What there is to make where nothing is trained."""


@dataclass(frozen=True)
class Job:
    """Which of the paper's tables and figures to make, and how."""

    profile: data.Profile
    folder: Path
    """For the results, and for what an interrupted job has measured so far."""
    tables: tuple[int, ...] = NUMBERS
    figures: tuple[int, ...] = NUMBERS
    protocol: str = "benchmark"
    resamples: int = 1000
    seed: int = 0
    """Of the bootstrap."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    publish: Path | None = None
    """For a copy of all that holds no image of a data set, with a page in Markdown."""

    def __post_init__(self) -> None:
        """Raise a ValueError before any work is done."""
        for kind, there in WITHOUT_TRAINING.items():
            absent = [n for n in getattr(self, kind) if n not in there and not self.profile.trains]
            if absent:
                raise ValueError(
                    f"profile {self.profile.name} trains nothing: of the paper's {kind} it has "
                    f"{', '.join(map(str, there))}, not {absent[0]}"
                )
        if self.resamples < evaluation.FEWEST_RESAMPLES:
            raise ValueError(
                f"intervals and marks need {evaluation.FEWEST_RESAMPLES} resamples or more, "
                f"got {self.resamples}"
            )
        if self.publish and not torch.__version__.startswith(f"{runtime.REFERENCE_TORCH}."):
            raise ValueError(
                f"everything that is published is made with torch {runtime.REFERENCE_TORCH}, this is torch "
                f"{torch.__version__}; leave --publish out, or install that version"
            )

    def settings(self, metadata: models.Metadata, **chosen) -> evaluation.Settings:
        """Return the settings for one network."""
        common = {name: getattr(self, name) for name in ("protocol", "resamples", "seed", "device")}
        return evaluation.Settings.of(metadata, **common | chosen)


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights: shipped, trained on this machine, or public."""

    path: Path
    model: str

    @cached_property
    def loaded(self) -> tuple[models.Network, models.Metadata]:
        """The network in evaluation mode, and its metadata."""
        return models.load(self.model, self.path)

    @cached_property
    def sha256(self) -> str:
        """Tells whether two files are the same."""
        return runtime.sha256_of(self.path)

    @property
    def title(self) -> str:
        """Of the network, as papers write it."""
        return models.TITLES[self.model]

    @property
    def name(self) -> str:
        """Of steps that are about this file."""
        return f"{self.path.stem}_{self.sha256[:12]}"


def find_checkpoint(profile: data.Profile, model: str, training: str) -> Checkpoint:
    """Return the checkpoint that stands for a training: shipped, else public, else this machine's seed 0.

    Raises:
        ValueError: if there is none; the message says how to get one.
    """
    return Checkpoint(models.shipped_weights(profile.name, model, training), model)


def trained_here(profile: data.Profile, model: str, trainings: tuple[str, ...]) -> list[Checkpoint]:
    """Return the checkpoints of all finished runs of some trainings on this machine, every seed, in order."""
    folder = models.run_folder(profile.name, model, trainings[0], seed=0).parent
    found = []
    for training in trainings:
        found += sorted(folder.glob(f"{model}_{training}_seed*/{model}_{training}.safetensors"))
    return [Checkpoint(path, model) for path in found]


class Bench:
    """The benchmarks and validation images of a job, opened once, and what was measured on them.

    Whatever takes long is kept in ``kept/`` of the job's folder, each benchmark for itself.
    """

    def __init__(self, job: Job) -> None:
        """Open what is there; what is not is listed in ``missing``, with the reason."""
        self.job, self.store = job, Store(job.folder / "kept")
        self.benchmarks, self.missing = data.benchmarks_here(job.profile)
        self.validation, self.training = self._samples("val"), self._samples("train")
        self.measured: dict[Checkpoint, None] = {}
        """The networks in the tables so far."""

    def miss(self, what: str, why: object) -> None:
        """Remember what could not be done, and the first reason."""
        self.missing.setdefault(what, str(why))

    def _samples(self, split: str):
        """Return a split of the profile's training data; None if it is not here."""
        try:
            return data.SEGMENTATION_SETS[self.job.profile.scenes](split)
        except (FileNotFoundError, ValueError) as error:
            self.miss(f"{self.job.profile.scenes} {split} (mean IoU, controls, fitted temperature)", error)
            return None

    def result(
        self, checkpoint: Checkpoint, step: str, settings: evaluation.Settings, with_controls: bool = False
    ) -> evaluation.NetworkResult:
        """Measure a network on every benchmark, with its mean IoU."""
        network, metadata = checkpoint.loaded
        self.measured[checkpoint] = None

        @cache
        def controls() -> evaluation.Controls | None:
            """As many as the data here allow; a constant score always."""
            if not with_controls:
                return None
            if self.validation is None or self.training is None:
                return evaluation.Controls()
            position = evaluation.mean_score_maps(network, self.validation, settings)
            return evaluation.Controls(position, evaluation.colour_scores(self.training, settings.size))

        rows = []
        for images in self.benchmarks:

            def make(images=images) -> list[dict]:
                return evaluation.evaluate(network, [images], settings, controls())

            about = [about_network(checkpoint.sha256, settings), with_controls, files_of(images)]
            rows += self.store.kept(f"{step}_{images.name}", about, make)
        return evaluation.network_result(rows, metadata, checkpoint.path, self.miou(checkpoint))

    def miou(self, checkpoint: Checkpoint) -> tuple[float, int] | None:
        """Return the mean IoU on the validation images as a fraction, and the number of classes in it."""
        if self.validation is None:
            return None
        settings = self.job.settings(checkpoint.loaded[1])

        def make() -> tuple[float, int]:
            counts = evaluation.confusion(checkpoint.loaded[0], self.validation, settings)
            return counts.mean_iou(), len(counts.iou())

        about = [about_network(checkpoint.sha256, settings), files_of(self.validation)]
        return self.store.kept(f"miou_{checkpoint.name}", about, make)

    def fitted_temperature(self, checkpoint: Checkpoint) -> float | None:
        """Return the temperature that fits the validation images best; None if there are none."""
        if self.validation is None:
            return None
        settings = replace(self.job.settings(checkpoint.loaded[1]), protocol="benchmark")

        def make() -> float:
            pixels = calibration.sample_pixels(checkpoint.loaded[0], self.validation, settings)
            return calibration.fit_temperature(*pixels).temperature

        about = [about_network(checkpoint.sha256, settings), files_of(self.validation)]
        return self.store.kept(f"temperature_{checkpoint.name}", about, make)

    def by_benchmark(
        self, kind: str, checkpoint: Checkpoint, settings: evaluation.Settings, rows: Callable
    ) -> list[dict]:
        """Return what ``rows`` gives for the network, each benchmark and the settings, one after another."""
        found = []
        for images in self.benchmarks:
            about = [about_network(checkpoint.sha256, settings), files_of(images)]
            make = partial(rows, checkpoint.loaded[0], images, settings)
            found += self.store.kept(f"{kind}_{images.name}_{checkpoint.name}", about, make)
        return found
