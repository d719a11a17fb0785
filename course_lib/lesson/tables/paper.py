"""From tidy rows to a table in the paper's shape: rows named as in papers, numbers marked beside chance."""

import pandas as pd

from course_lib import calibration, models, scores
from course_lib.data import find_benchmark
from course_lib.evaluation import (
    CHANCE_FPR95,
    MARKS,
    NEARLY_CONSTANT,
    PROTOCOLS,
    rounded_down,
    verdict_of,
)
from course_lib.lesson.tables.table_format import Cell, PaperTable
from course_lib.training import training_title

OF_NO_NETWORK = {"constant": "a constant score", "colour": "colour only"}

WITHIN, WORSE, TIED = "~", "!", "="
"""Marks of a number that chance explains, of one worse than chance, and of a (nearly) constant score."""

GAIN, LOSS = MARKS["better"], MARKS["worse"]
"""Marks of a number better or worse than the baseline's, by more than images and seeds explain."""

NETWORK = ["model", "training", "weights", "profile", "seed", "epochs", "height", "width"]
METRICS = ("auprc", "fpr95")
ROW = [*NETWORK, "score", "temperature"]


def paper_table(frame: pd.DataFrame) -> PaperTable:
    """Arrange a tidy table as the paper does, chance in the first row.

    With several networks, or trainings of one, each row is named after both, and mean IoU has a column.

    Args:
        frame: of ``evaluation.table``, one or more of them; one protocol, the same images for every row.

    Raises:
        ValueError: if the rows do not belong into one table.
    """
    control = frame["score"].isin(OF_NO_NETWORK)  # stands once, not beside each network
    frame = frame.astype(dict.fromkeys(NETWORK, object))
    frame.loc[control, NETWORK] = None
    numbers = ["score", "benchmark", "protocol", "auprc", "fpr95", "images"]
    frame = frame[~control | ~frame.duplicated(numbers)]
    networks = frame[~frame["score"].isin(OF_NO_NETWORK)].drop_duplicates(NETWORK)
    _check_rows(frame, networks)
    by_benchmark = frame.drop_duplicates("benchmark").set_index("benchmark")
    benchmarks = tuple(by_benchmark.index)
    chance = [Cell(value) for name in benchmarks for value in (by_benchmark["chance"][name], CHANCE_FPR95)]
    rows: dict[str, list[Cell | None]] = {"chance": chance}
    miou = {}
    for _, found in frame.groupby(ROW, sort=False, dropna=False):
        first, row_of = found.iloc[0], {row.benchmark: row for row in found.itertuples()}
        label = row_label(first, frame)
        rows[label] = [
            _cell(row_of[name], metric, _marks(row_of[name], metric)) if name in row_of else None
            for name in benchmarks
            for metric in METRICS
        ]
        if len(networks) > 1 and first["score"] not in OF_NO_NETWORK and not pd.isna(first["miou"]):
            miou[label] = float(first["miou"])
    images, images_of = by_benchmark["images"], by_benchmark["images_of"]
    counted = f"{images.iloc[0]} images each"
    if (images != images_of).any() or images.nunique() > 1:
        counted = ", ".join(f"{images[name]} of {images_of[name]} images in {name}" for name in benchmarks)
    protocol = frame["protocol"].iloc[0]
    how = f"All numbers are percent. Protocol {protocol}: {PROTOCOLS[protocol].description}; {counted}."
    caption = f"{_about(frame, networks)} {how}{_legend(frame)}"
    if (images < images_of).any() and not all(find_benchmark(name).generated for name in benchmarks):
        caption += " Rows on part of an official set are not comparable with published numbers."
    return PaperTable(benchmarks, rows, caption, miou)


def temperature_table(frame: pd.DataFrame, fitted: float | None = None) -> PaperTable:
    """Arrange one network and score at several temperatures as the paper does, chance in the first row.

    The honest temperature has its name, and the best one per benchmark stands below as the oracle it is.

    Args:
        frame: of ``evaluation.against_temperature``, or ``evaluation.table`` (then without marks for
            differences).
        fitted: the temperature among them that was fitted on validation images; its row says so.

    Raises:
        ValueError: if the rows do not belong into one table, or ``fitted`` is not among the temperatures.
    """
    if frame["score"].nunique() != 1:
        raise ValueError(f"need one score, got {', '.join(frame['score'].unique())}")
    if fitted is not None and fitted not in frame["temperature"].tolist():
        raise ValueError(f"the fitted T = {fitted:g} is not in the table")
    table, score = paper_table(frame), frame["score"].iloc[0]
    named = {score_label(score, 1): f"{scores.TITLES[score]} (t = 1)"}
    if fitted is not None:
        named[score_label(score, fitted)] = f"{scores.TITLES[score]} (t = {fitted:.3g}, fitted)"
    rows = {named.get(label, label): cells for label, cells in table.rows.items()}
    best = calibration.oracle(frame)  # without marks: a choice made on the test set proves nothing
    rows[f"{scores.TITLES[score]}, best t (oracle)"] = [
        _cell(row, metric) for row in best.itertuples() for metric in METRICS
    ]
    caption = table.caption
    if "auprc_beyond_images" in frame:
        caption += (
            f" {GAIN} better, {LOSS} worse than t = 1: the paired interval of the difference excludes 0."
        )
    chosen = ", ".join(f"{row.temperature:.3g} in {row.benchmark}" for row in best.itertuples())
    caption += f" Oracle: chosen on the very images that it is measured on, t = {chosen}."
    return PaperTable(table.benchmarks, rows, caption)


def row_label(row: pd.Series, frame: pd.DataFrame) -> str:
    """Name a row as papers do: the network and the training where there are several, then the score."""
    score = score_label(row["score"], row["temperature"])
    if row["score"] in OF_NO_NETWORK:
        return score
    network = [models.TITLES[row["model"]]] if frame["model"].nunique() > 1 else []
    training = [training_title(row["training"])] if frame["training"].nunique() > 1 else []
    return ", ".join([*network, *training, score])


def score_label(score: str, temperature: float) -> str:
    """Name a score as papers do."""
    if score.startswith("position:"):
        return f"position only, {score_label(score.removeprefix('position:'), temperature)}"
    name = (scores.TITLES | OF_NO_NETWORK).get(score, score)
    return name if temperature == 1 else f"{name} (t = {temperature:g})"


def _check_rows(frame: pd.DataFrame, networks: pd.DataFrame) -> None:
    """Raise a ValueError unless the rows are of one protocol, on the same images, none twice."""
    if frame["protocol"].nunique() != 1:
        raise ValueError(f"need rows of one protocol, got {sorted(frame['protocol'].unique())}")
    for second in networks[networks.duplicated(["model", "training"])].itertuples():
        about = f"profile {second.profile}, seed {second.seed}, {second.height} x {second.width}"
        raise ValueError(
            f"{second.weights} ({about}) is a second {second.model} of training {second.training}; "
            "which one counts?"
        )
    if frame.duplicated([*ROW, "benchmark"]).any():
        raise ValueError("a score stands twice for one benchmark; which one counts?")
    for column in ("images", "chance"):
        values = frame.groupby("benchmark")[column].nunique()
        if (values > 1).any():
            raise ValueError(f"{values.idxmax()} has rows with different {column}; evaluate them together")


def _cell(row, metric: str, marks: str = "") -> Cell:
    """Return one number of a row with its interval."""
    return Cell(getattr(row, metric), getattr(row, f"{metric}_low"), getattr(row, f"{metric}_high"), marks)


def _marks(row, metric: str) -> str:
    """Return what to think of a number: whether chance, one tied score or the baseline explains it."""
    sign, chance = (1, row.chance) if metric == "auprc" else (-1, CHANCE_FPR95)  # AuPRC is better if larger
    outside_chance, marks = getattr(row, f"{metric}_outside_chance"), ""
    judged = pd.notna(outside_chance) and not (metric == "fpr95" and row.constant)
    if judged and not outside_chance:
        marks = WITHIN
    elif judged and sign * (getattr(row, metric) - chance) < 0:
        marks = WORSE
    if _nearly_constant(row):
        marks += TIED
    return marks + MARKS[verdict_of(row._asdict(), metric)]


def _nearly_constant(row) -> bool:
    """Tell whether a network, of which one would not expect it, gave nearly all pixels the same score."""
    return row.score not in OF_NO_NETWORK and bool(row.largest_tie >= NEARLY_CONSTANT)


def _about(frame: pd.DataFrame, networks: pd.DataFrame) -> str:
    """Say which networks the table is about and how well they segment, or over how many seeds."""
    rows = list(networks.itertuples())
    if "seeds" in frame:
        titles = ", ".join(dict.fromkeys(models.TITLES[row.model] for row in rows))
        parts = []
        for number, those in networks.groupby("seeds", sort=False):
            names = ", ".join(training_title(name) for name in those["training"])
            parts.append(f"{names}: {'one seed' if number == 1 else f'mean of {number} seeds'}")
        return f"{titles}, {rows[0].epochs} epochs. {'; '.join(parts)}."
    if not rows:
        return ""
    named = ", ".join(f"{models.TITLES[row.model]} ({row.weights})" for row in rows)
    segmenting = [row for row in rows if not pd.isna(row.miou)]
    if not segmenting:
        return f"{named}."
    value = "" if len(rows) > 1 else f" {segmenting[0].miou:.1f}"
    counts = " or ".join(dict.fromkeys(f"{row.classes_in_miou:.0f}" for row in segmenting))
    return f"{named}. Mean IoU{value} over {counts} classes."


def _legend(frame: pd.DataFrame) -> str:
    """Explain brackets and marks, as far as there are any."""
    text = ""
    if frame["auprc_low"].notna().any():
        text = f" Brackets: 95 % intervals over images. {WITHIN} within chance, {WORSE} worse than chance."
    if "seeds" in frame:
        text += (
            f" {GAIN} better, {LOSS} worse than {training_title(frame['baseline'].iloc[0])}: the interval of "
            "the difference over images excludes 0 and, where both have several seeds, these do not overlap."
        )
    if "baseline_score" in frame:
        text += (
            f" {GAIN} better, {LOSS} worse than {scores.TITLES[frame['baseline_score'].iloc[0]]} of the same "
            "network: the interval of the difference, over images in pairs, excludes 0."
        )
    tied = [row.largest_tie for row in frame.itertuples() if _nearly_constant(row)]
    if tied:
        text += f" {TIED} nearly constant: one score on {rounded_down(min(tied))} % of the pixels or more."
    if (frame["constant"].fillna(False) & (frame["fpr95_convention"] == "step")).any():
        text += " A constant score flags all pixels or none: its FPR95 is 100 by the step rule."
    return text
