"""What is made, and the files that it becomes."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from course_lib import plots, reports
from course_lib.runtime import write_atomically

DIGITS = "%.6g"


@dataclass(frozen=True)
class Table:
    """One table: its numbers, and how it is printed."""

    name: str
    """Of its files."""
    title: str
    frame: pd.DataFrame
    """Tidy: one row per number pair."""
    printed: reports.PaperTable

    def write(self, folder: Path) -> None:
        """Write CSV, Markdown and LaTeX."""
        write_frame(folder / f"{self.name}.csv", self.frame)
        write_text(folder / f"{self.name}.md", f"## {self.title}\n\n{reports.to_markdown(self.printed)}")
        write_text(folder / f"{self.name}.tex", reports.to_latex(self.printed))

    def to_html(self) -> str:
        """Return the table for a page."""
        return self.printed._repr_html_()

    @property
    def files(self) -> tuple[str, ...]:
        """What ``write`` writes."""
        return tuple(f"{self.name}.{suffix}" for suffix in ("csv", "md", "tex"))


@dataclass(frozen=True)
class Figure:
    """One figure, and the numbers in it where it is made of numbers."""

    name: str
    """Of its files."""
    title: str
    drawn: plots.DescribedFigure
    frame: pd.DataFrame | None = None

    def write(self, folder: Path) -> None:
        """Write PNG, and CSV."""
        if self.frame is not None:
            write_frame(folder / f"{self.name}.csv", self.frame)
        self.drawn.savefig(folder / f"{self.name}.png", dpi=self.drawn.dpi)

    def to_html(self) -> str:
        """Return the picture for a page, with its alternative text."""
        return self.drawn.to_html()

    @property
    def files(self) -> tuple[str, ...]:
        """What ``write`` writes."""
        return (f"{self.name}.png", *([] if self.frame is None else [f"{self.name}.csv"]))


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write numbers, rounded alike everywhere."""
    write_text(path, frame.to_csv(index=False, float_format=DIGITS))


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole."""
    write_atomically(path, text.encode())
