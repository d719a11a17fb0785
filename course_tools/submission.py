"""What a learner hands in: is it complete, and does the grader find in it what it looks for?

The grader reads notebooks with the same functions, so that both come to one verdict.
"""

import ast
import copy
import json
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode


@dataclass(frozen=True)
class Work:
    """A lesson as its learner left it."""

    lesson: str
    content: str
    """Of the notebook that is handed in: without outputs, which the grader makes anew."""
    asked: int
    """Exercises and questions."""
    unanswered: tuple[str, ...]
    """The cells of those that nobody has written into."""
    problems: tuple[str, ...]
    """What costs points or time when it is graded, each with its cure."""


def read_notebook(content: bytes) -> NotebookNode:
    """Read a notebook without outputs; byte order marks and line ends are whatever an editor made of them.

    Raises:
        ValueError: if it is none.
    """
    try:
        written = json.loads(content.decode(json.detect_encoding(content)))
        for cell in written.get("cells", []):
            if "outputs" in cell:
                cell["outputs"] = []  # to validate thousands takes minutes
        with warnings.catch_warnings(action="ignore"):  # about ids that cells share
            notebook = nbformat.reads(json.dumps(written), as_version=4)
            nbformat.validate(notebook)
    except Exception as error:  # whatever is wrong with it, it is no notebook
        reason = " ".join(f"{type(error).__name__} {error}".split())[:80]
        raise ValueError(f"the file cannot be read as a notebook ({reason})") from None
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type not in ("code", "markdown", "raw") or not isinstance(cell.get("source"), str):
            raise ValueError(f"cell {number} of the notebook is of no kind that Jupyter knows")
        cell.source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    return notebook


def name_cells(cells: list[NotebookNode], known: Collection[str] = ()) -> list[str]:
    """Return the name of each graded cell, its grade id, and an empty one for every other cell.

    Some editors take the ids away: a check is then known by its text, an answer by the function that it
    defines. ``grade_id`` tells which.

    Args:
        cells: of a learner's notebook.
        known: the names of the lesson, if they are known.
    """

    def is_name(name: str, cell: NotebookNode) -> bool:
        return (
            name in known if known else cell.cell_type == "markdown" or name.endswith(("_answer", "_check"))
        )

    names = [name if is_name(name := grade_id(cell), cell) else "" for cell in cells]
    by_text = [re.search(r"^check = Check\(\"(\w+)\"", cell.source, re.MULTILINE) for cell in cells]
    there = set(names)
    for at, (match, cell) in enumerate(zip(by_text, cells, strict=True)):
        check = f"{match[1]}_check" if match else ""
        if check and not names[at] and check not in there and is_name(check, cell):
            names[at] = check
    for check in [name for name in names if name.endswith("_check")]:
        task, answer = check.removesuffix("_check"), f"{check.removesuffix('_check')}_answer"
        begins = re.compile(rf"^(def|class) {re.escape(task)}\b", re.MULTILINE)
        own = [at for at in range(names.index(check)) if not names[at] and cells[at].cell_type == "code"]
        above = [at for at in own if begins.search(cells[at].source)]
        if above and answer not in names:
            names[above[-1]] = answer
    return names


def grade_id(cell: NotebookNode) -> str:
    """Return the name nbgrader knows a cell by, empty if it has none."""
    name = _known(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def plain_text(cell: NotebookNode) -> str:
    """Return the text of a cell as it is compared: editors change blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in cell.source.split("\n")).strip()


def read_work(path: Path) -> Work:
    """Read a learner's notebook and look for what would trouble the grader.

    Raises:
        ValueError: if it is no notebook; the message says what to do.
    """
    try:
        notebook = read_notebook(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}; open and save it in JupyterLab") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    names, problems = name_cells(notebook.cells), []
    found: dict[str, list[NotebookNode]] = {}
    for above, name, cell in zip(["", *names][:-1], names, notebook.cells, strict=True):
        if above.endswith("_answer") and not name and _fault(cell):
            problems.append(f"the cell below {above} is no Python; if they are one answer, merge them")
        if name.endswith(("_answer", "_check")) or _known(cell).get("solution"):
            found.setdefault(name, []).append(cell)
    written = "\n".join(map(_python, notebook.cells))
    tasks = dict.fromkeys(name.rpartition("_")[0] for name in found if name.endswith(("_answer", "_check")))
    for name in [f"{task}_{part}" for task in tasks for part in ("answer", "check")]:
        problems += _problems(name, found.get(name, []), written)
    asked = {name: cells for name, cells in found.items() if not name.endswith("_check")}
    return Work(
        lesson=path.parent.name,
        content=json.dumps(notebook, ensure_ascii=False),
        asked=len(asked),
        unanswered=tuple(name for name, cells in asked.items() if all(map(_is_stub, cells))),
        problems=tuple(problems),
    )


def _problems(name: str, cells: list[NotebookNode], written: str) -> list[str]:
    """Return what is wrong with the cells of an answer or a check, in the words of ``integrity.restore``."""
    from_release = "take it from the released lesson"
    if not cells:
        return [f"{name} is missing; {from_release}"]
    problems, task = [], name.removesuffix("_answer")
    if len(cells) > 1:
        cure = "delete all but the first" if task == name else "merge them into the first"
        problems.append(f"{name} is there {len(cells)} times; {cure}")
    if any(cell.cell_type != "code" for cell in cells):
        return [*problems, f"{name} is no code cell any more; make it one (press Y beside it)"]
    if any(grade_id(cell) != name for cell in cells):
        problems.append(f"{name} has lost its name to an editor; {from_release}, and write into that")
    elif task == name and any(_checksum(cell) != _known(cell).get("checksum") for cell in cells):
        problems.append(f"{name} was edited; {from_release}")
    if task == name:
        return problems
    if faults := [fault for cell in cells if (fault := _fault(cell))]:
        problems.append(f"{name} is no Python ({faults[0]})")
    elif not re.search(rf"^(def|class) {task}\b", written, re.MULTILINE):
        problems.append(f"{name} defines no {task}; keep the name of the function, without %% above it")
    return problems


def _python(cell: NotebookNode) -> str:
    """Return a code cell as Python; magics that only look on, such as ``%%time``, are passed over."""
    if cell.cell_type != "code":
        return ""
    source = re.sub(r"\A(\s*%%(time|capture|prun)\b.*\n?)+", "", cell.source)
    return TransformerManager().transform_cell(source)


def _fault(cell: NotebookNode) -> str:
    """Return why a cell is no Python, empty if it is."""
    try:
        compile(_python(cell), "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return ""


def _is_stub(cell: NotebookNode) -> bool:
    """Tell whether nobody has written into a cell for an answer."""
    return "raise NotImplementedError" in cell.source or cell.source.strip() in ("", "YOUR ANSWER HERE")


def _checksum(cell: NotebookNode) -> str:
    """Return nbgrader's checksum of a cell as it was released."""
    from nbgrader.utils import compute_checksum  # a second, which grading does not need

    as_released = copy.deepcopy(cell)
    as_released.source = plain_text(cell)
    return compute_checksum(as_released)


def _known(cell: NotebookNode) -> dict:
    """Return what nbgrader knows of a cell, empty if it is nothing."""
    known = cell.metadata.get("nbgrader")
    return known if isinstance(known, dict) else {}
