"""What has come of a file so far, on disk."""

import zlib
from pathlib import Path


class Part:
    """What has come so far of a file, from one address."""

    def __init__(self, path: Path, url: str) -> None:
        """Look for what is there.

        Args:
            path: of the whole file, some time.
            url: where it comes from.
        """
        self.path = path
        name = f".{path.name}.{zlib.crc32(url.encode()):08x}"  # another address may have another file
        self.data, self.about = path.with_name(f"{name}.part"), path.with_name(f"{name}.about")
        self.received = 0
        self.total: int | None = None

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.data.stat().st_size if self.data.is_file() else 0

    @property
    def validator(self) -> str:
        """What tells whether the server still has the same file, empty if nothing does."""
        return self.about.read_text(encoding="utf-8") if self.about.is_file() else ""

    def restart(self, validator: str) -> None:
        """Begin anew."""
        self.data.unlink(missing_ok=True)
        self.about.write_text(validator, encoding="utf-8")

    def finish(self) -> None:
        """Give the whole file its name, and delete parts of it from elsewhere."""
        self.data.replace(self.path)
        for path in parts(self.path):
            path.unlink()

    def remove(self) -> None:
        """Delete what is there."""
        self.data.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)


def parts(path: Path) -> list[Path]:
    """Return what is beside a file of unfinished downloads of it."""
    return [found for end in ("part", "about") for found in path.parent.glob(f".{path.name}.*.{end}")]
