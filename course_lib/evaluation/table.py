"""The tidy table of results: its columns, and how it is shown."""

import math
import warnings
from pathlib import Path

import pandas as pd

from course_lib import metrics
from course_lib.data import find_benchmark
from course_lib.evaluation.protocols import find_protocol
from course_lib.evaluation.settings import CONSTANT, Key, Settings
from course_lib.metrics import Intervals, StreamingMetrics, intervals_of
from course_lib.models import Metadata

# fmt: off
COLUMNS = (
    "model", "weights", "training", "profile", "seed", "epochs", "height", "width",
    "score", "temperature", "benchmark", "protocol", "images", "images_of", "prevalence",
    "auprc", "auprc_low", "auprc_high", "fpr95", "fpr95_low", "fpr95_high", "fpr95_convention", "auroc",
    "chance", "miou", "classes_in_miou", "classes_in_score", "auprc_outside_chance", "fpr95_outside_chance",
    "constant", "largest_tie", "speed",
)
# fmt: on
"""The columns of the table. Metrics are percent; ``constant`` marks a score that is the same everywhere,
``largest_tie`` is the largest share of pixels with one score, ``speed`` is one of ``inference.SPEEDS``."""

NEARLY_CONSTANT = 95
"""Percent of the pixels at one score from which on a score is named nearly constant."""

CHANCE_FPR95 = 100 * metrics.CHANCE_FPR95
"""Of a score that knows nothing, in percent."""


def row_of(benchmark: str, key: Key, settings: Settings, streamed: StreamingMetrics) -> dict:
    """Return what one score reached on one benchmark; ``table`` adds the columns about the network.

    Beside the columns there is ``drawn``, the three parts of ``Resampled``: what the intervals come from, and
    what ``NetworkResult`` keeps. It is None if there are no intervals.

    Raises:
        ValueError: if there is no anomalous or no normal pixel; the benchmark is named.
    """
    protocol = find_protocol(settings.protocol)
    try:
        found = streamed.compute(protocol.fpr_convention)
    except ValueError as error:
        anomaly = find_benchmark(benchmark).anomaly_value
        raise ValueError(
            f"{benchmark}: {error}; in its masks 255 is void and an anomaly must be {anomaly}"
        ) from None
    if found.prevalence > 0.5 and not protocol.counts_void:
        share = f"{100 * found.prevalence:.1f} %"
        warnings.warn(f"{benchmark}: {share} of the pixels are anomalies; are its masks inverted?")
    height, width = protocol.input_size(settings.size) or (None, None)
    score, temperature = key
    row = {
        "height": height,
        "width": width,
        "score": score,
        "temperature": temperature,
        "benchmark": benchmark,
        "protocol": settings.protocol,
        "images": found.images,
        "images_of": find_benchmark(benchmark).official_images or found.images,
        "fpr95_convention": protocol.fpr_convention,
        "classes_in_score": settings.classes_in(score),
        "chance": 100 * found.prevalence,
        "constant": found.constant,
        "speed": settings.speed,
        "drawn": None,
    }
    for name in ("prevalence", "auprc", "fpr95", "auroc", "largest_tie"):
        row[name] = 100 * getattr(found, name)
    if settings.resamples and found.images > 1:  # from one image there is nothing to draw
        drawn = streamed.resampled(settings.resamples, settings.seed, protocol.fpr_convention)
        row |= interval_columns(intervals_of(drawn), found.constant) | {"drawn": tuple(drawn)}
    return row


def interval_columns(intervals: Intervals, constant: bool) -> dict:
    """Return the intervals in percent, and whether they exclude chance; a constant score never does."""
    return {
        "auprc_low": 100 * intervals.auprc[0],
        "auprc_high": 100 * intervals.auprc[1],
        "fpr95_low": 100 * intervals.fpr95[0],
        "fpr95_high": 100 * intervals.fpr95[1],
        "auprc_outside_chance": not constant and excludes(*intervals.auprc_above_chance, 0),
        "fpr95_outside_chance": not constant and excludes(*intervals.fpr95, metrics.CHANCE_FPR95),
    }


def excludes(low: float, high: float, value: float) -> bool:
    """Tell whether ``value`` lies outside [low, high]; an unknown interval excludes nothing."""
    return not (math.isnan(low) or low <= value <= high)


def table(
    rows: list[dict], metadata: Metadata, weights: str | Path, miou: tuple[float, int] | None = None
) -> pd.DataFrame:
    """Return the tidy table.

    Args:
        rows: of ``evaluate``.
        metadata: of the network.
        weights: the file that they came from; only its name is kept.
        miou: mean IoU as a fraction and the number of classes in it, if it was measured.
    """
    mean, classes = miou or (None, None)
    about = {
        "model": metadata.model,
        "weights": Path(weights).name,
        "training": metadata.training,
        "profile": metadata.profile,
        "seed": metadata.seed,
        "epochs": metadata.epochs,
        "miou": None if mean is None else 100 * mean,
        "classes_in_miou": classes,
    }
    return with_types(pd.DataFrame([about | row for row in rows], columns=COLUMNS))


def read_table(path: Path) -> pd.DataFrame:
    """Return a table from a file.

    Tables of version 0.1 have three columns more, ``..._bound``; they are kept.

    Args:
        path: of a CSV file, as ``evaluate`` and ``compare`` write them.
    """
    return with_types(pd.read_csv(path))


def with_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose whole numbers and answers, of which some may be missing, are such."""
    whole = ["seed", "epochs", "height", "width", "images", "images_of"]
    types = {name: "Int64" for name in frame if name in whole or "classes_in_" in name}
    return frame.astype(types | {name: "boolean" for name in frame if "_beyond_" in name})


def as_text(frame: pd.DataFrame) -> str:
    """Return the table as people read it.

    Intervals are in brackets; ``~`` marks a number within chance, ``!`` one that is worse than chance.
    """
    shown = pd.DataFrame(
        {
            "benchmark": frame["benchmark"],
            "images": [f"{n} of {m}" for n, m in zip(frame["images"], frame["images_of"], strict=True)],
            "score": [_score_name(r) for r in frame.itertuples()],
            "chance": frame["chance"].map("{:.2f}".format),
            "AuPRC": [_with_interval(r, "auprc") for r in frame.itertuples()],
            "FPR95": [_with_interval(r, "fpr95") for r in frame.itertuples()],
            "AUROC": frame["auroc"].map("{:.2f}".format),
        }
    )
    return shown.to_string(index=False)


def _score_name(r) -> str:
    """Name a score, with its temperature where that is not 1, and say so if it is (nearly) constant."""
    name = r.score if r.temperature == 1 else f"{r.score} T={r.temperature:g}"
    if r.score == CONSTANT or not r.largest_tie >= NEARLY_CONSTANT:
        return name
    return f"{name} (constant)" if r.constant else f"{name} ({rounded_down(r.largest_tie)} % at one score)"


def rounded_down(share: float) -> str:
    """Return a share with one digit, never more than it is: 99.98 % are not all pixels."""
    return f"{math.floor(10 * share) / 10:.1f}"


def _with_interval(r, name: str) -> str:
    """Return a number with its interval, marked unless it is better than chance."""
    text = f"{getattr(r, name):.2f}"
    low, high = getattr(r, f"{name}_low"), getattr(r, f"{name}_high")
    if pd.isna(low):
        return text
    worse = r.auprc < r.chance if name == "auprc" else r.fpr95 > CHANCE_FPR95
    outside = getattr(r, f"{name}_outside_chance")
    return f"{text}{('!' if worse else ' ') if outside else '~'} [{low:.2f}, {high:.2f}]"
