"""What a submission shows, as text and pictures that do nothing in the browser of whoever looks at it."""

import copy
import re

from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode

SHOWN = ("text/plain", "image/png", "image/jpeg")
LONGEST = 20_000
BASE64 = re.compile(r"[\w+/=\s]*", re.ASCII)
NAME = re.compile(r"[^\w-]")


def harmless(cell: NotebookNode) -> NotebookNode:
    """Return a cell without scripts, attachments, and outputs that browsers would run or load."""
    clean = copy.deepcopy(cell)
    clean.pop("attachments", None)
    clean["id"] = NAME.sub("", str(clean.get("id", "")))[:64] or "cell"
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
        return NotebookNode(
            output_type=kind,
            ename=_text(output.get("ename")),
            evalue=_text(output.get("evalue")),
            traceback=lines[-20:],
        )
    data = {name: _shown(name, text) for name, text in output.get("data", {}).items() if name in SHOWN}
    return NotebookNode(output_type="display_data", data=data, metadata={}) if data else None


def _shown(name: str, value: object) -> str:
    """Return a text, or a picture if it is one."""
    if name == "text/plain":
        return _text(value)
    return value if isinstance(value, str) and BASE64.fullmatch(value) else ""


def _text(value: object) -> str:
    """Return a text of limited length, empty for what is none."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n... ({len(text)} characters)"
