"""Fetch one thing: look at the disk, download, verify, unpack, remember."""

import shutil
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from course_tools.downloads.official import PROGRAM, download_with_account
from course_tools.downloads.part import parts
from course_tools.downloads.records import DOWNLOADS, Record
from course_tools.downloads.sources import RemoteFile, find_source
from course_tools.downloads.transfer import DiskFull, RetryPolicy, WrongSize, transfer
from course_tools.downloads.unpacking import Damaged, placed, unpack
from course_tools.downloads.verifying import Differs, message, verify, verify_unpacked

GIGABYTE = 1e9


@dataclass(frozen=True)
class Options:
    """How to fetch."""

    keep_archives: bool = False
    """Keep archives after they were unpacked."""
    accept: Collection[str] = ()
    """Digests that are taken instead of published ones; any switches the check of sizes off."""
    force: bool = False
    """Fetch although something is there that no script fetched; files that differ are kept as NAME.old."""
    patience: RetryPolicy | None = None
    """With the server, by default ``transfer.DEFAULT_RETRIES``."""


def fetch(name: str, root: Path, options: Options | None = None) -> str:
    """Fetch one thing into a folder; what is there and whole is left alone.

    Args:
        name: of the source.
        root: folder that holds the data sets; made if it is missing.
        options: how.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: if a file cannot be had, or is not what was expected, or others put something there.
        OSError: if the disk is too small or fills up, or the connection breaks again and again; what came is
            kept, and the same call goes on from there.
    """
    record, options = Record(find_source(name), root), options or Options()
    if root.exists() and not root.is_dir():
        raise ValueError(f"{root} is a file; --root is the folder that holds the data sets")
    if record.is_whole():
        return f"{_gives(record)}: there and whole, nothing to do"
    if not options.force and record.in_the_way():
        return _adopted(record)
    check_disk(record)
    downloads = root / DOWNLOADS
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(downloads / f".{name}.lock", timeout=0):
            done = _fetch(record, downloads, options)
    except Timeout:
        raise OSError(f"{name} is being fetched into {root} by another process: wait for it") from None
    return f"{_gives(record)}: {done}"


def check_disk(record: Record) -> None:
    """Raise an OSError if the disk cannot hold what will be downloaded and unpacked."""
    needed, free = disk_needed(record), disk_free(record.root)
    if needed > free:
        raise OSError(
            f"{record.source.name} needs {needed / GIGABYTE:.2f} GB in {record.root} while it is unpacked, "
            f"{free / GIGABYTE:.2f} GB are free: free some space, or choose another --root"
        )


def disk_needed(record: Record) -> int:
    """Return the bytes that fetching will still write, at least roughly."""
    downloads, files = record.root / DOWNLOADS, record.source.files
    paths = [downloads / one.name for one in files]
    there = [
        found
        for path in paths
        for found in (path, _refused(path), downloads / PROGRAM / path.name, *parts(path))
    ]
    return sum(one.disk for one in files) - sum(path.stat().st_size for path in there if path.is_file())


def disk_free(root: Path) -> int:
    """Return the free bytes where a folder is, or will be."""
    existing = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def _gives(record: Record) -> str:
    return f"{', '.join(record.source.gives)} in {record.root}"


def is_expected(record: Record) -> bool:
    """Tell whether what somebody else put there can be verified, all of it."""
    try:
        for one in record.source.files:
            if not (one.trees or (one.digest and not one.is_archive)):
                return False
            folder = record.root / one.into
            verify_unpacked(folder, one, record) if one.is_archive else verify(folder / one.name, one, record)
    except (Differs, OSError):
        return False
    return True


def _adopted(record: Record) -> str:
    """Take what somebody else put there, if all of it can be verified.

    Raises:
        ValueError: if it cannot; nothing was changed.
    """
    if not is_expected(record):
        raise ValueError(
            f"{', '.join(record.in_the_way())} in {record.root}: not fetched by this script, nor known to "
            "be what it fetches, so it was left as it is. python3 start.py check-data looks it over; "
            f"{record.command} --force fetches all the same, and keeps files that differ as NAME.old"
        )
    files = record.source.files
    trees = [record.root / one.into / name for one in files for name in one.trees]
    singles = [record.root / one.into / one.name for one in files if not one.is_archive]
    record.finish(singles + [path for tree in trees for path in tree.iterdir() if path.is_file()])
    return f"{_gives(record)}: there already, and what was expected"


def _fetch(record: Record, downloads: Path, options: Options) -> str:
    """Download, unpack and remember; return what was done."""
    files = record.source.files
    paths = [downloads / one.name for one in files]
    for path in paths if options.accept else []:
        if _refused(path).is_file() and not path.is_file():
            _refused(path).replace(path)
    own = [path for path in paths if path.is_file()]  # of a browser, or of a run that was cut
    if record.source.account:
        download_with_account(record.source, downloads)
    for one, path in zip(files, paths, strict=True):
        _download(one, path, record, options)
    came = [
        file for one, path in zip(files, paths, strict=True) for file in _placed(one, path, record, options)
    ]
    record.finish(came)
    for path in paths:
        if path not in own and not options.keep_archives:
            path.unlink(missing_ok=True)
    kept = (
        f"; {', '.join(path.name for path in own)} was there before and is kept in {downloads}" if own else ""
    )
    return f"fetched, {len(came)} file(s){kept}"


def _download(remote: RemoteFile, path: Path, record: Record, options: Options) -> None:
    """Leave a verified download behind: one that is there, or else from the first address that has it."""
    if path.is_file():
        return _check(path, remote, record, options)
    for url in remote.urls:
        try:
            transfer(url, path, None if options.accept else remote.bytes, options.patience)
            return _check(path, remote, record, options)
        except DiskFull:
            raise
        except (ValueError, OSError) as error:
            if isinstance(error, WrongSize):
                sizes = [(f"{error.expected} bytes", f"{error.found} bytes")]
                error = Differs(message(remote.name, sizes, remote, record))
            if url == remote.urls[-1]:
                raise error from None
            print(f"{error}\nTrying another address.", file=sys.stderr)
    raise ValueError(f"{remote.name} is not in {path.parent}, and there is no public address for it")


def _check(path: Path, remote: RemoteFile, record: Record, options: Options) -> None:
    """Put a file aside that is another than expected, so that it may be accepted."""
    try:
        found = verify(path, remote, record, options.accept)
    except Differs:
        path.replace(_refused(path))
        raise
    _refused(path).unlink(missing_ok=True)
    if not remote.digest and not remote.trees:
        print(f"{remote.name}: nobody published a digest; this one has {found}")


def _refused(path: Path) -> Path:
    """Return the name of a whole file that is another than expected."""
    return path.with_name(f"{path.name}.refused")


def _placed(remote: RemoteFile, path: Path, record: Record, options: Options) -> list[Path]:
    """Bring a download to its place; delete an archive that is damaged, put aside one of other content."""
    folder = record.root / remote.into
    if not remote.is_archive:
        record.begin()
        return [placed(path, folder / remote.name)]
    check = partial(verify_unpacked, remote=remote, record=record, accept=options.accept)
    try:
        return unpack(path, remote, folder, check, record.begin)
    except Damaged:
        path.unlink()
        raise
    except Differs:
        path.replace(_refused(path))
        raise
