"""What was measured is kept, so that a job that was killed goes on where it stopped."""

import io
from collections.abc import Callable
from pathlib import Path

import torch

from course_lib.evaluation import fingerprint
from course_lib.runtime import package_versions, write_atomically


class Store:
    """Results of steps in a folder, each with all that decides it."""

    def __init__(self, folder: Path) -> None:
        """Prepare; nothing is written yet."""
        self.folder = folder

    def kept(self, name: str, about: object, make: Callable[[], dict]) -> dict:
        """Return what ``make`` returns; if that was kept of the same step, without making it again.

        It is returned as it is read from the file in both cases, so that a later run gives the same bytes.

        Args:
            name: of the step, a file name.
            about: all that decides the result, as JSON can write it; the versions of packages are added.
            make: returns tensors, numbers, texts, and lists, tuples and dicts of them.
        """
        key, path = fingerprint([about, package_versions()]), self.folder / f"{name}.pt"
        found = _read(path, key)
        if found is None:
            content = io.BytesIO()
            torch.save({"key": key, "found": make()}, content)
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content.getvalue())
            found = _read(path, key)
        return found


def _read(path: Path, key: str) -> dict | None:
    """Return what a file holds; None if there is none, it is damaged, or it is of another step."""
    try:
        state = torch.load(path, weights_only=True)
    except Exception:  # whatever is wrong with it, it can be made again
        return None
    return state["found"] if state.get("key") == key else None
