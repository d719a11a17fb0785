"""Unpack an archive so that nothing lands outside its folder, and nothing half-written in it."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

from course_lib.fetching.sources import RemoteFile
from course_lib.runtime import FULL

PREFIX = ".unpacking-"


def unpack(
    archive: Path, remote: RemoteFile, folder: Path, check: Callable[[Path], None] = lambda new: None
) -> list[Path]:
    """Unpack the wanted members of a zip archive.

    They are written beside the folder first, and moved into it only when all are there and whole.

    Args:
        archive: the zip file.
        remote: says which members are wanted.
        folder: where they go; made if it is missing.
        check: called with the folder of new files before they are moved; raises if something is wrong.

    Returns:
        The files in the folder.

    Raises:
        ValueError: if the archive is damaged, leads out of the folder, or holds none of what is wanted.
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
            return [_move(Path(new) / name, folder / name) for name in wanted]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError(f"{archive.name} cannot be unpacked ({error}): fetch it again") from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(
            f"the disk filled up while {archive.name} was unpacked; nothing of it was left: free some space "
            "and give the same command again"
        ) from None


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
        raise ValueError(
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


def _move(source: Path, target: Path) -> Path:
    """Move a file to its place, over an older one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return source.replace(target)
