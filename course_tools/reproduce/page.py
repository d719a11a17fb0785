"""One page that shows everything, and says how it came about."""

from importlib.resources import files

import jinja2

from course_lib.evaluation import PROTOCOLS
from course_tools.reproduce.job import Job
from course_tools.reproduce.results import Figure, Table


def page(job: Job, made: list[Table | Figure], about: dict) -> str:
    """Return the page, figures included, as one HTML file.

    Args:
        job: what was asked for.
        made: in the order of the page.
        about: how it came about, all that ``reproduce`` writes into ``reproduce.json``.
    """
    return _render("page.html.j2", job, made, about, autoescape=True)


def markdown_page(job: Job, made: list[Table | Figure], about: dict) -> str:
    """Return a page that links to the files beside it; see ``page``."""
    return _render("page.md.j2", job, made, about, autoescape=False)


def _render(name: str, job: Job, made: list[Table | Figure], about: dict, autoescape: bool) -> str:
    template = files("course_tools.reproduce").joinpath(name).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=autoescape, undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    protocol = PROTOCOLS[job.protocol].description
    return environment.from_string(template).render(about, made=made, protocol_is=protocol)
