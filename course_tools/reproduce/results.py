"""What is made, the files that it becomes, and one page that shows all of it."""

from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from course_lib import runtime
from course_lib.evaluation import PROTOCOLS
from course_lib.lesson import figures, tables
from course_tools.result_store import write_table


@dataclass(frozen=True)
class Table:
    """One table: its numbers, and how it is printed."""

    name: str
    """Of its files."""
    title: str
    frame: pd.DataFrame
    """Tidy: one row per number pair."""
    printed: tables.PaperTable

    def write(self, folder: Path) -> None:
        """Write CSV, Markdown and LaTeX."""
        write_table(self.frame, folder / f"{self.name}.csv")
        write_text(folder / f"{self.name}.md", self.to_markdown())
        write_text(folder / f"{self.name}.tex", tables.to_latex(self.printed))

    def to_html(self) -> str:
        """Return the table for a page."""
        return self.printed._repr_html_()

    def to_markdown(self) -> str:
        """Return the table under its title."""
        return f"## {self.title}\n\n{tables.to_markdown(self.printed)}"

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
    drawn: figures.DescribedFigure
    frame: pd.DataFrame | None = None
    may_be_published: bool = True
    """False if it shows images of a data set."""

    def write(self, folder: Path) -> None:
        """Write PNG, and CSV."""
        if self.frame is not None:
            write_table(self.frame, folder / f"{self.name}.csv")
        self.drawn.savefig(folder / f"{self.name}.png", dpi=self.drawn.dpi)

    def to_html(self) -> str:
        """Return the picture for a page, with its alternative text."""
        return self.drawn.to_html()

    def to_markdown(self) -> str:
        """Return the picture under its title, with its alternative text."""
        return f"## {self.title}\n\n![{self.drawn.alt}]({self.name}.png)\n"

    @property
    def files(self) -> tuple[str, ...]:
        """What ``write`` writes."""
        return (f"{self.name}.png", *([] if self.frame is None else [f"{self.name}.csv"]))


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    runtime.write_atomically(path, text.encode())


def page(template: str, made: list[Table | Figure], about: dict) -> str:
    """Return a page of all results.

    Args:
        template: ``page.html.j2``, one file that holds the figures, too; or ``page.md.j2``, which links to
            the files beside it.
        made: in the order of the page.
        about: how it came about, all that ``reproduce`` writes into ``reproduce.json``.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("course_tools", "reproduce"),
        autoescape=template == "page.html.j2",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    protocol = PROTOCOLS[about["protocol"]].description
    return environment.get_template(template).render(about, made=made, protocol_is=protocol)
