"""Image by image: where a score succeeds and where it fails."""

from collections.abc import Iterator, Sequence

import pandas as pd
from tqdm.auto import tqdm

from course_lib.data import BenchmarkImages
from course_lib.evaluation.scoring import Scored, ready, score_benchmark, score_image
from course_lib.evaluation.settings import Settings
from course_lib.labels import IGNORE
from course_lib.metrics import average_precision, fpr_at_tpr
from course_lib.models import Network


def per_image(
    network: Network, images: BenchmarkImages, settings: Settings, progress: bool = True
) -> pd.DataFrame:
    """Return the metrics of each image alone; images without anomalous or without normal pixels are left out.

    Args:
        network: any network; its device may change.
        images: the benchmark.
        settings: what to compute.
        progress: whether to show a progress bar.

    Returns:
        One row per image and score: index, image, score, temperature; prevalence, auprc, fpr95 in percent.
    """
    rows: list[dict] = []
    with ready(network, settings):
        scored = score_benchmark(network, images, settings)
        shown = tqdm(scored, total=len(images), desc=images.name, unit="image", disable=not progress)
        for index, one in enumerate(shown):
            rows += [{"index": index, "image": one.name} | row for row in _rows(one)] if one else []
    return pd.DataFrame(rows)


def _rows(one: Scored) -> Iterator[dict]:
    """Yield the metrics of each score on one image, in percent."""
    valid = one.target != IGNORE
    is_anomaly = one.target[valid] == 1
    if not 0 < is_anomaly.sum() < is_anomaly.numel():
        return
    for (score, temperature), values in one.maps.items():
        yield {
            "score": score,
            "temperature": temperature,
            "prevalence": 100 * is_anomaly.double().mean().item(),
            "auprc": 100 * average_precision(values[valid], is_anomaly),
            "fpr95": 100 * fpr_at_tpr(values[valid], is_anomaly),
        }


def scored_images(
    network: Network, images: BenchmarkImages, settings: Settings, indices: Sequence[int]
) -> list[Scored]:
    """Return single images of a benchmark with their score maps, but for those that the protocol leaves out.

    Args:
        network: any network; its device may change.
        images: the benchmark.
        settings: what to compute.
        indices: which images.
    """
    with ready(network, settings):
        scored = [score_image(network, images, index, settings) for index in indices]
    return [one for one in scored if one is not None]
