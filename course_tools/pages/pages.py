"""Executed lessons as HTML that needs no network: pictures inside, formulas as MathML."""

import html
import re
from collections.abc import Sequence
from importlib.resources import files

from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from course_tools.pages.execution import Executed
from course_tools.pages.static_output import without_widgets

FIGURE = re.compile(r'<img alt="[^"]*" style="max-width: 100%" src="data:image/png;base64,[\w+/=]*">')
TEMPLATE = "lesson.html.j2"
STYLE = files("course_tools.pages").joinpath("index.css")


class _Renderer(IPythonRenderer):
    """Markdown to HTML; formulas become MathML, which browsers draw by themselves."""

    def inline_math(self, body: str) -> str:
        """Return a formula in a line of text."""
        return _formula(body, "inline")

    def block_math(self, body: str) -> str:
        """Return a formula on a line of its own."""
        return _formula(body, "block")


def _formula(body: str, display: str) -> str:
    """Return a formula as MathML; one that cannot be translated stays as it was written."""
    try:
        return convert(body, display=display)
    except Exception:  # the converter documents no common base of its errors
        return f"<code>{html.escape(body)}</code>"


def _to_html(source: str) -> str:
    """Translate the text of a Markdown cell."""
    return MarkdownWithMath(renderer=_Renderer(escape=False)).render(source)


def lesson_page(lesson: Executed) -> str:
    """Return an executed lesson as one HTML page."""
    exporter = HTMLExporter(
        raw_template=files("course_tools.pages").joinpath(TEMPLATE).read_text(encoding="utf-8"),
        filters={"markdown2html": _to_html},
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"metadata": {"name": lesson.title}}
    page, _ = exporter.from_notebook_node(without_widgets(lesson.notebook), resources)
    return re.sub(r'href="\.\./(\w+)/\1\.ipynb"', r'href="\1.html"', page)


def index_page(lessons: Sequence[Executed], profile: str) -> str:
    """Return the page that leads to all executed lessons.

    Args:
        lessons: in the order of the course.
        profile: on whose data they ran.
    """
    cards = "\n".join(_card(lesson) for lesson in lessons)
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Road anomalies: the executed lessons</title><style>{style}</style></head><body>"
        "<h1>Real-Time Anomaly Segmentation for Road Scenes</h1>"
        f"<p>The lessons as they ran on this machine, profile <code>{html.escape(profile)}</code>. "
        "To work in them: <code>python3 start.py lab</code>.</p>"
        f"<main>{cards}</main></body></html>\n"
    )


def _card(lesson: Executed) -> str:
    """Return the entry of one lesson: a picture, its title, what its run took."""
    state = "did not run to its end" if lesson.error else f"ran in {lesson.seconds:.0f} s"
    memory = "" if lesson.error else f", {lesson.peak_gb:.1f} GB of memory"
    return (
        f'<a class="{"failed" if lesson.error else "card"}" href="lessons/{lesson.name}.html">'
        f"{_first_picture(lesson.notebook)}<h2>{html.escape(lesson.title)}</h2>"
        f"<p>{state}{memory}; {lesson.points:g} of {lesson.most_points:g} points</p></a>"
    )


def _first_picture(notebook: NotebookNode) -> str:
    """Return the first figure of a notebook as an image element, empty if there is none."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    shown = (output.get("data", {}).get("text/html", "") for output in outputs)
    return next((picture for picture in shown if FIGURE.fullmatch(picture)), "")
