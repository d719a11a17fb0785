"""Zips: the same content gives the same bytes; read without trusting a name or a size in them."""

import contextlib
import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from course_lib.runtime import write_atomically

LINK = "is a link, which is not followed"


def write_zip(target: Path, entries: Mapping[str, tuple[bytes, int]]) -> None:
    """Write a zip; a crash, a kill or a full disk at any moment leaves the old one or the new one.

    Args:
        target: the zip; its folder is made if it is missing.
        entries: content and mode (such as ``0o644``) of each file, by its name in the zip.

    Raises:
        OSError: if it cannot be written.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, (data, mode) in entries.items():
            member = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))  # always the same, because clocks differ
            member.external_attr = (stat.S_IFREG | stat.S_IMODE(mode)) << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content.getvalue())


def open_zip(source: Path | bytes) -> zipfile.ZipFile:
    """Open a zip, also one in which a name is not the UTF-8 that it claims to be.

    Raises:
        zipfile.BadZipFile: if it is none.
        OSError: if it cannot be read.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except UnicodeDecodeError:  # of one name; none of the others could be read
        data = bytearray(source if isinstance(source, bytes) else source.read_bytes())
    end = data.rindex(b"PK\5\6")  # of the table of contents, whose size it says
    at = end - int.from_bytes(data[end + 12 : end + 16], "little")
    while data[at : at + 4] == b"PK\1\2":  # no entry claims to be UTF-8 any more
        data[at + 9] &= ~0x08
        at += 46 + sum(int.from_bytes(data[at + n : at + n + 2], "little") for n in (28, 30, 32))
    return zipfile.ZipFile(io.BytesIO(data))


def members(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo, str]]:
    """Yield the files in a zip, folders left out, and what is wrong with each; nothing is read yet.

    Yields:
        The path, with the separators of Windows made plain ones; the member; why it must not be unpacked,
        empty if it may be.
    """
    for member in archive.infolist():
        if not member.filename.endswith("/"):
            name = member.orig_filename.split("\0")[0].replace("\\", "/")
            if not member.flag_bits & 0x800:  # no UTF-8, it says, but macOS and others mean it
                with contextlib.suppress(UnicodeError):
                    name = name.encode("cp437").decode()
            path = PurePosixPath(name)
            yield path, member, problem_of(member)


def problem_of(member: zipfile.ZipInfo) -> str:
    """Return why a member must not be unpacked, on any system; empty if it may be."""
    posix, windows = PurePosixPath(member.filename), PureWindowsPath(member.orig_filename)
    if not posix.parts:
        return "has no name"
    if ".." in posix.parts + windows.parts or posix.is_absolute() or windows.anchor:
        return "its name leads out of the zip"
    if stat.S_ISLNK(member.external_attr >> 16):
        return LINK
    return ""


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """Read a member, but never more than is allowed, whatever size it claims.

    Raises:
        ValueError: if it is larger, damaged, locked with a password, or packed in a rare way.
        OSError: if the zip cannot be read.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # unpacked without a limit
        raise ValueError("its way of packing is not Deflate")
    try:
        with archive.open(member) as file:
            content = file.read(min(most_bytes, member.file_size) + 1)
    except OSError:
        raise
    except Exception as error:  # of zipfile and its packers, which have no common base
        raise ValueError(f"it is damaged ({error})") from None
    if len(content) > most_bytes:
        raise ValueError(f"more than {most_bytes >> 20} MB")
    return content
