"""Networks, scores or temperatures on the same images: do they differ by more than chance?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from course_lib.data import BenchmarkImages
from course_lib.evaluation.controls import Controls
from course_lib.evaluation.loop import measure, row_of
from course_lib.evaluation.settings import Settings
from course_lib.evaluation.table import WHOLE, excludes, interval_columns, table
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
    progress: bool = True,
) -> dict:
    """Return what ``measured_of`` makes a ``NetworkResult`` of, as plain data that ``torch.save`` keeps.

    Args and errors are those of ``evaluate`` and ``measured``.
    """
    rows, drawn = [], {}
    for images in benchmarks:
        found = measure(network, images, settings, controls, progress)
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


def compare(networks: Sequence[NetworkResult], baseline: str) -> pd.DataFrame:
    """Return one row per training, score and benchmark: means over seeds beside those of a baseline.

    Args:
        networks: of ``measured``, on the same images; several seeds of a training are averaged.
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
        ValueError: if they cannot be compared, a seed stands twice, or the baseline is not among them.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 8 (paired data).
    """
    check_comparable([network.frame.iloc[0] for network in networks], baseline)
    groups: dict[str, list[NetworkResult]] = {}
    for network in networks:
        _check_same_images(networks[0], network)
        groups.setdefault(network.frame["training"].iloc[0], []).append(network)
    rows = [
        _mean_row(groups[training], groups[baseline], key) | {"baseline": baseline}
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
    """Raise a ValueError unless two networks have the same scores of the same images."""
    same_keys = one.drawn.keys() == other.drawn.keys()
    if not same_keys or not all(
        torch.equal(one.drawn[key].prevalence, other.drawn[key].prevalence) for key in one.drawn
    ):
        weights = other.frame["weights"].iloc[0]
        raise ValueError(f"{weights} was measured on other images or scores than the first network")


def _mean_row(seeds: Sequence[NetworkResult], baseline: Sequence[NetworkResult], key: tuple) -> dict:
    """Return the mean over the seeds of one training on one benchmark, and what is different there."""
    mine, theirs = _rows_of(seeds, key), _rows_of(baseline, key)
    drawn = _mean_draws(seeds, key)
    row = mine.iloc[0].to_dict() | {name: mine[name].mean() for name in (*METRICS, "auroc", "miou")}
    row |= interval_columns(intervals_of(drawn), bool(mine["constant"].all()))
    row |= {"seed": None if len(mine) > 1 else mine["seed"].iloc[0], "seeds": len(mine)}
    for name in ("miou", *METRICS):
        row |= {f"{name}_lowest_seed": mine[name].min(), f"{name}_highest_seed": mine[name].max()}
    row |= _differences(mine[[*METRICS]].mean(), theirs[[*METRICS]].mean(), drawn, _mean_draws(baseline, key))
    for name in METRICS:
        row[f"{name}_beyond_seeds"] = _apart(mine[name], theirs[name])
    return row


def _rows_of(seeds: Sequence[NetworkResult], key: tuple) -> pd.DataFrame:
    """Return the row of each seed."""
    rows = pd.concat([seed.frame.set_index(KEY, drop=False).loc[[key]] for seed in seeds])
    return rows.astype({"miou": float})  # None where it was not measured


def _mean_draws(seeds: Sequence[NetworkResult], key: tuple) -> Resampled:
    """Return the mean over the seeds within each draw of images."""
    parts = zip(*(seed.drawn[key] for seed in seeds), strict=True)
    return Resampled(*(torch.stack(part).mean(dim=0) for part in parts))


def _differences(mine: Mapping, theirs: Mapping, drawn: Resampled, drawn_theirs: Resampled) -> dict:
    """Return the columns that say how far two results of the same images are apart."""
    columns = {}
    for name in METRICS:
        low, high = percentile_interval(100 * (getattr(drawn, name) - getattr(drawn_theirs, name)))
        columns |= {
            f"{name}_difference": mine[name] - theirs[name],
            f"{name}_difference_low": low,
            f"{name}_difference_high": high,
            f"{name}_beyond_images": excludes(low, high, 0),
        }
    return columns


def _apart(mine: pd.Series, theirs: pd.Series) -> bool | None:
    """Tell whether the ranges of two sets of seeds lie apart; None where one is a single seed."""
    if min(len(mine), len(theirs)) < 2:
        return None
    return bool(mine.min() > theirs.max() or mine.max() < theirs.min())


def against_temperature(result: NetworkResult, baseline: float = 1.0) -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one temperature.

    Args:
        result: of ``measured``, with several temperatures, ``baseline`` among them.
        baseline: the temperature that the others are compared with.

    Returns:
        The rows of ``result.frame`` whose score depends on the temperature, and ``auprc_difference`` and
        ``fpr95_difference``, in points, with 95 % intervals (``..._low``, ``..._high``) over images, drawn in
        pairs: both temperatures see the same draw. ``..._beyond_images``: the interval excludes 0.

    Raises:
        ValueError: if the baseline was not measured.
    """
    temperatures = result.frame["temperature"].unique().tolist()
    if baseline not in temperatures:
        raise ValueError(
            f"T = {baseline:g} was not measured, only {', '.join(map('{:g}'.format, temperatures))}"
        )
    depends = result.frame.groupby("score")["temperature"].transform("nunique") > 1
    rows = result.frame[depends].to_dict("records")
    return pd.DataFrame([_paired_row(result, row, (row["score"], baseline)) for row in rows])


def against_score(result: NetworkResult, baseline: str = "msp") -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one score at T = 1.

    Args:
        result: of ``measured``, ``baseline`` among its scores.
        baseline: the score that the others, controls included, are compared with.

    Returns:
        All rows of ``result.frame`` with the columns of ``against_temperature``, and ``baseline_score``.

    Raises:
        ValueError: if the baseline was not measured.
    """
    scores = result.frame["score"].unique().tolist()
    if baseline not in scores:
        raise ValueError(f"score {baseline} was not measured, only {', '.join(scores)}")
    rows = [_paired_row(result, row, (baseline, 1.0)) for row in result.frame.to_dict("records")]
    return pd.DataFrame(rows).assign(baseline_score=baseline)


def _paired_row(result: NetworkResult, row: dict, baseline: tuple[str, float]) -> dict:
    """Return a row with its differences to another score and temperature on the same benchmark."""
    key, other = (row["benchmark"], row["score"], row["temperature"]), (row["benchmark"], *baseline)
    there = result.frame.set_index(KEY).loc[[other]].iloc[0]
    return row | _differences(row, there, result.drawn[key], result.drawn[other])
