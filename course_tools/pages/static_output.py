"""An executed notebook as it looks where nothing moves."""

import copy

from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"


def without_widgets(notebook: NotebookNode) -> NotebookNode:
    """Return a copy where nothing moves: explorers as their first picture, and no progress bars."""
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("widgets", None)
    for cell in shown.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_moves(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)
    return shown


def _only_moves(output: NotebookNode) -> bool:
    """Tell whether an output is a widget without a picture in its place."""
    kinds = output.get("data", {})
    return WIDGET in kinds and "text/html" not in kinds
