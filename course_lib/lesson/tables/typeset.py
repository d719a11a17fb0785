"""A table in the paper's shape for documents: Markdown and LaTeX."""

from course_lib.lesson.tables.table_format import MIOU, Cell, PaperTable

LATEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"~": r"$\sim$", "\\": r"\textbackslash{}"}


def to_markdown(table: PaperTable) -> str:
    """Return a table in GitHub's Markdown, one column per benchmark: its metrics, with intervals."""
    head = ["", *([MIOU] if table.miou else []), *table.benchmarks]
    lines = [head, ["---"] * len(head)]
    for label, cells in table.rows.items():
        several = len(table.metrics)
        together = [" / ".join(map(_shown, cells[i : i + several])) for i in range(0, len(cells), several)]
        lines.append([label, *([table.miou_of(label)] if table.miou else []), *together])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows}\n\n{' / '.join(table.metrics)}. {table.caption}\n"


def to_latex(table: PaperTable) -> str:
    """Return a table for LaTeX with the packages booktabs, amssymb and graphicx, as wide as the text.

    Numbers only, a column per benchmark and metric as in the paper; marks and chance as everywhere, intervals
    in CSV and Markdown.
    """
    miou, span = 1 if table.miou else 0, len(table.metrics)
    names = " & ".join(rf"\multicolumn{{{span}}}{{c}}{{{_escaped(name)}}}" for name in table.benchmarks)
    metrics = " & ".join(_escaped(metric) for metric in table.metrics * len(table.benchmarks))
    extra = f" & {_escaped(MIOU)}" if miou else ""
    rows = [
        " & ".join(
            [_escaped(label), *([table.miou_of(label)] * miou), *(_escaped(_number(c)) for c in cells)]
        )
        for label, cells in table.rows.items()
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\resizebox{\textwidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * miou}{'r' * span * len(table.benchmarks)}}}",
            r"\toprule",
            f"{' &' * miou} & {names} \\\\",
            f"{extra} & {metrics} \\\\",
            r"\midrule",
            *(f"{row} \\\\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\caption{{{_escaped(table.caption)}}}",
            r"\end{table}",
            "",
        ]
    )


def _shown(cell: Cell | None) -> str:
    return "-" if cell is None else str(cell)


def _number(cell: Cell | None) -> str:
    return "-" if cell is None else f"{cell.number}{cell.mark}"


def _escaped(text: str) -> str:
    """Return a text in which every sign that LaTeX reads otherwise is written out."""
    return "".join(LATEX.get(letter, letter) for letter in text)
