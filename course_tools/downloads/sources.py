"""What can be fetched and from where, ``sources.toml`` as objects; and what was fetched before."""

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from course_lib.runtime import COMMAND, data_root, sha256_of, unknown_name, write_atomically

DOWNLOADS = "downloads"
"""Folder below the root for archives, parts of them, and records."""

NEVER = "never (published value)"
"""The digest or size was published somewhere, and nobody of this course has seen the file yet."""


@dataclass(frozen=True)
class RemoteFile:
    """One file to download."""

    name: str
    into: str
    """Folder below the root: of the file, or of what an archive holds."""
    urls: tuple[str, ...] = ()
    """Tried in this order."""
    bytes: int | None = None
    """Its size, if that is known exactly."""
    about_bytes: int = 0
    digest: str = ""
    """``algorithm:hexadecimal``, empty if none is known."""
    verified: str = NEVER
    """When somebody of this course saw this digest, or ``NEVER``."""
    keep: tuple[str, ...] = ("*",)
    """Patterns of the members of an archive that are unpacked, after ``strip``."""
    strip: int = 0
    """Leading folders of members that are left out."""
    unpacked_bytes: int | None = None
    trees: dict[str, str] = field(default_factory=dict)
    """Digest of each unpacked folder, where archives are made on demand."""

    @property
    def is_archive(self) -> bool:
        """Whether it is unpacked."""
        return self.name.endswith(".zip")

    @property
    def size(self) -> int:
        """Bytes to download, at least roughly."""
        return self.bytes or self.about_bytes

    @property
    def disk(self) -> int:
        """Bytes of disk that it needs, unpacked beside its archive."""
        unpacked = self.unpacked_bytes or int(self.size * 1.1)  # such files are compressed already
        return self.size + (unpacked if self.is_archive else 0)


@dataclass(frozen=True)
class Source:
    """One thing to fetch."""

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    gives: tuple[str, ...]
    """Files and folders below the root that are there afterwards."""
    files: tuple[RemoteFile, ...]
    notice: str = ""
    """What must be known before."""
    use: str = ""
    """The command that uses it; ``{0}`` is what it gives."""
    account: bool = False
    """Whether only its owners' program can fetch it, with the user's account."""

    @property
    def size(self) -> int:
        """Bytes to download, at least roughly."""
        return sum(remote.size for remote in self.files)


def find_source(name: str) -> Source:
    """Return what is known of one thing.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in sources():
        raise unknown_name("source", name, sources())
    return sources()[name]


@cache
def sources() -> dict[str, Source]:
    """Return everything that can be fetched, by name."""
    text = files("course_tools.downloads").joinpath("sources.toml").read_text(encoding="utf-8")
    found = {}
    for name, entry in tomllib.loads(text).items():
        remote = tuple(RemoteFile(**_frozen(values)) for values in entry.pop("files"))
        found[name] = Source(name=name, files=remote, **_frozen(entry))
    return found


def _frozen(entry: dict) -> dict:
    """Return an entry with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


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
        return f"{COMMAND} fetch {self.source.name}{elsewhere}"

    def sizes(self) -> dict[str, int] | None:
        """Return the bytes of every file that was fetched, by its path below the root; None if none was.

        Empty for a download that was cut, for a damaged record, and for one of what ``sources.toml`` said
        before.
        """
        content = self._read()
        return None if content is None else content.get("files", {})

    def missing(self) -> list[str]:
        """Return the fetched files that are gone or have another size, below the root."""
        paths = {self.root / name: size for name, size in (self.sizes() or {}).items()}
        gone = [path for path, size in paths.items() if not path.is_file() or path.stat().st_size != size]
        return [path.relative_to(self.root).as_posix() for path in gone]

    def is_whole(self) -> bool:
        """Tell whether all that was fetched is still there; the content of single files is looked at."""
        content = self._read()
        return bool(
            content and content["files"] and not self.missing() and content["digests"] == self._digests()
        )

    def in_the_way(self) -> list[str]:
        """Return what stands where the source goes, and was not fetched by this course."""
        if self.sizes() is not None:
            return []
        paths = {name: self.root / name for name in self.source.gives}
        return [name for name, at in paths.items() if at.is_file() or (at.is_dir() and any(at.iterdir()))]

    def begin(self) -> None:
        """Note that what appears from now on is ours."""
        self.finish([])

    def finish(self, paths: list[Path]) -> None:
        """Note what was fetched."""
        sizes = {path.relative_to(self.root).as_posix(): path.stat().st_size for path in paths}
        content = {"recipe": self._recipe(), "digests": self._digests() if sizes else {}, "files": sizes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, json.dumps(content, indent=0).encode())

    def _read(self) -> dict | None:
        """Return the record; None if there is none, empty if it is damaged or was of other files."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return content if content["recipe"] == self._recipe() else {}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _recipe(self) -> str:
        """Return what the content depends on."""
        return hashlib.sha256(repr(self.source.files).encode()).hexdigest()

    def _digests(self) -> dict[str, str]:
        """Return the SHA-256 of the files that are not unpacked; they are small."""
        names = [f"{one.into}/{one.name}" for one in self.source.files if not one.is_archive]
        return {name: sha256_of(self.root / name) for name in names if (self.root / name).is_file()}
