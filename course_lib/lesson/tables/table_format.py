"""A table in the paper's shape, and how it is printed: in a terminal, a notebook, Markdown and LaTeX."""

import html
from dataclasses import dataclass, field

import pandas as pd

METRICS = ("AuPRC ↑", "FPR95 ↓")
MIOU = "mIoU ↑"

SMALL = 10
"""Percent; below, a digit more is printed."""

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

    def __repr__(self) -> str:
        """Return the table for a terminal."""
        return self.to_text()

    def _repr_html_(self) -> str:
        """Return the table for a notebook, intervals in small type below the numbers."""
        span, extra = len(self.metrics), f'<th rowspan="2">{MIOU}</th>' if self.miou else ""
        names = "".join(f'<th colspan="{span}">{html.escape(name)}</th>' for name in self.benchmarks)
        metrics = "".join(f"<th>{metric}</th>" for metric in self.metrics * len(self.benchmarks))
        head = f'<thead><tr><th rowspan="2"></th>{extra}{names}</tr><tr>{metrics}</tr></thead>'
        body = ""
        for label, cells in self.rows.items():
            name = f'<th scope="row" style="text-align: left">{html.escape(label)}</th>'
            miou = f"<td>{self.miou_of(label)}</td>" if self.miou else ""
            numbers = "".join(f"<td>{'-' if cell is None else cell.to_html()}</td>" for cell in cells)
            body += f"<tr>{name}{miou}{numbers}</tr>"
        caption = f'<figcaption style="max-width: 60em">{html.escape(self.caption)}</figcaption>'
        table = f"<table>{head}<tbody>{body}</tbody></table>"
        return f'<figure style="margin: 0">{table}{caption}</figure>'

    def miou_of(self, label: str) -> str:
        """Return the mean IoU of a row as it is printed."""
        return f"{self.miou[label]:.1f}" if label in self.miou else ""


def to_markdown(table: PaperTable) -> str:
    """Return a table in GitHub's Markdown, one column per benchmark: its metrics, with intervals."""
    head, several = ["", *([MIOU] if table.miou else []), *table.benchmarks], len(table.metrics)
    lines = [head, ["---"] * len(head)]
    for label, cells in table.rows.items():
        shown = ["-" if cell is None else str(cell) for cell in cells]
        together = [" / ".join(shown[i : i + several]) for i in range(0, len(shown), several)]
        lines.append([label, *([table.miou_of(label)] if table.miou else []), *together])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows}\n\n{' / '.join(table.metrics)}. {table.caption}\n"


def to_latex(table: PaperTable) -> str:
    """Return a table for LaTeX with the packages booktabs, amssymb and graphicx, as wide as the text.

    Numbers only, a column per benchmark and metric as in the paper; marks and chance as everywhere, intervals
    in CSV and Markdown.
    """
    miou, span = 1 if table.miou else 0, len(table.metrics)
    names = [rf"\multicolumn{{{span}}}{{c}}{{{_escaped(name)}}}" for name in table.benchmarks]
    metrics = [_escaped(metric) for metric in table.metrics * len(table.benchmarks)]
    lines = [["", *[""] * miou, *names], ["", *[_escaped(MIOU)] * miou, *metrics]]
    for label, cells in table.rows.items():
        numbers = [_escaped("-" if cell is None else f"{cell.number}{cell.mark}") for cell in cells]
        lines.append([_escaped(label), *[table.miou_of(label)] * miou, *numbers])
    head, second, *rows = [f"{' & '.join(line)} \\\\" for line in lines]
    columns = f"l{'r' * miou}{'r' * len(metrics)}"
    return "\n".join(
        [
            r"\begin{table}",
            r"\resizebox{\textwidth}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            second,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\caption{{{_escaped(table.caption)}}}",
            r"\end{table}",
            "",
        ]
    )


def _escaped(text: str) -> str:
    """Return a text in which every sign that LaTeX reads otherwise is written out."""
    return "".join(LATEX.get(letter, letter) for letter in text)
