"""Unpack an archive so that nothing lands outside its folder, and nothing half-written in it."""

import filecmp
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

from course_lib.runtime import FULL
from course_tools.downloads.sources import RemoteFile

PREFIX = ".unpacking-"


class Damaged(ValueError):
    """An archive that is of no use."""


def unpack(
    archive: Path,
    remote: RemoteFile,
    folder: Path,
    check: Callable[[Path], None] = lambda new: None,
    before_moving: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Unpack the wanted members of a zip archive.

    They are written beside the folder first, and moved into it only when all are there and whole. Other files
    that stand where they go are kept as ``NAME.old``.

    Args:
        archive: the zip file.
        remote: says which members are wanted.
        folder: where they go; made if it is missing.
        check: called with the folder of new files before they are moved; raises if something is wrong.
        before_moving: called when all is right.

    Returns:
        The files in the folder.

    Raises:
        Damaged: if the archive cannot be read, or leads out of the folder.
        ValueError: if it holds none of what is wanted.
        OSError: if the disk is too full; nothing is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"{PREFIX}{archive.name}-"  # others may be unpacked into the same folder now
    for old in folder.glob(f"{prefix}*"):
        shutil.rmtree(old, ignore_errors=True)  # of a run that was killed
    try:
        with (
            zipfile.ZipFile(archive) as opened,
            tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as new,
        ):
            wanted = _wanted(opened, remote)
            _check_disk(sum(member.file_size for member in wanted.values()), folder)
            for name, member in tqdm(wanted.items(), desc=f"unpacking {archive.name}", unit="file"):
                _write(opened, member, Path(new) / name)
            check(Path(new))
            before_moving()
            return [placed(Path(new) / name, folder / name) for name in wanted]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise Damaged(f"{archive.name} cannot be unpacked ({error}): fetch it again") from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(
            f"the disk filled up while {archive.name} was unpacked; nothing of it was left: free some space "
            "and give the same command again"
        ) from None


def placed(source: Path, target: Path) -> Path:
    """Move a file to its place and return it; another one that is there is kept as ``NAME.old``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
        target.replace(target.with_name(f"{target.name}.old"))
    return source.replace(target)


def _wanted(opened: zipfile.ZipFile, remote: RemoteFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members to unpack by their path in the folder; raise if any member leads out of it."""
    wanted = {}
    if min((member.header_offset for member in opened.infolist()), default=0) > 0:
        raise zipfile.BadZipFile("it is cut short behind an archive inside of it")
    for member in opened.infolist():
        _check_name(member, remote.name)
        name = "/".join(PurePosixPath(member.filename).parts[remote.strip :])
        if not member.is_dir() and name and any(fnmatch(name, pattern) for pattern in remote.keep):
            wanted[name] = member
    if not wanted:
        raise ValueError(
            f"{remote.name} holds nothing like {', '.join(remote.keep)}: has its layout changed?"
        )
    return wanted


def _check_name(member: zipfile.ZipInfo, archive: str) -> None:
    """Raise unless a member is a plain file or folder inside the archive's own folder."""
    posix, windows = PurePosixPath(member.filename), PureWindowsPath(member.orig_filename)
    leads_out = ".." in posix.parts + windows.parts or posix.is_absolute() or windows.anchor
    if leads_out or stat.S_ISLNK(member.external_attr >> 16):
        raise Damaged(
            f"{archive} holds {member.orig_filename!r}, which would be written outside its folder or be a "
            "link: it is not a copy of the data set, and nothing of it was unpacked"
        )


def _check_disk(needed: int, folder: Path) -> None:
    """Raise if the disk cannot hold what would be unpacked."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"unpacking needs {needed / 1e9:.2f} GB in {folder}, {free / 1e9:.2f} GB are free")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write one member; its checksum is compared on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
