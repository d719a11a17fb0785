"""An evaluation that was interrupted goes on at the image where it stopped."""

import hashlib
import io
import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from course_lib.data import BenchmarkImages
from course_lib.evaluation.parts import Part, from_bytes, merge, to_bytes

LARGEST_SHARE = 0.05
"""Of the time may be spent on saving; where images are scored faster than that, not each one is saved."""


@dataclass
class SoFar:
    """The runs of a benchmark that are done, and what they gave together."""

    runs: int = 0
    part: Part = field(default_factory=dict)
    whole: bool = True
    """False where something happened in the middle of an addition."""

    def add(self, part: Part) -> None:
        """Take in the next run."""
        self.whole = False
        merge(self.part, part)
        self.runs += 1
        self.whole = True


class Unfinished:
    """What an evaluation has measured so far, in a folder; only the same evaluation takes it up again."""

    def __init__(self, folder: Path, about: dict) -> None:
        """Prepare; nothing is written yet.

        Args:
            folder: for one file per benchmark.
            about: all that decides the result but for the images, as JSON can write it.
        """
        self.folder, self.about = folder, about
        self.saved_at, self.cost = time.monotonic(), 0.0

    def read(self, images: BenchmarkImages) -> SoFar:
        """Return what is done; nothing if there is no such file, or one of another evaluation."""
        path = self._path(images)
        if not path.is_file():
            return SoFar()
        try:
            state = torch.load(path, weights_only=True)
        except Exception:  # whatever is wrong with it, it is only a shortcut
            return SoFar()
        if state["key"] != self._key(images):
            return SoFar()
        return SoFar(state["runs"], from_bytes(state["part"]))

    def write(self, images: BenchmarkImages, so_far: SoFar, last: bool = False) -> None:
        """Save what is done, unless that happened a moment ago and more is to come.

        A full disk does not end an evaluation: it could then only not be taken up again.
        """
        started = time.monotonic()
        too_soon = self.cost > LARGEST_SHARE * (started - self.saved_at)
        if not so_far.whole or (too_soon and not last):
            return
        content = io.BytesIO()
        torch.save({"key": self._key(images), "runs": so_far.runs, "part": to_bytes(so_far.part)}, content)
        partial = self._path(images).with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content.getvalue())
            partial.replace(self._path(images))
        except OSError:
            self.remove()
        self.saved_at = time.monotonic()
        self.cost = self.saved_at - started

    def remove(self) -> None:
        """Forget everything: the evaluation is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, images: BenchmarkImages) -> Path:
        return self.folder / f"{images.name}.pt"

    def _key(self, images: BenchmarkImages) -> str:
        """Return what has to be the same for a file to be of use."""
        return fingerprint([self.about, files_of(images)])


def files_of(images: BenchmarkImages) -> list:
    """Return name, size and time of all files of a benchmark: a change of any shows in one of them."""
    paths = (*images.images, *images.masks)
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


def fingerprint(about: object) -> str:
    """Return a short name for everything that JSON can write, or that has a text."""
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
