"""Build the learners' notebooks: solutions/ in, notebooks/ or a zip out."""

import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from course_lib.runtime import PROJECT_ROOT, write_atomically

# in nbgrader's order: they give the notebook of `nbgrader generate_assignment`, without its database
STEPS = (LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ComputeChecksums, CheckCellMetadata)

STUB = "raise NotImplementedError()"
"""The last line of what ClearSolutions leaves in an answer cell."""

PACKED = (
    "README.md", "LICENSE", "pyproject.toml", "environment.yml", "start.py",
    "course_lib", "data_scripts", "notebooks", "site",
)  # fmt: skip
"""What learners get: neither solutions/ nor tests/, which know the answers and the mistakes."""

ZIP_DATE = (2025, 1, 1, 0, 0, 0)  # the same content gives the same file


def student_version(source: Path) -> str:
    """Return the learners' notebook made from one solved notebook, as the text of its file.

    Raises:
        ValueError: if the notebook breaks nbgrader's rules; the message names it.
    """
    notebook = nbformat.read(source, as_version=4)
    try:
        for step in STEPS:
            notebook, _ = step().preprocess(notebook, {})
    except (RuntimeError, nbformat.ValidationError) as error:
        raise ValueError(f"{source}: {error}") from None
    return nbformat.writes(notebook) + "\n"


def outdated(root: Path = PROJECT_ROOT) -> dict[Path, str | None]:
    """Return what differs between the two folders.

    Args:
        root: the folder that holds ``solutions`` and ``notebooks``.

    Returns:
        Of each notebook that is missing or out of date its new text, by the path of its file; None for a
        notebook without a source.

    Raises:
        FileNotFoundError: if there is no lesson in ``solutions``.
        ValueError: if a lesson breaks nbgrader's rules.
    """
    sources = sorted((root / "solutions").glob("*/*.ipynb"))
    if not sources:
        raise FileNotFoundError(f"no lesson in {root / 'solutions'}: only the whole repository has solutions")
    built = {_target(path, root): student_version(path) for path in sources}
    orphans = set((root / "notebooks").glob("*/*.ipynb")) - built.keys()
    changed = {path: text for path, text in built.items() if not _holds(path, text)}
    return changed | dict.fromkeys(sorted(orphans))


def _target(source: Path, root: Path) -> Path:
    """Return where the learners' version of a solved notebook belongs."""
    return root / "notebooks" / source.relative_to(root / "solutions")


def _holds(path: Path, text: str) -> bool:
    """Tell whether a file exists and holds a text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write(path: Path, text: str, force: bool = False) -> None:
    """Write one learners' notebook.

    Args:
        path: of the notebook.
        text: its new content.
        force: replace it even if somebody has worked in it.

    Raises:
        ValueError: if somebody has worked in it; it is not touched.
        OSError: if it cannot be written; the old one is then kept.
    """
    if path.is_file() and not force and _holds_work(path):
        raise ValueError(f"{path} holds somebody's work; move it away, or use --force to lose it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def _holds_work(path: Path) -> bool:
    """Tell whether an answer differs from the stub, or a cell has been run."""
    cells = nbformat.read(path, as_version=4).cells
    return any(cell.get("execution_count") or _is_answered(cell) for cell in cells)


def _is_answered(cell: NotebookNode) -> bool:
    """Tell whether a cell is a learner's solution."""
    is_answer = cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution", False)
    return is_answer and STUB not in cell.source


def pack(target: Path, root: Path = PROJECT_ROOT) -> list[str]:
    """Write a zip of the course for learners, without the solutions and hidden tests.

    Args:
        target: the zip to write.
        root: the folder that holds the course; its notebooks should be up to date.

    Returns:
        The names of the files in it.

    Raises:
        OSError: if it cannot be written; a previous one is then kept.
    """
    files = [path for name in PACKED for path in _files_of(root / name) if _belongs(path.relative_to(root))]
    partial = target.with_name(f".{target.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                entry = zipfile.ZipInfo(f"course/{path.relative_to(root).as_posix()}", ZIP_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return [path.relative_to(root).as_posix() for path in files]


def _files_of(path: Path) -> list[Path]:
    """Return a file, or all files of a folder, sorted."""
    return [path] if path.is_file() else sorted(inner for inner in path.rglob("*") if inner.is_file())


def _belongs(path: Path) -> bool:
    """Tell whether a file is part of the course, not a cache or a hidden file."""
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
