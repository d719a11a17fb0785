"""Objects instead of pixels: which are found, and which are made up."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from tqdm.auto import tqdm

from course_lib.data import BenchmarkImages
from course_lib.evaluation.anomaly import measure
from course_lib.evaluation.scoring import Scored, ready, score_benchmark
from course_lib.evaluation.settings import Settings
from course_lib.metrics import ANOMALY_TRACK, OBSTACLE_TRACK, Components, combine, components
from course_lib.models import Network

Key = tuple[str, float]


def component_rows(
    network: Network, images: BenchmarkImages, settings: Settings, progress: bool = True
) -> list[dict]:
    """Return component metrics of each score on a benchmark, at the threshold with the best pixel F1.

    The threshold has seen the benchmark, as on the official leaderboard: the numbers say how good the objects
    can get, not what a threshold chosen beforehand would give.

    Args:
        network: any network; its device may change.
        images: the benchmark; components that are too small to count are smaller where the masks are.
        settings: what to compute.
        progress: whether to show a progress bar.

    Returns:
        Of each score: benchmark, score, temperature, threshold; pixel_f1, siou, ppv, f1 in percent (higher is
        better, None without any component); true_components, predicted_components.

    Source: Chan et al., "SegmentMeIfYouCan", 2021, section 4.2.
    """
    streamed = measure(network, images, replace(settings, resamples=0), progress=progress)
    best = {key: found.best_f1() for key, found in streamed.items()}
    per_image = list(_components(network, images, settings, best, progress))
    return [_row(images.name, key, best[key], [one[key] for one in per_image]) for key in best]


def _components(
    network: Network,
    images: BenchmarkImages,
    settings: Settings,
    best: dict[Key, tuple[float, float]],
    progress: bool,
) -> Iterator[dict[Key, Components]]:
    """Yield the components of each score on each image."""
    with ready(network, settings):
        scored = score_benchmark(network, images, settings)
        for one in tqdm(scored, f"{images.name}, objects", len(images), disable=not progress, unit="image"):
            if one is not None:
                yield {key: _of_image(one, key, best[key][0], images) for key in best}


def _of_image(one: Scored, key: Key, threshold: float, images: BenchmarkImages) -> Components:
    """Compare the objects above a threshold, which itself is flagged, with the true ones."""
    track = OBSTACLE_TRACK if images.benchmark.small_objects else ANOMALY_TRACK
    just_below = torch.tensor(threshold).nextafter(torch.tensor(-torch.inf)).item()
    return components(one.maps[key], one.target, just_below, track.scaled_to(one.target.numel()))


def _row(benchmark: str, key: Key, best: tuple[float, float], found: list[Components]) -> dict:
    """Return the metrics of one score; percent, rounded nowhere."""
    together = combine(found)
    numbers = {"pixel_f1": best[1], "siou": together.siou, "ppv": together.ppv, "f1": together.f1}
    return (
        {"benchmark": benchmark, "score": key[0], "temperature": key[1], "threshold": best[0]}
        | {name: None if value != value else 100 * value for name, value in numbers.items()}
        | {
            "true_components": together.true_components,
            "predicted_components": together.predicted_components,
        }
    )
