"""Unpack an archive so that nothing lands outside its folder, and nothing half-written in it.

``pooch.Unzip`` writes in place, drops bad names in silence, and selects members by their full names only.
"""

import filecmp
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from course_lib.runtime import FULL
from course_tools import zips
from course_tools.downloads.sources import RemoteFile


class Damaged(ValueError):
    """An archive that is of no use."""


@contextmanager
def unpacked(archive: Path, remote: RemoteFile, folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Unpack the wanted members of a zip archive into a temporary folder inside of the one they go to.

    Args:
        archive: the zip file.
        remote: says which members are wanted.
        folder: where they will go; made if it is missing. Nothing else in it changes.

    Yields:
        The temporary folder, and the names of the files in it; all of them are whole.

    Raises:
        Damaged: if the archive cannot be read, or leads out of the folder.
        ValueError: if it holds none of what is wanted.
        OSError: if the disk is too full; nothing is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f".unpacking-{archive.name}-"  # others may be unpacked into the same folder now
    for old in folder.glob(f"{prefix}*"):
        shutil.rmtree(old, ignore_errors=True)  # of a process that was killed
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as new:
        try:
            with zipfile.ZipFile(archive) as opened:
                wanted = _wanted(opened, remote)
                for member in tqdm(wanted.values(), desc=f"unpacking {archive.name}", unit="file"):
                    opened.extract(member, new)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise Damaged(f"{archive.name} cannot be unpacked ({error}): fetch it again") from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise OSError(
                f"the disk filled up while {archive.name} was unpacked; nothing of it was left: free some "
                "space and give the same command again"
            ) from None
        yield Path(new), list(wanted)


def placed(source: Path, target: Path) -> Path:
    """Move a file to its place and return it; another one that is there is kept as ``NAME.old``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
        target.replace(target.with_name(f"{target.name}.old"))
    return source.replace(target)


def _wanted(opened: zipfile.ZipFile, remote: RemoteFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members to unpack by their path in the folder; raise if any member leads out of it."""
    if min((member.header_offset for member in opened.infolist()), default=0) > 0:
        raise zipfile.BadZipFile("it is cut short behind an archive inside of it")
    wanted = {}
    for member in opened.infolist():
        if problem := zips.problem_of(member):
            raise Damaged(
                f"{remote.name} holds {member.orig_filename!r}: {problem}; so it is not a copy of the data "
                "set, and nothing of it was unpacked"
            )
        name = "/".join(PurePosixPath(member.filename).parts[remote.strip :])
        if not member.is_dir() and name and any(fnmatch(name, pattern) for pattern in remote.keep):
            member.filename = name  # where ``extract`` writes it
            wanted[name] = member
    if not wanted:
        raise ValueError(
            f"{remote.name} holds nothing like {', '.join(remote.keep)}: has its layout changed?"
        )
    return wanted
