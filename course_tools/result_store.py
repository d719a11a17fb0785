"""What was measured is kept, so that a job that was killed goes on where it stopped."""

import datetime
import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from course_lib.data import ImagePairs
from course_lib.evaluation import Settings
from course_lib.runtime import LIBRARY, hardware, package_versions, write_atomically


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV file, with its folder; a kill or a full disk leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, frame.to_csv(index=False, float_format="%.6g").encode())


def made_on(device: torch.device) -> str:
    """Return day, versions and machine in one line, which stands on every page of published results."""
    versions, machine = package_versions(), hardware(device)
    return (
        f"{datetime.date.today()} with torch {versions['torch']}, Python {versions['python']}, on "
        f"{machine.get('gpu', machine['processor'])} ({machine['cores']} cores)"
    )


class Store:
    """Results of steps in a folder, each with all that decides it."""

    def __init__(self, folder: Path) -> None:
        """Prepare; nothing is written yet."""
        self.folder = folder
        self.seconds: dict[str, float] = {}
        """Which each step took when it was made, in this job or an earlier one."""

    def kept(self, name: str, about: object, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returns; if that was kept of the same step, without making it again.

        It is returned as it is read from the file in both cases, so that a later run gives the same bytes.

        Args:
            name: of the step, a file name.
            about: all that decides the result, as JSON can write it; versions of packages and a digest of the
                code are added, so that nothing is kept that another code has made.
            make: returns tensors, numbers, texts, and lists, tuples and dicts of them.
        """
        found = self._read(name, about)
        if found is None:
            began, content = time.monotonic(), io.BytesIO()
            made = make()
            torch.save({"key": _key(about), "seconds": time.monotonic() - began, "found": made}, content)
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"{name}.pt", content.getvalue())
            found = self._read(name, about)
        self.seconds[name] = found["seconds"]
        return found["found"]

    def read(self, name: str, about: object) -> Any:
        """Return what was kept of a step; None if it was not, or of another one."""
        found = self._read(name, about)
        return None if found is None else found["found"]

    def _read(self, name: str, about: object) -> dict | None:
        """Return what a file holds, result and seconds; None if it is absent, damaged, or of another step."""
        try:
            state = torch.load(self.folder / f"{name}.pt", weights_only=True)
        except Exception:  # whatever is wrong with it, it can be made again
            return None
        return state if state.get("key") == _key(about) else None


def _key(about: object) -> str:
    """Return a short name for all that decides a result; what JSON cannot write counts by its text."""
    decides = [about, package_versions(), code_digest()]
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()


def about_network(sha256: str, settings: Settings) -> dict:
    """Return what decides a network's numbers beside the images: the digest of its weights, the settings."""
    return {"weights_sha256": sha256, "settings": asdict(settings) | {"device": str(settings.device)}}


def files_of(images: ImagePairs) -> list:
    """Return name, size and time of all files of a set of images: a change of any shows in one of them."""
    paths = (*images.images, *images.masks)
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


@cache
def code_digest(folders: tuple[Path, ...] = (LIBRARY, LIBRARY.parent / "road_scenes")) -> str:
    """Return a digest of the code that results are made with: all Python files of both libraries."""
    state = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            state.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()
