"""Fetch one thing: look at the disk, download, verify, unpack, remember."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pooch
from filelock import FileLock, Timeout

from course_lib.runtime import COMMAND, sha256_of
from course_tools.downloads.sources import DOWNLOADS, NEVER, Record, RemoteFile, Source, find_source
from course_tools.downloads.transfer import DiskFull, Unavailable, parts, transfer
from course_tools.downloads.unpacking import Damaged, placed, unpacked

CITYSCAPES_PROGRAM = "csDownload"

pooch.get_logger().setLevel("WARNING")  # fetch says itself what it does


def fetch(
    name: str,
    root: Path,
    keep_archives: bool = False,
    accept: Mapping[str, str] | None = None,
    force: bool = False,
) -> str:
    """Fetch one thing into a folder; what is there and whole is left alone.

    Args:
        name: of the source.
        root: folder that holds the data sets; made if it is missing.
        keep_archives: keep archives after they were unpacked.
        accept: by the name of a file or unpacked folder: the digest that it may have instead of the known
            one, or ``any``: nothing is compared then.
        force: fetch although something is there that this course did not fetch; files that differ are kept
            as NAME.old.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: if a file cannot be had, or is not what was expected, or others put something there.
        OSError: if the disk is too small or fills up, or the connection breaks again and again; what came is
            kept, and the same call goes on from there.
    """
    record = Record(find_source(name), root)
    where = f"{', '.join(record.source.gives)} in {root}"
    if root.exists() and not root.is_dir():
        raise ValueError(f"{root} is a file; --root is the folder that holds the data sets")
    if record.is_whole():
        return f"{where}: there and whole, nothing to do"
    if record.in_the_way() and not force:
        if not is_expected(record):
            raise ValueError(
                f"{', '.join(record.in_the_way())} in {root}: not fetched by this course, nor known to "
                f"be what it fetches, so it was left as it is. {COMMAND} check-data looks it over; "
                f"{record.command} --force fetches all the same, and keeps files that differ as NAME.old"
            )
        files = record.source.files
        trees = [root / one.into / tree for one in files for tree in one.trees]
        singles = [root / one.into / one.name for one in files if not one.is_archive]
        record.finish(singles + [path for tree in trees for path in tree.iterdir() if path.is_file()])
        return f"{where}: there already, and what was expected"
    needed, free = disk_needed(record), disk_free(root)
    if needed > free:
        raise OSError(
            f"{name} needs {needed / 1e9:.2f} GB in {root} while it is unpacked, {free / 1e9:.2f} GB are "
            "free: free some space, or choose another --root"
        )
    downloads = root / DOWNLOADS
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(downloads / f".{name}.lock", timeout=0):
            return f"{where}: {_fetch(record, downloads, keep_archives, accept or {})}"
    except Timeout:
        raise OSError(f"{name} is being fetched into {root} by another process: wait for it") from None


def disk_needed(record: Record) -> int:
    """Return the bytes that fetching will still write, at least roughly."""
    folder, files = record.root / DOWNLOADS, record.source.files
    places = [(folder / one.name, folder / CITYSCAPES_PROGRAM / one.name) for one in files]
    there = [path for pair in places for path in (*pair, *parts(pair[0])) if path.is_file()]
    return sum(one.disk for one in files) - sum(path.stat().st_size for path in there)


def disk_free(root: Path) -> int:
    """Return the free bytes where a folder is, or will be."""
    existing = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def is_expected(record: Record) -> bool:
    """Tell whether what somebody else put there can be verified, all of it."""
    files = record.source.files
    if not all(one.trees or (one.digest and not one.is_archive) for one in files):
        return False
    try:
        for one in files:
            if one.is_archive:
                _check_unpacked(record.root / one.into, one, record, {})
            elif not pooch.hashes.hash_matches(record.root / one.into / one.name, one.digest):
                return False
    except (ValueError, OSError):
        return False
    return True


def _fetch(record: Record, downloads: Path, keep_archives: bool, accept: Mapping[str, str]) -> str:
    """Download, unpack, bring to its place and remember; return what was done."""
    files = [(one, downloads / one.name) for one in record.source.files]
    own = [path for _, path in files if path.is_file()]  # of a browser, or of a call that was cut
    if record.source.account:
        _download_with_account(record.source, downloads)
    for remote, path in files:
        _download(remote, path, record, accept)
    came = []
    for remote, path in files:
        folder = record.root / remote.into
        if not remote.is_archive:
            record.begin()
            came.append(placed(path, folder / remote.name))
            continue
        try:
            with unpacked(path, remote, folder) as (new, names):
                _check_unpacked(new, remote, record, accept)
                record.begin()
                came += [placed(new / name, folder / name) for name in names]
        except Damaged:
            path.unlink()
            raise
    record.finish(came)
    for _, path in files:
        if path not in own and not keep_archives:
            path.unlink(missing_ok=True)
    names = ", ".join(path.name for path in own)
    return f"fetched, {len(came)} file(s)" + (f"; {names} was there before and is kept" if own else "")


def _download(remote: RemoteFile, path: Path, record: Record, accept: Mapping[str, str]) -> None:
    """Leave a verified download behind: one that is there, or else from the first address that has it."""
    expected = accept.get(remote.name, remote.digest)
    known = None if expected in ("", "any") else expected
    size = None if remote.name in accept else remote.bytes
    if path.is_file():
        try:
            pooch.hashes.hash_matches(path, known, strict=True)
        except ValueError as error:
            told = str(error).replace(" Deleted download for safety.", "")
            raise ValueError(f"{_cure(told, remote, record)}; {path} is kept") from None

    def download(url: str, temporary: str, _: object) -> None:
        transfer(url, path, size)  # beside ``path``, where a later call finds a part of it
        path.replace(temporary)

    for url in () if path.is_file() else remote.urls:
        try:
            pooch.retrieve(url, known, path.name, path.parent, downloader=download)
            break
        except DiskFull:
            raise
        except (ValueError, OSError) as error:
            if not isinstance(error, Unavailable | OSError):  # of another size or digest
                error = ValueError(_cure(error, remote, record))
            if url == remote.urls[-1]:
                raise error from None
            print(f"{error}\nTrying another address.", file=sys.stderr)
    if not path.is_file():
        raise ValueError(f"{remote.name} is not in {path.parent}, and there is no public address for it")
    if not remote.digest and not remote.trees:
        print(f"{remote.name}: unverified, since nobody published a digest; it has sha256:{sha256_of(path)}")


def _check_unpacked(folder: Path, remote: RemoteFile, record: Record, accept: Mapping[str, str]) -> None:
    """Raise a ValueError unless what an archive held, in ``folder``, is what is known of it."""
    into = Path(remote.into)
    wanted = [Path(name).relative_to(into) for name in record.source.gives if Path(name).is_relative_to(into)]
    wanted += [Path(name) for name in remote.trees]
    if wanted and not all((folder / name).exists() for name in wanted):
        held = ", ".join(sorted(path.name for path in folder.iterdir())[:5])
        raise ValueError(
            f"{remote.name} holds {held}, expected {', '.join(map(str, wanted))}. Its layout was never seen "
            "by this course, or has changed: please report it to the course's maintainers; see "
            f"{record.source.homepage}"
        )
    for name, known in remote.trees.items():
        expected, got = accept.get(name, known).removeprefix("sha256:"), tree_digest(folder / name)
        if expected not in ("any", got):
            raise ValueError(_cure(f"{name} differs: expected {expected}, got {got}.", remote, record, name))


def tree_digest(folder: Path) -> str:
    """Return the sha256 over names and contents of all files of a folder, its own folders left out."""
    state = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        state.update(path.name.encode() + b"\0" + bytes.fromhex(sha256_of(path)))
    return state.hexdigest()


def _cure(told: object, remote: RemoteFile, record: Record, name: str = "") -> str:
    """Say of something that differs how sure the expected value is, and what to do."""
    why = (
        "The expected value was published by others, and this course has never verified it, so it may itself "
        "be wrong or out of date."
        if remote.verified == NEVER
        else f"The expected value was seen on {remote.verified}: the file is damaged, or was changed since."
    )
    return (
        f"{told} {why} Run the command once more; if the same comes again, please report both values to the "
        f"course's maintainers, and compare with {record.source.homepage}. If you trust what you got, name "
        f"its digest: {record.command} --accept {name or remote.name}=DIGEST"
    )


def _download_with_account(source: Source, downloads: Path) -> None:
    """Let Cityscapes' own downloader fetch the archives that are missing.

    It asks for name and password on the terminal; nothing of that passes through this course. An archive that
    a browser fetched counts as well, and what came before a failure is kept.
    """
    partial = downloads / CITYSCAPES_PROGRAM
    missing = []
    for remote in source.files:
        path, fetched = downloads / remote.name, partial / remote.name
        if not path.is_file() and fetched.is_file() and pooch.hashes.hash_matches(fetched, remote.digest):
            fetched.replace(path)  # it was whole when the program was stopped
        if not path.is_file():
            missing.append(remote.name)
    if not missing:
        return
    beside = str(Path(sys.executable).parent)
    program = shutil.which(CITYSCAPES_PROGRAM, path=beside) or shutil.which(CITYSCAPES_PROGRAM)
    if program is None:
        raise ValueError(
            f"{CITYSCAPES_PROGRAM} is not installed: {sys.executable} -m pip install cityscapesscripts; or "
            f"fetch {' and '.join(missing)} from {source.homepage}/downloads with a browser, put them into "
            f"{downloads}, and give the same command again"
        )
    partial.mkdir(exist_ok=True)
    print(
        f"{CITYSCAPES_PROGRAM} asks for your account, and whether to store it: answer no unless the disk is "
        "yours alone"
    )
    if subprocess.call([program, "--resume", "--destination_path", str(partial), *missing]) != 0:
        raise ValueError(
            f"{CITYSCAPES_PROGRAM} did not finish; what it fetched is kept in {partial}: give the same "
            "command again"
        )
    for name in missing:
        (partial / name).replace(downloads / name)
    with contextlib.suppress(OSError):  # something else is in it
        partial.rmdir()
