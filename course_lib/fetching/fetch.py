"""Fetch one thing: look at the disk, download, verify, unpack, remember."""

import shutil
import sys
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from course_lib.fetching.official import download_with_account
from course_lib.fetching.records import DOWNLOADS, Record
from course_lib.fetching.sources import RemoteFile, Source, find_source
from course_lib.fetching.transfer import DiskFull, Patience, parts, transfer
from course_lib.fetching.unpacking import unpack
from course_lib.fetching.verifying import Differs, verify, verify_trees

GIGABYTE = 1e9


def fetch(
    name: str,
    root: Path,
    keep_archives: bool = False,
    accept: str = "",
    patience: Patience | None = None,
) -> str:
    """Fetch one thing into a folder; what is there and whole is left alone.

    Args:
        name: of the source.
        root: folder that holds the data sets; made if it is missing.
        keep_archives: keep archives after they were unpacked.
        accept: a digest that is taken instead of a published one; anything switches the check of sizes off.
        patience: with the server, by default ``transfer.PATIENT``.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: if a file cannot be had, or is not what was expected.
        OSError: if the disk is too small or fills up, or the connection breaks again and again; what came is
            kept, and the same call goes on from there.
    """
    source = find_source(name)
    record, gives = Record(source, root), f"{', '.join(source.gives)} in {root}"
    if record.is_whole():
        return f"{gives}: there and whole, nothing to do"
    if record.is_foreign():
        return (
            f"{gives}: not fetched by this script, left as it is; python -m course_lib check-data looks it "
            "over; move it away to fetch it anew"
        )
    check_disk(source, root)
    downloads = root / DOWNLOADS
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(downloads / f".{name}.lock", timeout=0):
            count = _fetch(source, record, downloads, keep_archives, accept, patience)
    except Timeout:
        raise OSError(f"{name} is being fetched into {root} by another process: wait for it") from None
    return f"{gives}: fetched, {count} file(s)"


def _fetch(
    source: Source,
    record: Record,
    downloads: Path,
    keep_archives: bool,
    accept: str,
    patience: Patience | None,
) -> int:
    """Download, unpack and remember; return how many files came."""
    for path in (downloads / remote.name for remote in source.files if accept):
        if _refused(path).is_file() and not path.is_file():
            _refused(path).replace(path)
    if source.account:
        download_with_account(source, downloads)
    archives = [_downloaded(remote, source, downloads, accept, patience) for remote in source.files]
    record.begin()
    pairs = list(zip(source.files, archives, strict=True))
    paths = [path for remote, archive in pairs for path in _placed(remote, archive, record, accept)]
    record.finish(paths)
    for archive in archives if not keep_archives else []:
        archive.unlink(missing_ok=True)
    return len(paths)


def check_disk(source: Source, root: Path) -> None:
    """Raise an OSError if the disk cannot hold what will be downloaded and unpacked."""
    needed, free = disk_needed(source, root), disk_free(root)
    if needed > free:
        raise OSError(
            f"{source.name} needs {needed / GIGABYTE:.2f} GB in {root} while it is unpacked, "
            f"{free / GIGABYTE:.2f} GB are free: free some space, or choose another --root"
        )


def disk_needed(source: Source, root: Path) -> int:
    """Return the bytes that fetching will still write, at least roughly."""
    downloads = root / DOWNLOADS
    there = [path for one in source.files for path in (downloads / one.name, *parts(downloads / one.name))]
    return sum(one.disk for one in source.files) - sum(p.stat().st_size for p in there if p.is_file())


def disk_free(root: Path) -> int:
    """Return the free bytes where a folder is, or will be."""
    existing = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def _downloaded(remote: RemoteFile, source: Source, downloads: Path, accept: str, patience: Patience) -> Path:
    """Return a verified download: one that is there, or else from the first address that has it."""
    path = downloads / remote.name
    if path.is_file():
        return _verified(path, remote, source, accept)
    for url in remote.urls:
        try:
            transfer(url, path, None if accept else remote.bytes, patience)
            return _verified(path, remote, source, accept)
        except DiskFull:
            raise
        except (ValueError, OSError) as error:
            if url == remote.urls[-1]:
                raise
            print(f"{error}\nTrying another address.", file=sys.stderr)
    raise ValueError(f"{remote.name} is not in {downloads}, and there is no public address for it")


def _verified(path: Path, remote: RemoteFile, source: Source, accept: str) -> Path:
    """Return a file that is what it should be; put another aside, so that it may be accepted."""
    try:
        found = verify(path, remote, source, accept)
    except Differs:
        path.replace(_refused(path))
        raise
    _refused(path).unlink(missing_ok=True)
    if not remote.digest and not remote.trees:
        print(f"{remote.name}: nobody published a digest; this one has {found}")
    return path


def _refused(path: Path) -> Path:
    """Return the name of a whole file that is another than expected."""
    return path.with_name(f"{path.name}.refused")


def _placed(remote: RemoteFile, archive: Path, record: Record, accept: str) -> list[Path]:
    """Bring a download to its place; delete an archive that cannot be used."""
    folder = record.root / remote.into
    if not remote.is_archive:
        folder.mkdir(parents=True, exist_ok=True)
        return [archive.replace(folder / remote.name)]
    check = partial(verify_trees, remote=remote, source=record.source, accept=accept)
    try:
        return unpack(archive, remote, folder, check)
    except ValueError:
        archive.unlink()
        raise
