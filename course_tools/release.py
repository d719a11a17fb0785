"""Build the learners' notebooks: solutions/ in, notebooks/ or a zip out."""

import hashlib
import re
import subprocess
import tomllib
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
from course_tools.zips import write_zip

FINGERPRINT = "course_fingerprint"
"""In a released notebook's metadata: of its cells, so that work in it is noticed."""

PACKED = (
    "README.md", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "pyproject.toml",
    "environment.yml", "binder", "start.py", "course_lib", "course_tools", "road_scenes", "data_scripts",
    "notebooks", "site",
)  # fmt: skip
"""What learners get: neither solutions/ nor tests/, which know the answers and the mistakes."""


def repository(root: Path = PROJECT_ROOT) -> str:
    """Return the repository's address, ``Repository`` in pyproject.toml's urls; empty while there is none."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "")


def student_version(source: Path, address: str | None = None) -> str:
    """Return the learners' notebook made from one solved notebook, as the text of its file.

    Args:
        source: the solved notebook.
        address: of the repository, from which Colab installs the course; by default that of pyproject.toml.

    Raises:
        ValueError: if the notebook breaks nbgrader's rules; the message names it.
    """
    notebook = _read(source)
    # in nbgrader's order: they give the notebook of `nbgrader generate_assignment`, without its database
    steps = (LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ComputeChecksums, CheckCellMetadata)
    try:
        for step in steps:
            notebook, _ = step().preprocess(notebook, {})
    except (RuntimeError, nbformat.ValidationError) as error:
        raise ValueError(f"{source}: {error}") from None
    if wrong := _breach(notebook):
        raise ValueError(f"{source}: {wrong}")
    address = repository() if address is None else address
    for cell in notebook.cells:
        if _is_folded(cell):
            cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}  # JupyterLab's, Colab's
        # the set-up cell, if there is one, tells where pip finds the course
        if address and cell.source.startswith('COURSE = ""'):
            cell.source = cell.source.replace('COURSE = ""', f'COURSE = "git+{address}"', 1)
    notebook.metadata[FINGERPRINT] = _fingerprint(notebook)
    return nbformat.writes(notebook) + "\n"


def _read(path: Path) -> NotebookNode:
    """Read a notebook; whatever is wrong with the file, the error names it."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ValueError(f"{path} cannot be read as a notebook ({reason})") from None


def _breach(notebook: NotebookNode) -> str:
    """Return what the grader could not work with, and its cure; empty if all is well."""
    if not notebook.metadata.get("kernelspec", {}).get("name"):
        return "no kernel is chosen in it; open it in JupyterLab, choose Python 3, and save it"
    above = ""
    for cell in notebook.cells:
        known = cell.metadata.get("nbgrader", {})
        name, (is_answer, is_check) = known.get("grade_id"), (known.get("solution"), known.get("grade"))
        if cell.cell_type != "code" or not (is_answer or is_check):
            continue
        if is_answer and is_check:
            return f"{name}: what a person grades is a Markdown cell; code has an answer and a check"
        task = re.search(
            r"^check = Check\(\"(\w+)\"" if is_check else r"^(?:def|class) (\w+)", cell.source, re.MULTILINE
        )
        wanted = f"{task[1] if task else 'NAME'}_{'check' if is_check else 'answer'}"
        if name != wanted:
            return (
                f"call the cell {name} {wanted}, after its function, in JupyterLab's Create Assignment panel"
            )
        if is_check and above != wanted.replace("_check", "_answer"):
            return f"the answer above {name} is {above or 'missing'}; each check stands below its answer"
        above = name if is_answer else ""
    return ""


def _is_folded(cell: NotebookNode) -> bool:
    """Tell whether learners need not read the code of a cell: it sets up the lesson, or checks an answer."""
    if cell.cell_type != "code":
        return False
    sets_up = cell.source.startswith("COURSE = ") or cell.source.endswith("runtime.check_environment()")
    return sets_up or cell.metadata.get("nbgrader", {}).get("grade", False)


def _fingerprint(notebook: NotebookNode) -> str:
    """Return what changes as soon as somebody writes into a notebook."""
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    return hashlib.sha256(repr(cells).encode()).hexdigest()


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
    target = root / "notebooks"
    built = {target / path.relative_to(root / "solutions"): student_version(path) for path in sources}
    orphans = set(target.glob("*/*.ipynb")) - built.keys()
    changed: dict[Path, str | None] = dict.fromkeys(sorted(orphans))
    for path, text in built.items():
        # read as text, with whatever line ends git gave it
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            changed[path] = text
    return changed


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
    if path.is_file() and not force:
        notebook = _read(path)
        was_run = any(cell.get("execution_count") for cell in notebook.cells)
        if was_run or notebook.metadata.get(FINGERPRINT) != _fingerprint(notebook):
            raise ValueError(f"{path} holds somebody's work; move it away, or use --force to lose it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def pack(target: Path, root: Path = PROJECT_ROOT) -> list[str]:
    """Write a zip of the course for learners: what git tracks, without the solutions and hidden tests.

    Args:
        target: the zip to write.
        root: the folder that holds the course; its notebooks should be up to date.

    Returns:
        The names of the files in it.

    Raises:
        ValueError: if the folder is no clone, so that nobody knows what belongs to the course.
        OSError: if it cannot be written; a previous one is then kept.
    """
    found = [root / name for name in _in_git(root)]
    paths = [path for path in found if path.is_file() and not path.is_symlink()]
    if not paths:
        raise ValueError(f"git knows no file of the course in {root}; a zip holds what git tracks")
    names = [path.relative_to(root).as_posix() for path in paths]
    # with its mode, so that start.py can be executed
    contents = [(path.read_bytes(), path.stat().st_mode) for path in paths]
    write_zip(target, {f"course/{name}": content for name, content in zip(names, contents, strict=True)})
    return names


def unknown_to_git(root: Path = PROJECT_ROOT) -> list[str]:
    """Return the files of the course that ``pack`` leaves out, because nobody has added them."""
    return _in_git(root, "--others", "--exclude-standard")


def _in_git(root: Path, *options: str) -> list[str]:
    """Return the names of files that learners get, by ``git ls-files``; ValueError if there is no clone."""
    command = ["git", "ls-files", "-z", *options, "--", *PACKED]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise ValueError(f"{root} is no git clone ({done.stderr.strip()}); a zip holds what git tracks")
    return sorted(name for name in done.stdout.split("\0") if name)
