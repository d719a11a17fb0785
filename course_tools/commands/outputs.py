"""Whether results can be written, found out before any work is done."""

from collections.abc import Iterable
from pathlib import Path


def check_writable(paths: Iterable[Path]) -> None:
    """Make the folders of the files, and leave the files as they were.

    Raises:
        ValueError: if a file could not be written.
    """
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            existed = path.exists()
            path.open("a").close()
            if not existed:
                path.unlink()
        except OSError as error:
            raise ValueError(f"cannot write {path} ({error.strerror}); choose another place") from None
