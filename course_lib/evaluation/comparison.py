"""Several networks on the same images: do they differ by more than the choice of images and of seeds?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from course_lib.data import BenchmarkImages
from course_lib.evaluation.anomaly import measure, row_of
from course_lib.evaluation.controls import Controls
from course_lib.evaluation.settings import Settings
from course_lib.evaluation.table import WHOLE, excludes, interval_columns, table
from course_lib.evaluation.unfinished import Unfinished
from course_lib.metrics import Resampled, intervals_of, percentile_interval
from course_lib.models import Metadata, Network

KEY = ["benchmark", "score", "temperature"]
METRICS = ("auprc", "fpr95")

SAME = ("profile", "epochs", "height", "width", "protocol")
"""What all networks of a comparison must share, or their differences mean nothing."""


class NetworkResult(NamedTuple):
    """One network on some benchmarks."""

    frame: pd.DataFrame
    """Its tidy table."""
    drawn: Mapping[tuple, Resampled]
    """By benchmark, score and temperature."""


def measured(
    network: Network,
    metadata: Metadata,
    weights: str | Path,
    benchmarks: Sequence[BenchmarkImages],
    settings: Settings,
    miou: tuple[float, int] | None = None,
    progress: bool = True,
) -> NetworkResult:
    """Evaluate a network so that it can be compared with others on the same images.

    Args:
        network: any network; its device and mode may change.
        metadata: of the network.
        weights: the file that it came from; only its name is kept.
        benchmarks: the same for all networks of a comparison.
        settings: likewise, with resamples and the seed of the draws.
        miou: mean IoU as a fraction and the number of classes in it, if it was measured.
        progress: whether to show a progress bar.

    Raises:
        ValueError: as ``evaluate``; also without resamples, or if a benchmark has a single image.
    """
    found = measured_rows(network, benchmarks, settings, progress=progress)
    return measured_of(found, metadata, weights, miou)


def measured_rows(
    network: Network,
    benchmarks: Sequence[BenchmarkImages],
    settings: Settings,
    controls: Controls | None = None,
    unfinished: Unfinished | None = None,
    progress: bool = True,
) -> dict:
    """Return what ``measured_of`` makes a ``NetworkResult`` of, as plain as ``Store`` keeps it.

    Args and errors are those of ``evaluate`` and ``measured``.
    """
    rows, drawn = [], {}
    for images in benchmarks:
        found = measure(network, images, settings, controls, progress, unfinished)
        for key, streamed in found.items():
            row, resampled = row_of(images.name, key, settings, streamed)
            if resampled is None:
                raise ValueError(f"{images.name}: a comparison needs resamples of two images or more")
            rows.append(row)
            drawn[images.name, *key] = tuple(resampled)
    return {"rows": rows, "drawn": drawn}


def measured_of(
    found: dict, metadata: Metadata, weights: str | Path, miou: tuple[float, int] | None = None
) -> NetworkResult:
    """Return the metrics that ``measured_rows`` found, perhaps long ago, for ``compare``."""
    drawn = {key: Resampled(*one) for key, one in found["drawn"].items()}
    return NetworkResult(table(found["rows"], metadata, weights, miou), drawn)


def compare(runs: Sequence[NetworkResult], baseline: str) -> pd.DataFrame:
    """Return one row per training, score and benchmark: means over seeds beside those of a baseline.

    Args:
        runs: of ``measured``, on the same images; several seeds of a training are averaged.
        baseline: the training that the others are compared with.

    Returns:
        The columns of ``table``, with intervals over images of the mean over seeds, and

        - ``baseline``; ``seeds``; ``..._lowest_seed`` and ``..._highest_seed`` of ``miou``, ``auprc`` and
          ``fpr95``;
        - ``auprc_difference`` and ``fpr95_difference`` to the baseline, in points, with 95 % intervals
          (``..._low``, ``..._high``) over images, drawn in pairs: both networks see the same draw;
        - ``..._beyond_images``: the interval excludes 0; ``..._beyond_seeds``: no seed of one training
          reaches a seed of the other, missing where one has a single seed.

    Raises:
        ValueError: if runs cannot be compared, a seed stands twice, or the baseline is not among them.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 8 (paired data).
    """
    check_comparable([run.frame.iloc[0] for run in runs], baseline)
    groups: dict[str, list[NetworkResult]] = {}
    for run in runs:
        _check_same_images(runs[0], run)
        groups.setdefault(run.frame["training"].iloc[0], []).append(run)
    rows = [
        _row(groups[training], groups[baseline], key) | {"baseline": baseline}
        for training in groups
        for key in groups[training][0].drawn
    ]
    frame = pd.DataFrame(rows).astype(dict.fromkeys(WHOLE, "Int64"))
    return frame.astype({name: "boolean" for name in frame if "_beyond_" in name})


def check_comparable(networks: Sequence[Mapping], baseline: str) -> None:
    """Find out before any work is done whether networks can be compared.

    Args:
        networks: of each one ``weights``, ``training`` and ``seed``, and the names in ``SAME`` as far as they
            are known: rows of ``table``, for example.
        baseline: the training to compare with.

    Raises:
        ValueError: if a seed stands twice, they differ in more than training and seed, or the baseline is not
            among them.
    """
    first, seen = networks[0], set()
    for network in networks:
        identity = network["training"], network["seed"]
        if identity in seen:
            raise ValueError(f"{network['weights']}: training {identity[0]}, seed {identity[1]} stands twice")
        seen.add(identity)
        for name in SAME:
            if name in network and network[name] != first[name]:
                raise ValueError(
                    f"{network['weights']} of training {identity[0]} has {name} {network[name]}, others have "
                    f"{first[name]}: their differences would mean nothing"
                )
    trainings = dict.fromkeys(network["training"] for network in networks)
    if baseline not in trainings:
        raise ValueError(f"no run of training {baseline} to compare with; there are {', '.join(trainings)}")


def _check_same_images(one: NetworkResult, other: NetworkResult) -> None:
    """Raise a ValueError unless two runs have the same scores of the same images."""
    same_keys = one.drawn.keys() == other.drawn.keys()
    if not same_keys or not all(
        torch.equal(one.drawn[key].prevalence, other.drawn[key].prevalence) for key in one.drawn
    ):
        weights = other.frame["weights"].iloc[0]
        raise ValueError(f"{weights} was measured on other images or scores than the first network")


def _row(runs: Sequence[NetworkResult], baseline: Sequence[NetworkResult], key: tuple) -> dict:
    """Return the mean over the seeds of one training on one benchmark, and what is different there."""
    mine, theirs = _rows_of(runs, key), _rows_of(baseline, key)
    drawn, drawn_theirs = _mean(runs, key), _mean(baseline, key)
    row = mine.iloc[0].to_dict() | {name: mine[name].mean() for name in (*METRICS, "auroc", "miou")}
    row |= interval_columns(intervals_of(drawn), bool(mine["constant"].all()))
    row |= {"seed": None if len(mine) > 1 else mine["seed"].iloc[0], "seeds": len(mine)}
    for name in ("miou", *METRICS):
        row |= {f"{name}_lowest_seed": mine[name].min(), f"{name}_highest_seed": mine[name].max()}
    for name in METRICS:
        low, high = percentile_interval(100 * (getattr(drawn, name) - getattr(drawn_theirs, name)))
        row |= {
            f"{name}_difference": mine[name].mean() - theirs[name].mean(),
            f"{name}_difference_low": low,
            f"{name}_difference_high": high,
            f"{name}_beyond_images": excludes(low, high, 0),
            f"{name}_beyond_seeds": _apart(mine[name], theirs[name]),
        }
    return row


def _rows_of(runs: Sequence[NetworkResult], key: tuple) -> pd.DataFrame:
    """Return the row of each seed."""
    rows = pd.concat([run.frame.set_index(KEY, drop=False).loc[[key]] for run in runs])
    return rows.astype({"miou": float})  # None where it was not measured


def _mean(runs: Sequence[NetworkResult], key: tuple) -> Resampled:
    """Return the mean over the seeds within each draw of images."""
    parts = zip(*(run.drawn[key] for run in runs), strict=True)
    return Resampled(*(torch.stack(part).mean(dim=0) for part in parts))


def _apart(mine: pd.Series, theirs: pd.Series) -> bool | None:
    """Tell whether the ranges of two sets of seeds lie apart; None where one is a single seed."""
    if min(len(mine), len(theirs)) < 2:
        return None
    return bool(mine.min() > theirs.max() or mine.max() < theirs.min())
