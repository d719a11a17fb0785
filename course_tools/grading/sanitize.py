"""What a submission shows, as text and pictures that do nothing in the browser of whoever looks at it.

Texts are rendered here, where a submission has limits, and cleaned afterwards: what leaves is one line of
HTML without anything that Markdown would read once more, so that later pages show it as it is.
"""

import copy
import html
import re
from typing import Any

from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

LONGEST = 20_000
"""Characters of a text that is an output."""

MOST = 16 << 20
"""Characters of everything that is shown; a few lines of Markdown can name one picture a thousand times."""

TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "mark", "ol", "p", "pre", "s", "small", "span", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[\w+/=]*", re.ASCII)
MARKUP = re.compile(r'(<[^<>"]*(?:"[^"]*"[^<>"]*)*>)')


def harmless(cell: NotebookNode) -> NotebookNode:
    """Return a cell without scripts, and without texts and outputs that browsers would run or load."""
    clean = copy.deepcopy(cell)
    attachments = clean.pop("attachments", None)
    clean["id"] = re.sub(r"[^\w-]", "", str(clean.get("id", "")))[:64] or "cell"
    if clean.cell_type == "code":
        clean.outputs = [kept for output in clean.get("outputs", []) if (kept := _output(output))]
    elif clean.cell_type == "markdown":
        clean.source = rendered(clean.source, attachments if isinstance(attachments, dict) else {})
    else:  # pages show it without a look
        clean.source = f"<pre>{html.escape(clean.source)}</pre>"
    return clean


def rendered(text: str, attachments: dict[str, Any]) -> str:
    """Return Markdown as HTML with links to web pages and attached pictures; nothing of it acts or loads.

    Raises:
        ValueError: if it is too long.
    """
    renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=attachments)
    cleaner = Cleaner(TAGS, _is_allowed, {"http", "https", "data"}, strip=True, filters=[_WordsForPictures])
    page = MarkdownWithMath(renderer=renderer).render(text)
    if len(page) > MOST:
        raise ValueError(f"its text becomes a page of {len(page) >> 20} MB, more than {MOST >> 20} MB")
    parts = MARKUP.split(cleaner.clean(page))
    texts = [
        " ".join(part.split())
        if at % 2
        else re.sub(r"[^\w\s&;#.,]|\n", lambda sign: f"&#{ord(sign[0])};", part)
        for at, part in enumerate(parts)
    ]
    return f"<div>{''.join(texts)}</div>"


class _Renderer(IPythonRenderer):
    """Renders Markdown; of attachments it shows pictures of two kinds."""

    def _embed_image_or_attachment(self, src: str) -> str:
        """Return where the picture is: in itself, or nowhere."""
        kinds = self.attachments.get(src.removeprefix("attachment:"))
        for kind in ("image/png", "image/jpeg"):
            if isinstance(kinds, dict) and isinstance(content := kinds.get(kind), str):
                return f"data:{kind};base64,{''.join(content.split())}"
        return ""


class _WordsForPictures(Filter):
    """Puts the alternative text in place of a picture that is not shown."""

    def __iter__(self) -> Any:
        """Yield what the cleaner hands on."""
        for token in super().__iter__():
            data = token.get("data")
            if token["type"] == "EmptyTag" and token["name"] == "img" and (None, "src") not in data:
                yield {"type": "Characters", "data": data.get((None, "alt"), "")}
            else:
                yield token


def _is_allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute stays."""
    if tag == "img":
        return name == "alt" or (name == "src" and PICTURE.fullmatch(value) is not None)
    return tag == "a" and name == "href" and re.match(r"https?://", value) is not None


def _output(output: NotebookNode) -> NotebookNode | None:
    """Return what is shown of one output, None if nothing is."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return NotebookNode(output_type=kind, name=name, text=_text(output.get("text")))
    if kind == "error":
        lines = [_text(line) for line in output.get("traceback", [])]
        name, value = _text(output.get("ename")), _text(output.get("evalue"))
        return NotebookNode(output_type=kind, ename=name, evalue=value, traceback=lines[-20:])
    data = {}
    for name, value in output.get("data", {}).items():
        if name == "text/plain":
            data[name] = _text(value)
        elif name in ("image/png", "image/jpeg") and re.fullmatch(r"[\w+/=\s]+", str(value), re.ASCII):
            data[name] = str(value)
    return NotebookNode(output_type="display_data", data=data, metadata={}) if data else None


def _text(value: object) -> str:
    """Return a text of limited length, empty for what is none."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n... ({len(text)} characters)"
