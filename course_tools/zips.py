"""Zips: the same content gives the same bytes; read without trusting a name or a size in them."""

import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from course_lib.runtime import write_atomically


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


def members(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo, str]]:
    """Yield the files in a zip, folders left out, and what is wrong with each; nothing is read yet.

    Yields:
        The path, with the separators of Windows made plain ones; the member; why it must not be unpacked,
        empty if it may be.
    """
    for member in archive.infolist():
        if not member.is_dir():
            path = PurePosixPath(member.orig_filename.split("\0")[0].replace("\\", "/"))
            yield path, member, problem_of(member)


def problem_of(member: zipfile.ZipInfo) -> str:
    """Return why a member must not be unpacked, on any system; empty if it may be."""
    posix, windows = PurePosixPath(member.filename), PureWindowsPath(member.orig_filename)
    if not posix.parts or ".." in posix.parts + windows.parts or posix.is_absolute() or windows.anchor:
        return "its name leads out of the zip"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link, which is not followed"
    return ""


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """Read a member, but never more than is allowed, whatever size it claims.

    Raises:
        ValueError: if it is larger, damaged, or locked with a password.
        OSError: if the zip cannot be read.
    """
    try:
        with archive.open(member) as file:
            content = file.read(most_bytes + 1)
    except OSError:
        raise
    except Exception as error:  # of zipfile and its packers, which have no common base
        raise ValueError(f"it is damaged ({error})") from None
    if len(content) > most_bytes:
        raise ValueError(f"more than {most_bytes >> 20} MB")
    return content
