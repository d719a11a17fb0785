"""What can be fetched, from where, and what is known of it: ``sources.toml`` as objects."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from course_lib.runtime import unknown_name

DIGITS = {"sha256": 64, "md5": 32}
"""How a digest is computed, and its hexadecimal digits."""

NEVER = "never (published value)"
"""The digest or size was published somewhere, and nobody of this course has seen the file yet."""

GROWTH = 1.1
"""What unpacking adds to files that are compressed already, where nothing better is known."""


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
        unpacked = self.unpacked_bytes or int(self.size * GROWTH)
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
    """Return everything that can be fetched, by name.

    Raises:
        ValueError: if the file of sources is wrong.
    """
    text = files("course_tools.downloads").joinpath("sources.toml").read_text(encoding="utf-8")
    return {name: _source(name, entry) for name, entry in tomllib.loads(text).items()}


def _source(name: str, entry: dict) -> Source:
    """Return one entry of the file as an object."""
    remote = tuple(RemoteFile(**_frozen(values)) for values in entry.pop("files"))
    for one in remote:
        algorithm, _, value = one.digest.partition(":")
        if one.digest and len(value) != DIGITS.get(algorithm):
            raise ValueError(f"sources.toml, {name}: {one.digest!r} is no digest")
    return Source(name=name, files=remote, **_frozen(entry))


def _frozen(entry: dict) -> dict:
    """Return an entry with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
