"""What was fetched into a folder before: a small file per source, so that nothing is fetched twice."""

import json
from dataclasses import dataclass
from pathlib import Path

from course_lib.fetching.sources import Source
from course_lib.runtime import write_atomically

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

    def sizes(self) -> dict[str, int] | None:
        """Return the bytes of every file that was fetched, by its path below the root; None if none was."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(name): int(size) for name, size in content["files"].items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return {}  # damaged: as if it had been begun

    def missing(self) -> list[str]:
        """Return the fetched files that are gone or have another size, below the root."""
        sizes = self.sizes() or {}
        return [name for name, size in sizes.items() if _size(self.root / name) != size]

    def is_whole(self) -> bool:
        """Tell whether all that was fetched is still there."""
        return bool(self.sizes()) and not self.missing()

    def is_foreign(self) -> bool:
        """Tell whether somebody else put the data there."""
        return self.sizes() is None and any((self.root / name).exists() for name in self.source.gives)

    def begin(self) -> None:
        """Note that what appears now is ours."""
        self._write([])

    def finish(self, paths: list[Path]) -> None:
        """Note what was fetched."""
        self._write(paths)

    def _write(self, paths: list[Path]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sizes = {path.relative_to(self.root).as_posix(): path.stat().st_size for path in paths}
        write_atomically(self.path, json.dumps({"files": sizes}, indent=0).encode())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
