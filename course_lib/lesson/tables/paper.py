"""From tidy rows to a table in the paper's shape: rows named as in papers, numbers marked beside chance."""

from collections.abc import Sequence

import pandas as pd

from course_lib import models, scores
from course_lib.data import find_benchmark
from course_lib.evaluation import CHANCE_FPR95, NEARLY_CONSTANT, PROTOCOLS, rounded_down
from course_lib.lesson.tables.table_format import Cell, PaperTable
from course_lib.training import training_title

OF_NO_NETWORK = {"constant": "a constant score", "colour": "colour only"}

WITHIN, WORSE, TIED = "~", "!", "="
"""Marks of a number that chance explains, of one worse than chance, and of a (nearly) constant score."""

GAIN, LOSS = "▲", "▼"
"""Marks of a number better or worse than the baseline's, by more than images and seeds explain."""

NETWORK = ["model", "training", "weights", "profile", "seed", "epochs", "height", "width"]
ROW = [*NETWORK, "score", "temperature"]


def paper_table(frame: pd.DataFrame) -> PaperTable:
    """Arrange a tidy table as the paper does, chance in the first row.

    With several networks, or trainings of one, each row is named after both, and mean IoU has a column.

    Args:
        frame: of ``evaluation.table``, one or more of them; one protocol, the same images for every row.

    Raises:
        ValueError: if the rows do not belong into one table.
    """
    frame = _without_repeated_controls(frame)
    _check_rows(frame)
    benchmarks = tuple(frame["benchmark"].unique())
    rows, miou = {"chance": _chance_row(frame, benchmarks)}, {}
    for _, found in frame.groupby(ROW, sort=False, dropna=False):
        first, by_benchmark = found.iloc[0], {row.benchmark: row for row in found.itertuples()}
        label = _label(first, frame)
        rows[label] = [cell for name in benchmarks for cell in _cells(by_benchmark.get(name))]
        if _several(frame) and first["score"] not in OF_NO_NETWORK and not pd.isna(first["miou"]):
            miou[label] = float(first["miou"])
    return PaperTable(benchmarks, rows, _caption(frame), miou)


def _without_repeated_controls(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows, with controls that look at no network once instead of once beside each network."""
    control = frame["score"].isin(OF_NO_NETWORK)
    frame = frame.astype(dict.fromkeys(NETWORK, object))
    frame.loc[control, NETWORK] = None
    numbers = ["score", "benchmark", "protocol", "auprc", "fpr95", "images"]
    return frame[~control | ~frame.duplicated(numbers)]


def _networks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of each network."""
    return frame[~frame["score"].isin(OF_NO_NETWORK)].drop_duplicates(NETWORK)


def _several(frame: pd.DataFrame) -> bool:
    """Tell whether the table is about more than one network."""
    return len(_networks(frame)) > 1


def _check_rows(frame: pd.DataFrame) -> None:
    """Raise a ValueError unless the rows are of one protocol, on the same images, none twice."""
    if frame["protocol"].nunique() != 1:
        raise ValueError(f"need rows of one protocol, got {sorted(frame['protocol'].unique())}")
    networks = _networks(frame)
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


def _chance_row(frame: pd.DataFrame, benchmarks: Sequence[str]) -> list[Cell]:
    """Return what a random score gets: the prevalence, and 95."""
    chance = frame.drop_duplicates("benchmark").set_index("benchmark")["chance"]
    return [cell for name in benchmarks for cell in (Cell(chance[name]), Cell(CHANCE_FPR95))]


def _label(row: pd.Series, frame: pd.DataFrame) -> str:
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


def _cells(row) -> tuple[Cell | None, Cell | None]:
    """Return AuPRC and FPR95 of one score on one benchmark, marked where chance explains them."""
    if row is None:
        return None, None
    tied = TIED if _nearly_constant(row) else ""
    auprc_mark = _mark(row.auprc_outside_chance, row.auprc < row.chance)
    fpr95_mark = "" if row.constant else _mark(row.fpr95_outside_chance, row.fpr95 > CHANCE_FPR95)
    auprc_mark += tied + _beside_baseline(row, "auprc", better=1)
    fpr95_mark += tied + _beside_baseline(row, "fpr95", better=-1)
    return (
        Cell(row.auprc, row.auprc_low, row.auprc_high, auprc_mark),
        Cell(row.fpr95, row.fpr95_low, row.fpr95_high, fpr95_mark),
    )


def _beside_baseline(row, name: str, better: int) -> str:
    """Return the mark of a difference to the baseline; none if images or seeds explain it."""
    beyond_seeds = getattr(row, f"{name}_beyond_seeds", pd.NA)
    if not getattr(row, f"{name}_beyond_images", False) or (pd.notna(beyond_seeds) and not beyond_seeds):
        return ""
    return GAIN if better * getattr(row, f"{name}_difference") > 0 else LOSS


def _nearly_constant(row) -> bool:
    """Tell whether a network, of which one would not expect it, gave nearly all pixels the same score."""
    return row.score not in OF_NO_NETWORK and bool(row.largest_tie >= NEARLY_CONSTANT)


def _mark(outside_chance: bool | float, worse: bool) -> str:
    """Return the mark of a number; none without an interval."""
    if pd.isna(outside_chance):
        return ""
    if not outside_chance:
        return WITHIN
    return WORSE if worse else ""


def _caption(frame: pd.DataFrame) -> str:
    """Say what the numbers are, and how they came about."""
    protocol = frame["protocol"].iloc[0]
    counts = frame.drop_duplicates("benchmark")
    parts = [f"{r.images} of {r.images_of} images in {r.benchmark}" for r in counts.itertuples()]
    images = f"{counts['images'].iloc[0]} images each" if _all_whole_and_equal(counts) else ", ".join(parts)
    return (
        f"{_about(frame)} All numbers are percent. Protocol {protocol}: "
        f"{PROTOCOLS[protocol].description}; {images}.{_legend(frame)}{_warning(counts)}"
    )


def _about(frame: pd.DataFrame) -> str:
    """Say which networks the table is about, and how well they segment."""
    networks = list(_networks(frame).itertuples())
    if "seeds" in frame:
        return _about_seeds(networks)
    named = ", ".join(f"{models.TITLES[r.model]} ({r.weights})" for r in networks)
    measured = [r for r in networks if not pd.isna(r.miou)]
    if not measured:
        return f"{named}." if named else ""
    value = "" if len(networks) > 1 else f" {measured[0].miou:.1f}"
    counts = dict.fromkeys(f"{r.classes_in_miou:.0f}" for r in measured)
    return f"{named}. Mean IoU{value} over {' or '.join(counts)} classes."


def _about_seeds(networks: Sequence) -> str:
    """Say over how many seeds each training is averaged."""
    by_number: dict[int, list[str]] = {}
    for network in networks:
        by_number.setdefault(network.seeds, []).append(training_title(network.training))
    parts = [
        f"{', '.join(names)}: {'one seed' if number == 1 else f'mean of {number} seeds'}"
        for number, names in by_number.items()
    ]
    titles = dict.fromkeys(models.TITLES[network.model] for network in networks)
    return f"{', '.join(titles)}, {networks[0].epochs} epochs. {'; '.join(parts)}."


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


def _warning(counts: pd.DataFrame) -> str:
    """Warn if a real benchmark is not whole."""
    public = [name for name in counts["benchmark"] if not find_benchmark(name).generated]
    if (counts["images"] < counts["images_of"]).any() and public:
        return " Rows on part of an official set are not comparable with published numbers."
    return ""


def _all_whole_and_equal(counts: pd.DataFrame) -> bool:
    """Tell whether all benchmarks are whole and hold as many images."""
    return bool((counts["images"] == counts["images_of"]).all()) and counts["images"].nunique() == 1
