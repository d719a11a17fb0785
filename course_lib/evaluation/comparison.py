"""Networks, scores or temperatures on the same images: do they differ by more than chance?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from course_lib.evaluation.table import excludes, interval_columns, table, with_types
from course_lib.metrics import Resampled, intervals_of, percentile_interval
from course_lib.models import Metadata

KEY = ["benchmark", "score", "temperature"]
METRICS = ("auprc", "fpr95")

MARKS = {"better": "▲", "worse": "▼", "cannot tell": ""}
"""How tables and figures mark a difference from a baseline."""


class NetworkResult(NamedTuple):
    """One network on some benchmarks."""

    frame: pd.DataFrame
    """Its tidy table."""
    drawn: Mapping[tuple, Resampled]
    """By benchmark, score and temperature."""


def network_result(
    rows: list[dict], metadata: Metadata, weights: str | Path, miou: tuple[float, int] | None = None
) -> NetworkResult:
    """Return what a network reached so that it can be compared with others on the same images.

    Args:
        rows: of ``evaluate``, with resamples. Benchmarks and the seed of the draws are the same for all
            networks of a comparison.
        metadata: of the network.
        weights: the file that it came from; only its name is kept.
        miou: mean IoU as a fraction and the number of classes in it, if it was measured.

    Raises:
        ValueError: if a benchmark stands twice, or there are no intervals: without resamples, or if a
            benchmark has a single image.
    """
    drawn = {}
    for row in rows:
        if row["drawn"] is None:
            raise ValueError(f"{row['benchmark']}: a comparison needs resamples of two images or more")
        key = tuple(row[name] for name in KEY)
        if key in drawn:
            raise ValueError(
                f"{row['benchmark']}: two benchmarks of this name cannot be told apart; rename one"
            )
        drawn[key] = Resampled(*row["drawn"])
    return NetworkResult(table(rows, metadata, weights, miou), drawn)


def compare(networks: Sequence[NetworkResult], baseline: str) -> pd.DataFrame:
    """Return one row per training, score and benchmark: means over seeds beside those of a baseline.

    Args:
        networks: of ``network_result``, on the same images; several seeds of a training are averaged. A
            detector is a training of its own.
        baseline: the training that the others are compared with, each score with the same one; a score that
            the baseline lacks, as it lacks a detector's, with each that it has, in a row each.

    Returns:
        The columns of ``table``, with intervals over images of the mean over seeds, and

        - ``baseline`` and ``score_of_baseline``; ``seeds``; ``..._lowest_seed`` and ``..._highest_seed`` of
          ``miou``, ``auprc`` and ``fpr95``;
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
    images = _images(networks[0])
    for network in networks:
        weights, training = network.frame[["weights", "training"]].iloc[0]
        seeds, here = groups.setdefault(training, []), _images(network)
        same = here.keys() == images.keys() and all(torch.equal(here[name], images[name]) for name in images)
        if not same or (seeds and seeds[0].drawn.keys() != network.drawn.keys()):
            raise ValueError(f"{weights} was measured on other images or scores than the first network")
        seeds.append(network)
    rows = []
    pairs = [(seeds, *keys) for seeds in groups.values() for keys in _pairs(seeds[0], groups[baseline][0])]
    for seeds, key, other in pairs:
        (mine, drawn), (theirs, drawn_theirs) = _at(seeds, key), _at(groups[baseline], other)
        row = mine.iloc[0].to_dict() | {name: mine[name].mean() for name in (*METRICS, "auroc", "miou")}
        row |= interval_columns(intervals_of(drawn), bool(mine["constant"].all()))
        row |= {"seed": None if len(mine) > 1 else mine["seed"].iloc[0], "seeds": len(mine)}
        for name in ("miou", *METRICS):
            row |= {f"{name}_lowest_seed": mine[name].min(), f"{name}_highest_seed": mine[name].max()}
        row |= _differences(mine[[*METRICS]].mean(), theirs[[*METRICS]].mean(), drawn, drawn_theirs)
        for name in METRICS:
            apart = mine[name].min() > theirs[name].max() or mine[name].max() < theirs[name].min()
            row[f"{name}_beyond_seeds"] = None if min(len(mine), len(theirs)) < 2 else bool(apart)
        rows.append(row | {"baseline": baseline, "score_of_baseline": other[1]})
    return with_types(pd.DataFrame(rows))


def check_comparable(networks: Sequence[Mapping], baseline: str) -> None:
    """Find out before any work is done whether networks can be compared.

    Args:
        networks: of each one ``weights``, ``training`` and ``seed``; ``profile``, ``epochs``, ``height``,
            ``width`` and ``protocol`` as far as they are known. Rows of ``table``, for example.
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
        for name in ("profile", "epochs", "height", "width", "protocol"):
            if name in network and _differ(network[name], first[name]):
                raise ValueError(
                    f"{network['weights']} of training {identity[0]} has {name} {network[name]}, others have "
                    f"{first[name]}: their differences would mean nothing"
                )
    trainings = dict.fromkeys(network["training"] for network in networks)
    if baseline not in trainings:
        raise ValueError(f"no run of training {baseline} to compare with; there are {', '.join(trainings)}")


def _differ(one: object, other: object) -> bool:
    """Tell whether two facts are different; two that are missing, as of public weights, are not."""
    return pd.isna(one) != pd.isna(other) or bool(pd.notna(one) and one != other)


def _images(network: NetworkResult) -> dict[str, torch.Tensor]:
    """Return what tells the images of each benchmark from others: the prevalence in each draw of them."""
    return {benchmark: drawn.prevalence for (benchmark, _, _), drawn in network.drawn.items()}


def _pairs(network: NetworkResult, baseline: NetworkResult) -> Iterator[tuple[tuple, tuple]]:
    """Yield each key of a network with that of the baseline; where it lacks it, with all of the benchmark."""
    for key in network.drawn:
        for other in [key] if key in baseline.drawn else baseline.drawn:
            if other[0] == key[0]:
                yield key, other


def _at(seeds: Sequence[NetworkResult], key: tuple) -> tuple[pd.DataFrame, Resampled]:
    """Return the row of each seed at one key, and the mean over the seeds within each draw of images."""
    rows = pd.concat([seed.frame.set_index(KEY, drop=False).loc[[key]] for seed in seeds])
    parts = zip(*(seed.drawn[key] for seed in seeds), strict=True)
    drawn = Resampled(*(torch.stack(part).mean(dim=0) for part in parts))
    return rows.astype({"miou": float}), drawn  # the mean IoU is None where it was not measured


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


def verdict(low: float, high: float, mine: Sequence[float], baseline: Sequence[float]) -> str:
    """Say whether a training has a higher AuPRC than a baseline, by more than images and seeds explain.

    Args:
        low: of the 95 % interval of the difference over images, in points.
        high: likewise.
        mine: AuPRC of each of its seeds, in percent.
        baseline: likewise; no seed of one may reach a seed of the other.

    Returns:
        ``better``, ``worse`` or ``cannot tell``.

    >>> verdict(1.0, 5.0, [31, 30], [27, 28])
    'better'
    """
    if low > 0 and min(mine) > max(baseline):
        return "better"
    if high < 0 and max(mine) < min(baseline):
        return "worse"
    return "cannot tell"


def verdict_of(row: Mapping, metric: str) -> str:
    """Return the verdict on a row's difference from its baseline.

    Args:
        row: of ``compare``, or of another table with differences; images alone count where a training has a
            single seed.
        metric: ``auprc`` (higher is better) or ``fpr95`` (lower is better).
    """
    beyond_images, beyond_seeds = row.get(f"{metric}_beyond_images"), row.get(f"{metric}_beyond_seeds")
    if pd.isna(beyond_images) or not beyond_images or (pd.notna(beyond_seeds) and not beyond_seeds):
        return "cannot tell"
    sign = 1 if metric == "auprc" else -1
    return "better" if sign * row[f"{metric}_difference"] > 0 else "worse"


def against_temperature(result: NetworkResult, baseline: float = 1.0) -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one temperature.

    Args:
        result: of ``network_result``, with several temperatures, ``baseline`` among them.
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
        measured = ", ".join(f"{temperature:g}" for temperature in temperatures)
        raise ValueError(f"T = {baseline:g} was not measured, only {measured}")
    depends = result.frame.groupby("score")["temperature"].transform("nunique") > 1
    rows = result.frame[depends].to_dict("records")
    return pd.DataFrame([_paired_row(result, row, (row["score"], baseline)) for row in rows])


def against_score(result: NetworkResult, baseline: str = "msp") -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one score at T = 1.

    Args:
        result: of ``network_result``, ``baseline`` among its scores.
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
