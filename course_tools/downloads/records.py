"""What was fetched into a folder before: a small file per source, so that nothing is fetched twice."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from course_lib.runtime import data_root, sha256_of, write_atomically
from course_tools.downloads.sources import Source

DOWNLOADS = "downloads"
"""Folder below the root for archives, parts of them, and records."""


@dataclass(frozen=True)
class Record:
    """What is known of one source below one root."""

    source: Source
    root: Path

    @property
    def path(self) -> Path:
        """The file of the record."""
        return self.root / DOWNLOADS / f"{self.source.name}.json"

    @property
    def command(self) -> str:
        """The command that fetches the source into this root."""
        elsewhere = "" if self.root.absolute() == data_root().absolute() else f" --root {self.root}"
        return f"python3 start.py fetch {self.source.name}{elsewhere}"

    def sizes(self) -> dict[str, int] | None:
        """Return the bytes of every file that was fetched, by its path below the root; None if none was.

        Empty for a download that was cut, for a damaged record, and for one of what ``sources.toml`` said
        before.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            sizes = {str(name): int(size) for name, size in content["files"].items()}
            return sizes if content["recipe"] == self._recipe() else {}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return {}

    def missing(self) -> list[str]:
        """Return the fetched files that are gone or have another size, below the root."""
        return [name for name, size in (self.sizes() or {}).items() if _size(self.root / name) != size]

    def is_whole(self) -> bool:
        """Tell whether all that was fetched is still there; the content of single files is looked at."""
        if not self.sizes() or self.missing():
            return False
        return json.loads(self.path.read_text(encoding="utf-8")).get("digests") == self._digests()

    def in_the_way(self) -> list[str]:
        """Return what stands where the source goes, and was not fetched by this course."""
        if self.sizes() is not None:
            return []
        paths = {name: self.root / name for name in self.source.gives}
        return [name for name, at in paths.items() if at.is_file() or (at.is_dir() and any(at.iterdir()))]

    def begin(self) -> None:
        """Note that what appears from now on is ours."""
        self._write({})

    def finish(self, paths: list[Path]) -> None:
        """Note what was fetched."""
        self._write({path.relative_to(self.root).as_posix(): path.stat().st_size for path in paths})

    def _write(self, sizes: dict[str, int]) -> None:
        content = {"recipe": self._recipe(), "digests": self._digests() if sizes else {}, "files": sizes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, json.dumps(content, indent=0).encode())

    def _recipe(self) -> str:
        """Return what the content depends on."""
        return hashlib.sha256(repr(self.source.files).encode()).hexdigest()

    def _digests(self) -> dict[str, str]:
        """Return the SHA-256 of the files that are not unpacked; they are small."""
        names = [f"{one.into}/{one.name}" for one in self.source.files if not one.is_archive]
        return {name: sha256_of(self.root / name) for name in names if (self.root / name).is_file()}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
