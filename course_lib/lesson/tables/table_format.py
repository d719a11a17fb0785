"""How a table in the paper's shape is printed, in a terminal and in a notebook."""

import html
from dataclasses import dataclass, field

import pandas as pd

METRICS = ("AuPRC ↑", "FPR95 ↓")
MIOU = "mIoU ↑"

SMALL = 10
"""Percent; below, a digit more is printed."""


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

    def to_html(self) -> str:
        """Return the cell for a notebook; the interval is small and on a line of its own."""
        return f"{self.number}{self.mark}<br><small>{self.interval.strip()}</small>"


@dataclass(frozen=True)
class PaperTable:
    """A table in the paper's shape: one row per score, the metrics of each benchmark in the columns."""

    benchmarks: tuple[str, ...]
    rows: dict[str, list[Cell | None]]
    """Of each row label, a cell per benchmark and metric; None where nothing was measured."""
    caption: str
    miou: dict[str, float] = field(default_factory=dict)
    """Of each row label its network's mean IoU, percent; rows that are of no network have none."""
    metrics: tuple[str, ...] = METRICS

    def to_text(self) -> str:
        """Return the table for a terminal."""
        columns = pd.MultiIndex.from_product([self.benchmarks, self.metrics])
        shown = [["-" if cell is None else str(cell) for cell in cells] for cells in self.rows.values()]
        printed = pd.DataFrame(shown, index=list(self.rows), columns=columns)
        if self.miou:
            printed.insert(0, (MIOU, ""), [self.miou_of(label) for label in self.rows])
        return f"{printed.to_string()}\n{self.caption}"

    def _repr_html_(self) -> str:
        """Return the table for a notebook, intervals in small type below the numbers."""
        span = len(self.metrics)
        names = "".join(f'<th colspan="{span}">{html.escape(name)}</th>' for name in self.benchmarks)
        metrics = "".join(f"<th>{metric}</th>" for metric in self.metrics * len(self.benchmarks))
        extra = f'<th rowspan="2">{MIOU}</th>' if self.miou else ""
        rows = "".join(self._row_as_html(label, cells) for label, cells in self.rows.items())
        head = f'<thead><tr><th rowspan="2"></th>{extra}{names}</tr><tr>{metrics}</tr></thead>'
        table = f"<table>{head}<tbody>{rows}</tbody></table>"
        caption = f'<figcaption style="max-width: 60em">{html.escape(self.caption)}</figcaption>'
        return f'<figure style="margin: 0">{table}{caption}</figure>'

    def __repr__(self) -> str:
        """Return the table for a terminal."""
        return self.to_text()

    def _row_as_html(self, label: str, cells: list[Cell | None]) -> str:
        """Return one row for a notebook."""
        name = f'<th scope="row" style="text-align: left">{html.escape(label)}</th>'
        extra = f"<td>{self.miou_of(label)}</td>" if self.miou else ""
        return f"<tr>{name}{extra}{''.join(f'<td>{_as_html(cell)}</td>' for cell in cells)}</tr>"

    def miou_of(self, label: str) -> str:
        """Return the mean IoU of a row as it is printed."""
        return f"{self.miou[label]:.1f}" if label in self.miou else ""


def _as_html(cell: Cell | None) -> str:
    """Return a cell for a notebook, or a dash."""
    return "-" if cell is None else cell.to_html()
