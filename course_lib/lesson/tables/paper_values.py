"""Numbers that are not measured here: what the paper printed and what that gives away, and shipped tables.

Source: Catalano, Gioè, Turco, "Real-Time Anomaly Segmentation for Road Scenes", 2025, Tables 1 to 4.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from course_lib import evaluation
from course_lib.data import find_benchmark
from course_lib.evaluation import CHANCE_FPR95
from course_lib.lesson.tables.paper import row_label
from course_lib.lesson.tables.table_format import Cell, PaperTable
from course_lib.runtime import unknown_name

MEASURED = Path(__file__).parent / "measured"


def paper_values(table: int) -> pd.DataFrame:
    """Return the numbers of one of the paper's tables as they were printed.

    Args:
        table: 1 to 4.

    Returns:
        One row per number pair: model, training, score, temperature, miou, benchmark, auprc (percent, higher
        is better), fpr95 (percent, lower is better); names as everywhere in this course.

    Raises:
        ValueError: if the paper has no such table.
    """
    if table not in (1, 2, 3, 4):
        raise ValueError(f"the paper has tables 1 to 4, got {table}")
    frame = pd.read_csv(MEASURED / "paper.csv")
    return frame[frame["table"] == table].drop(columns="table").reset_index(drop=True)


def official_prevalence() -> pd.DataFrame:
    """Return the share of anomalous pixels in the official validation sets that we hold whole.

    Returns:
        By benchmark: images; prevalence (of the pixels that are not void, percent); prevalence_with_void (of
        all pixels, void counted as anomaly, percent). Measured on the masks at their own size.
    """
    return pd.read_csv(MEASURED / "prevalence.csv", index_col="benchmark")


def coverage() -> pd.DataFrame:
    """Return how often our 95 % intervals over images hold the truth, on benchmarks drawn at random.

    Returns:
        By number of images: repeats; auprc, fpr95 and auprc_difference (of two networks on the same images)
        in percent, 95 is right. Made by ``tests/benchmarks/coverage_of_intervals.py``.
    """
    return pd.read_csv(MEASURED / "coverage.csv", index_col="images")


def deployed() -> pd.DataFrame:
    """Return what ``export`` makes of networks of profile mini and of lesson 7's detector, at 128 x 256.

    Returns:
        A row for each and each precision: megabytes of the file; largest_difference of a score to the
        library's, as a share of the range of the scores; auprc of MSP (of the detector its own score) on
        mini_RoadObsticle21 and auprc_of_library, percent; onnxruntime_ms and openvino_ms for one image of
        360 x 640, torch_ms for one of 128 x 256, with one thread. Columns of the table that
        ``tests/benchmarks/benchmark_deployment.py`` writes.
    """
    return pd.read_csv(MEASURED / "deployment.csv")


def measured(profile: str, name: str) -> pd.DataFrame:
    """Return a shipped table of numbers that take hours to measure.

    Args:
        profile: whose networks and benchmarks it is about.
        name: ``losses`` (one row per run, score and benchmark, as ``evaluation.table`` gives them),
            ``losses.summary`` (of ``evaluation.compare``), ``eiml_fl.log`` (one row per epoch),
            ``term_weights`` and ``term_weights.summary`` (of ``sweeps/term_weights.toml``),
            ``eiml_fl.temperatures`` (of ``evaluation.against_temperature``), or ``what_works.summary`` (of
            the command ``ladder``: one row per network, step and benchmark).

    Raises:
        FileNotFoundError: if there is none for this profile.
    """
    if not is_measured(profile, name):
        there = ", ".join(sorted(table.stem for table in MEASURED.glob("*_*.csv"))) or "none"
        raise FileNotFoundError(
            f"no table {profile}_{name} is shipped, only {there}; train and measure with "
            f"python3 start.py train and compare, --profile {profile}"
        )
    return evaluation.read_table(MEASURED / f"{profile}_{name}.csv")


def is_measured(profile: str, name: str) -> bool:
    """Tell whether a table is shipped."""
    return (MEASURED / f"{profile}_{name}.csv").is_file()


def with_published(table: PaperTable, frame: pd.DataFrame, number: int) -> PaperTable:
    """Return a table with the paper's rows below ours, where all images of a benchmark are the paper's.

    Args:
        table: of ``paper_table``.
        frame: what it was made from.
        number: of the paper's table.
    """
    complete = frame.loc[frame["images"] == frame["images_of"], "benchmark"].unique()
    found = {name: find_benchmark(name) for name in complete}
    official = [name for name, one in found.items() if one.script and not one.generated]
    if not official:
        return table
    printed, rows = paper_values(number), dict(table.rows)
    whole = printed[printed["benchmark"].isin(official)]
    for _, row in whole.groupby(["model", "training", "score", "temperature"], sort=False):
        values = row.set_index("benchmark").reindex(table.benchmarks)[["auprc", "fpr95"]].to_numpy().flat
        cells = [None if math.isnan(value) else Cell(value) for value in values]
        rows[f"printed: {row_label(row.iloc[0], printed)}"] = cells
    explained = (
        "Printed: the paper's numbers, of networks trained on Cityscapes, where all official images are "
        "here. They came about by protocol paper."
    )
    return PaperTable(table.benchmarks, rows, f"{table.caption} {explained}", table.miou)


def explained_by(
    printed: Mapping[str, float], shares: Mapping[str, Mapping[str, float]]
) -> dict[str, str | None]:
    """Return which share of pixels each printed AuPRC is equal to, to two decimals; None if to none.

    Args:
        printed: AuPRC in percent by benchmark, with two decimals.
        shares: by their name, shares in percent by benchmark; of two that fit the first counts.

    >>> explained_by({"one": 1.37, "two": 8.0}, {"prevalence": {"one": 1.3730, "two": 2.0}})
    {'one': 'prevalence', 'two': None}
    """
    found = {}
    for benchmark, number in printed.items():
        fitting = [name for name, by in shares.items() if round(by.get(benchmark, math.inf), 2) == number]
        found[benchmark] = fitting[0] if fitting else None
    return found


def no_knowledge(kind: str, prevalence: float, convention: str) -> tuple[float, float]:
    """Return the AuPRC and FPR95, in percent, that a score gets which knows nothing.

    Args:
        kind: ``constant`` or ``random``.
        prevalence: in percent.
        convention: ``step`` or ``chord``, see ``metrics.FPR_CONVENTIONS``; only a constant score minds.

    Raises:
        ValueError: if the kind is unknown.
    """
    if kind not in ("constant", "random"):
        raise unknown_name("kind", kind, ("constant", "random"))
    flags_all = kind == "constant" and convention == "step"
    return prevalence, 100.0 if flags_all else CHANCE_FPR95


def void_share(prevalence: float, printed: float) -> float:
    """Return how much of all pixels is void, in percent, if a printed AuPRC is chance with void as anomaly.

    Args:
        prevalence: of the pixels that are not void, in percent.
        printed: the AuPRC of a score that knows nothing, in percent; it is anomaly plus void of all pixels.

    >>> round(void_share(50, 75), 6)
    50.0
    """
    return 100 * (printed - prevalence) / (100 - prevalence)


def images_needed(width: float, images: int, wanted: float) -> int:
    """Return how many images an interval of a wanted width takes, if some gave another width.

    The width falls with the square root of the number of images.

    >>> images_needed(width=10, images=30, wanted=5)
    120
    """
    return math.ceil(images * (width / wanted) ** 2)


def luck(seeds: int) -> float:
    """Return how likely two equal trainings have seeds that do not overlap, a fraction.

    Args:
        seeds: runs of each training.

    >>> luck(3)
    0.1
    """
    return 2 / math.comb(2 * seeds, seeds)
