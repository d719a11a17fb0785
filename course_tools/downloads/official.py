"""Cityscapes comes only from its owners' program, which asks for the user's own account."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from course_tools.downloads.checksums import digest
from course_tools.downloads.sources import RemoteFile, Source

PROGRAM = "csDownload"


def download_with_account(source: Source, downloads: Path) -> None:
    """Let Cityscapes' own downloader fetch the archives that are missing.

    It asks for name and password on the terminal; nothing of that passes through this course. An archive that
    a browser fetched counts as well.

    Args:
        source: whose archives.
        downloads: folder for them.

    Raises:
        ValueError: if the program is missing or fails; what it fetched so far is kept.
    """
    partial = downloads / PROGRAM
    missing = [one for one in source.files if not _is_there(one, downloads, partial)]
    if not missing:
        return
    partial.mkdir(exist_ok=True)
    names = [remote.name for remote in missing]
    command = [_program(source, downloads, names), "--resume", "--destination_path", str(partial), *names]
    print(
        f"{PROGRAM} asks for your account, and whether to store it: answer no unless the disk is yours alone"
    )
    if subprocess.call(command) != 0:
        raise ValueError(
            f"{PROGRAM} did not finish; what it fetched is kept in {partial}: give the same command again"
        )
    for name in names:
        (partial / name).replace(downloads / name)
    with contextlib.suppress(OSError):  # something else is in it
        partial.rmdir()


def _is_there(remote: RemoteFile, downloads: Path, partial: Path) -> bool:
    """Tell whether an archive is there; one that was whole when the program was stopped is moved."""
    path = downloads / remote.name
    fetched = partial / remote.name
    if not path.is_file() and fetched.is_file() and digest(fetched, "md5") == remote.digest:
        fetched.replace(path)
    return path.is_file()


def _program(source: Source, downloads: Path, names: list[str]) -> str:
    """Return the path of the downloader."""
    beside = Path(sys.executable).parent
    found = shutil.which(PROGRAM, path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if found is None:
        raise ValueError(
            f"{PROGRAM} is not installed: {sys.executable} -m pip install cityscapesscripts; or fetch "
            f"{' and '.join(names)} from {source.homepage}/downloads with a browser, put them into "
            f"{downloads}, and give the same command again"
        )
    return found
