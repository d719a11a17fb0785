"""The paper's tables, as they should have been printed: beside chance, with intervals and marks."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from course_lib import scores
from course_lib.data import BENCHMARKS
from course_lib.evaluation import CHANCE_FPR95, PROTOCOLS

METRICS = ("AuPRC ↑", "FPR95 ↓")
ROW_LABELS = scores.TITLES | {"constant": "a constant score", "colour": "colour only"}

SMALL = 10
"""Percent; below, a digit more is printed."""

WITHIN, WORSE = "~", "!"
"""Marks of a number that chance explains, and of one that is worse than chance."""


@dataclass(frozen=True)
class Cell:
    """One printed number, in percent."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    mark: str = ""

    def __str__(self) -> str:
        """Return the number, its mark and its interval in one line."""
        return f"{self.number}{self.mark}{self.interval}"

    @property
    def number(self) -> str:
        """The value; small ones, as where anomalies are rare, with one digit more."""
        return f"{self.value:.{2 if self.value < SMALL else 1}f}"

    @property
    def interval(self) -> str:
        """The interval in brackets, with a space before it; empty if there is none."""
        if pd.isna(self.low):
            return ""
        digits = 1 if self.high < SMALL else 0
        return f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True)
class PaperTable:
    """A table in the paper's shape: one row per score, AuPRC and FPR95 of each benchmark in the columns."""

    benchmarks: tuple[str, ...]
    rows: dict[str, list[Cell | None]]
    """Of each row label, two cells per benchmark; None where nothing was measured."""
    caption: str

    def to_text(self) -> str:
        """Return the table for a terminal."""
        columns = pd.MultiIndex.from_product([self.benchmarks, METRICS])
        shown = [["-" if cell is None else str(cell) for cell in cells] for cells in self.rows.values()]
        return f"{pd.DataFrame(shown, index=list(self.rows), columns=columns).to_string()}\n{self.caption}"

    def _repr_html_(self) -> str:
        """Return the table for a notebook, intervals in small type below the numbers."""
        names = "".join(f'<th colspan="2">{html.escape(name)}</th>' for name in self.benchmarks)
        metrics = "".join(f"<th>{metric}</th>" for metric in METRICS * len(self.benchmarks))
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left">{html.escape(label)}</th>'
            + "".join(f"<td>{_as_html(cell)}</td>" for cell in cells)
            + "</tr>"
            for label, cells in self.rows.items()
        )
        caption = (
            f'<caption style="caption-side: bottom; text-align: left">{html.escape(self.caption)}</caption>'
        )
        head = f"<thead><tr><th></th>{names}</tr><tr><th></th>{metrics}</tr></thead>"
        return f"<table>{caption}{head}<tbody>{rows}</tbody></table>"

    def __repr__(self) -> str:
        """Return the table for a terminal."""
        return self.to_text()


def paper_table(frame: pd.DataFrame) -> PaperTable:
    """Arrange a tidy table as the paper's Table 1, chance in the first row.

    Args:
        frame: of ``evaluation.table``, one network under one protocol.

    Raises:
        ValueError: if the rows do not belong into one table.
    """
    _check_rows(frame)
    benchmarks = tuple(frame["benchmark"].unique())
    rows = {"chance": _chance_row(frame, benchmarks)}
    for (score, temperature), found in frame.groupby(["score", "temperature"], sort=False):
        by_benchmark = {row.benchmark: row for row in found.itertuples()}
        rows[_label(score, temperature)] = [
            cell for name in benchmarks for cell in _cells(by_benchmark.get(name))
        ]
    return PaperTable(benchmarks, rows, _caption(frame))


def _check_rows(frame: pd.DataFrame) -> None:
    """Raise a ValueError unless the rows are of one network and protocol, on the same images, none twice."""
    for column in ("protocol", "model", "weights"):
        if frame[column].nunique() != 1:
            raise ValueError(f"need rows of one {column}, got {sorted(map(str, frame[column].unique()))}")
    if frame.duplicated(["score", "temperature", "benchmark"]).any():
        raise ValueError("a score stands twice for one benchmark; which one counts?")
    for column in ("images", "chance"):
        values = frame.groupby("benchmark")[column].nunique()
        if (values > 1).any():
            raise ValueError(f"{values.idxmax()} has rows with different {column}; evaluate them together")


def _chance_row(frame: pd.DataFrame, benchmarks: Sequence[str]) -> list[Cell]:
    """Return what a random score gets: the prevalence, and 95."""
    chance = frame.drop_duplicates("benchmark").set_index("benchmark")["chance"]
    return [cell for name in benchmarks for cell in (Cell(chance[name]), Cell(CHANCE_FPR95))]


def _label(score: str, temperature: float) -> str:
    """Name a row as papers do."""
    if score.startswith("position:"):
        return f"position only, {_label(score.removeprefix('position:'), temperature)}"
    name = ROW_LABELS.get(score, score)
    return name if temperature == 1 else f"{name} (t = {temperature:g})"


def _cells(row) -> tuple[Cell | None, Cell | None]:
    """Return AuPRC and FPR95 of one score on one benchmark, marked where chance explains them."""
    if row is None:
        return None, None
    auprc_mark = _mark(row.auprc_outside_chance, row.auprc < row.chance)
    fpr95_mark = "" if row.constant else _mark(row.fpr95_outside_chance, row.fpr95 > CHANCE_FPR95)
    return (
        Cell(row.auprc, row.auprc_low, row.auprc_high, auprc_mark),
        Cell(row.fpr95, row.fpr95_low, row.fpr95_high, fpr95_mark),
    )


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
    first = frame.iloc[0]
    miou = (
        ""
        if pd.isna(first["miou"])
        else f" Mean IoU {first['miou']:.1f} over {first['classes_in_miou']} classes."
    )
    marks = ""
    if frame["auprc_low"].notna().any():
        marks = f" Brackets: 95 % intervals over images. {WITHIN} within chance, {WORSE} worse than chance."
    if (frame["constant"].fillna(False) & (frame["fpr95_convention"] == "step")).any():
        marks += " A constant score flags all pixels or none: its FPR95 is 100 by definition."
    public = [name for name in counts["benchmark"] if not BENCHMARKS[name].generated]
    part = (counts["images"] < counts["images_of"]).any() and public
    warning = " Rows on part of an official set are not comparable with published numbers." if part else ""
    return (
        f"{first['model']} ({first['weights']}).{miou} All numbers are percent. Protocol {protocol}: "
        f"{PROTOCOLS[protocol].description}; {images}.{marks}{warning}"
    )


def _all_whole_and_equal(counts: pd.DataFrame) -> bool:
    """Tell whether all benchmarks are whole and hold as many images."""
    return bool((counts["images"] == counts["images_of"]).all()) and counts["images"].nunique() == 1


def _as_html(cell: Cell | None) -> str:
    """Return one cell; the interval is small and on a line of its own."""
    if cell is None:
        return "-"
    return f"{cell.number}{cell.mark}<br><small>{cell.interval.strip()}</small>"
