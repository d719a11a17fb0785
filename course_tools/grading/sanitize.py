"""What a submission shows, as text and pictures that do nothing in the browser of whoever looks at it."""

import copy
import re

from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode

LONGEST = 20_000
"""Characters of a text."""


def harmless(cell: NotebookNode) -> NotebookNode:
    """Return a cell without scripts, attachments, and outputs that browsers would run or load."""
    clean = copy.deepcopy(cell)
    clean.pop("attachments", None)
    clean["id"] = re.sub(r"[^\w-]", "", str(clean.get("id", "")))[:64] or "cell"
    if clean.cell_type == "code":
        clean.outputs = [kept for output in clean.get("outputs", []) if (kept := _output(output))]
        return clean
    return SanitizeHTML().preprocess_cell(clean, {}, 0)[0]


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
        elif name in ("image/png", "image/jpeg"):
            is_picture = isinstance(value, str) and re.fullmatch(r"[\w+/=\s]*", value, re.ASCII)
            data[name] = value if is_picture else ""
    return NotebookNode(output_type="display_data", data=data, metadata={}) if data else None


def _text(value: object) -> str:
    """Return a text of limited length, empty for what is none."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n... ({len(text)} characters)"
