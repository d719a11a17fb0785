"""One image, one score, one threshold: what is found, and at what cost."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from ipywidgets import ValueWidget
from torch import Tensor

from course_lib import data, evaluation, metrics, scores
from course_lib.labels import IGNORE
from course_lib.lesson import figures
from course_lib.lesson.widgets import controls
from course_lib.lesson.widgets.explorer import Explorer, View, percent
from course_lib.models import Network

KEPT = 8
"""Images whose logits are kept, so that a slider costs no pass of the network."""


def score_explorer(
    network: Network, settings: evaluation.Settings, benchmarks: Sequence[data.BenchmarkImages]
) -> Explorer:
    """Let a learner choose image, score, temperature and threshold.

    Args:
        network: any network; its device and mode may change.
        settings: size, known classes, device and the scores to choose from.
        benchmarks: to choose from.
    """
    by_name = {images.name: images for images in benchmarks}

    @lru_cache(maxsize=KEPT)
    def seen(benchmark: str, image: int) -> tuple[data.Sample, Tensor]:
        """Return an image and its logits (1, C, h, w)."""
        sample = by_name[benchmark][image]
        picture = data.to_tensor(data.resize_image(sample.image, settings.size))[None]
        with evaluation.ready(network, settings):
            return sample, network(picture.to(settings.device)).float().cpu()

    def view(benchmark: str, image: int, score: str, temperature: float, flagged: float) -> View:
        sample, logits = seen(benchmark, min(image, len(by_name[benchmark]) - 1))
        found = scores.score(score, logits, settings.known_classes, temperature)
        return _shown(sample, evaluation.to_size_of(sample.target, found[0]), score, flagged / 100)

    return Explorer("score explorer", _controls(by_name, settings.scores), view)


def _controls(benchmarks: Mapping[str, data.BenchmarkImages], names: Sequence[str]) -> dict[str, ValueWidget]:
    """Return what can be chosen; the slider of the images is as long as the benchmark."""
    first = next(iter(benchmarks))
    image = controls.whole("image", 0, 0, len(benchmarks[first]) - 1)
    benchmark = controls.choice("benchmark", list(benchmarks), first)
    benchmark.observe(lambda change: setattr(image, "max", len(benchmarks[change["new"]]) - 1), "value")
    return {
        "benchmark": benchmark,
        "image": image,
        "score": controls.choice("score", [(scores.TITLES[name], name) for name in names], names[0]),
        "temperature": controls.temperature(),
        "flagged": controls.number("flagged, % of the pixels", 5.0, 0.5, 100.0, 0.5),
    }


def _shown(sample: data.Sample, found: Tensor, score: str, share: float) -> View:
    """Return picture and numbers at the threshold that flags this share of the valid pixels."""
    valid = sample.target != IGNORE
    values, is_anomaly = found[valid], sample.target[valid] == 1
    if not len(values):
        raise ValueError(f"image {sample.name} is void from edge to edge: there is nothing to flag")
    threshold = values.sort(descending=True).values[max(1, round(share * len(values))) - 1].item()
    got = metrics.detections(values, is_anomaly, threshold)
    numbers = {
        "threshold": f"{threshold:.4g}",
        "flagged": percent(got.flagged),
        "precision": percent(got.precision),
        "recall (TPR)": percent(got.recall),
        "false positive rate (FPR)": percent(got.fpr, 2),
        "anomalous": percent(is_anomaly.double().mean().item()),
    }
    return View(figures.detection_panels(sample, found, threshold, scores.TITLES[score]), numbers)
