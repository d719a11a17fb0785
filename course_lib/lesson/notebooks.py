"""Where the learners' notebooks lie."""

from pathlib import Path

from course_lib.runtime import PROJECT_ROOT


def lesson_files(root: Path = PROJECT_ROOT) -> list[Path]:
    """Return the learners' notebooks in the order of the course, without copies that stand beside them.

    Raises:
        FileNotFoundError: if there is none.
    """
    found = (root / "notebooks").glob("*/*.ipynb")
    files = sorted(path for path in found if path.stem == path.parent.name)
    if not files:
        raise FileNotFoundError(f"no lesson in {root / 'notebooks'}; is the course complete?")
    return files
