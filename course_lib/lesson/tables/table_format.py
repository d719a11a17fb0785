"""A table in the paper's shape, and how it is printed: in a terminal, a notebook, Markdown and LaTeX."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

LATEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"~": r"$\sim$", "\\": r"\textbackslash{}"}


@dataclass(frozen=True)
class Cell:
    """One printed number, in percent."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    mark: str = ""

    def __str__(self) -> str:
        """Return the number, its mark and its interval in one line."""
        return f"{self.marked}{self.interval}"

    @property
    def marked(self) -> str:
        """The value with its mark; small ones, as where anomalies are rare, with one digit more."""
        return f"{self.value:.{2 if self.value < 10 else 1}f}{self.mark}"

    @property
    def interval(self) -> str:
        """The interval in brackets, with a space before it; empty if there is none."""
        if pd.isna(self.low):
            return ""
        digits = 1 if self.high < 10 else 0
        return f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"

    def to_html(self) -> str:
        """Return the cell for a notebook; the interval is small and on a line of its own."""
        return f"{self.marked}<br><small>{self.interval.strip()}</small>"


@dataclass(frozen=True)
class PaperTable:
    """A table in the paper's shape: one row per score, the metrics of each benchmark in the columns."""

    benchmarks: tuple[str, ...]
    rows: dict[str, list[Cell | None]]
    """Of each row label, a cell per benchmark and metric; None where nothing was measured."""
    caption: str
    miou: dict[str, float] = field(default_factory=dict)
    """Of each row label its network's mean IoU, percent; rows that are of no network have none."""
    metrics: tuple[str, ...] = ("AuPRC ↑", "FPR95 ↓")

    def shown(self, cell_text: Callable[[Cell], str]) -> pd.DataFrame:
        """Return the texts of the table, a dash where nothing was measured; mean IoU comes first."""
        columns = pd.MultiIndex.from_product([self.benchmarks, self.metrics])
        texts = [["-" if cell is None else cell_text(cell) for cell in row] for row in self.rows.values()]
        frame = pd.DataFrame(texts, index=list(self.rows), columns=columns)
        if self.miou:
            miou = [f"{self.miou[label]:.1f}" if label in self.miou else "" for label in self.rows]
            frame.insert(0, ("mIoU ↑", ""), miou)
        return frame

    def to_text(self) -> str:
        """Return the table for a terminal."""
        return f"{self.shown(str).to_string()}\n{self.caption}"

    __repr__ = to_text

    def _repr_html_(self) -> str:
        """Return the table for a notebook, intervals in small type below the numbers."""
        table = self.shown(Cell.to_html).rename(index=html.escape, columns=html.escape)
        caption = f'<figcaption style="max-width: 60em">{html.escape(self.caption)}</figcaption>'
        return f'<figure style="margin: 0">{table.to_html(escape=False, border=0)}{caption}</figure>'


class FoldedTables:
    """Tables that a notebook shows folded, each below a line that opens it."""

    def __init__(self, tables: Mapping[str, PaperTable]) -> None:
        """Keep the tables, by what their lines say."""
        self.tables = dict(tables)

    def __repr__(self) -> str:
        """Return the tables for a terminal, where nothing can be folded."""
        return "\n\n".join(f"{name}\n{table.to_text()}" for name, table in self.tables.items())

    def _repr_html_(self) -> str:
        """Return the lines and, folded below each, its table."""
        return "".join(
            f"<details><summary>{html.escape(name)}</summary>{table._repr_html_()}</details>"
            for name, table in self.tables.items()
        )


def to_markdown(table: PaperTable) -> str:
    """Return a table in GitHub's Markdown, one column per benchmark: its metrics, with intervals."""
    shown = table.shown(str)
    names = list(shown.columns.unique(level=0))
    lines = [["", *names], ["---"] * (1 + len(names))]
    lines += [[label, *(" / ".join(row[name]) for name in names)] for label, row in shown.iterrows()]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows}\n\n{' / '.join(table.metrics)}. {table.caption}\n"


def to_latex(table: PaperTable) -> str:
    """Return a table for LaTeX with the packages booktabs, amssymb and graphicx, as wide as the text.

    Numbers only, a column per benchmark and metric as in the paper; marks and chance as everywhere, intervals
    in CSV and Markdown.
    """
    shown = table.shown(lambda cell: _escaped(cell.marked)).rename(index=_escaped, columns=_escaped)
    alignment = "l" + "r" * len(shown.columns)
    tabular = shown.to_latex(escape=False, multicolumn_format="c", column_format=alignment).rstrip()
    return (
        "\\begin{table}\n"
        f"\\resizebox{{\\textwidth}}{{!}}{{%\n{tabular}}}\n"
        f"\\caption{{{_escaped(table.caption)}}}\n"
        "\\end{table}\n"
    )


def _escaped(text: str) -> str:
    """Return a text in which every sign that LaTeX reads otherwise is written out."""
    return "".join(LATEX.get(letter, letter) for letter in text)
