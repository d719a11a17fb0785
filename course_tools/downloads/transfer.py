"""Download one file, going on where an earlier try stopped: what pooch's own downloaders cannot."""

import contextlib
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from course_lib.runtime import FULL

BLOCK = 1 << 18  # bytes
LONGEST = 200  # characters of an error that are shown
RANGE_NOT_SATISFIABLE = 416
TEMPORARY = {408, 429, 500, 502, 503, 504}
"""Answers after which a server may be asked again."""


@dataclass(frozen=True)
class RetryPolicy:
    """When to give up."""

    tries: int = 6
    """In a row that brought nothing, or too little."""
    wait: float = 2.0
    """Seconds before the second try, twice as many before each further one."""
    silence: float = 60.0
    """Seconds without an answer or a byte."""
    least_rate: float = 1000.0
    """Bytes a second, over any ``silence`` seconds; below it the connection is made anew."""


DEFAULT_RETRIES = RetryPolicy()


class Interrupted(OSError):
    """A connection that ended early; what came is kept."""


class TooSlow(Interrupted):
    """A connection that hardly brought anything."""


class Unavailable(ValueError):
    """An address that does not have the file."""


class WrongSize(Unavailable):
    """A file that has another size than expected."""


class DiskFull(OSError):
    """There is no space for the rest; what came is kept."""


class Part:
    """What has come so far of a file, from one address."""

    def __init__(self, path: Path, url: str) -> None:
        """Look for what is there.

        Args:
            path: of the whole file, some time.
            url: where it comes from.
        """
        self.path = path
        name = f".{path.name}.{zlib.crc32(url.encode()):08x}"  # another address may have another file
        self.data, self.about = path.with_name(f"{name}.part"), path.with_name(f"{name}.about")
        self.received = 0
        self.total: int | None = None

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.data.stat().st_size if self.data.is_file() else 0

    @property
    def validator(self) -> str:
        """What tells whether the server still has the same file, empty if nothing does."""
        return self.about.read_text(encoding="utf-8") if self.about.is_file() else ""

    def restart(self, validator: str = "") -> None:
        """Begin anew."""
        self.data.unlink(missing_ok=True)
        self.about.write_text(validator, encoding="utf-8")


def parts(path: Path) -> list[Path]:
    """Return what is beside a file of unfinished downloads of it."""
    return [found for end in ("part", "about") for found in path.parent.glob(f".{path.name}.*.{end}")]


def transfer(url: str, path: Path, size: int | None = None, retries: RetryPolicy | None = None) -> int:
    """Download a file; it appears under its name only when it is whole.

    What has come so far is kept beside it, in a hidden ``.part``, and a later call goes on from there if the
    server can and its file is still the same.

    Args:
        url: of the file.
        path: where to.
        size: bytes that the file must have, if known.
        retries: when to give up, by default ``DEFAULT_RETRIES``.

    Returns:
        How many bytes were received.

    Raises:
        WrongSize: if the server's file has another size.
        Unavailable: if the server has no such file, or one of another kind.
        DiskFull: if there is no space for the rest.
        OSError: if the connection ends early again and again.
    """
    retries = retries or DEFAULT_RETRIES
    part, furthest, failures = Part(path, url), 0, 0
    while True:
        try:
            _receive(url, part, size, retries)
            break
        except (requests.RequestException, HTTPError, Interrupted) as error:
            is_progress = part.size > furthest and not isinstance(error, TooSlow)
            failures = 1 if is_progress else failures + 1
            furthest, why = max(part.size, furthest), _why(error, retries)
            if failures >= retries.tries:
                kept = f"{part.size} bytes are kept: give the same command again"
                kept = kept if part.size else "nothing came"
                raise OSError(f"{url} could not be fetched ({why}); {kept}") from None
            seconds = retries.wait * 2 ** (failures - 1)
            print(f"{why}; trying again in {seconds:g} s", file=sys.stderr)
            time.sleep(seconds)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(_full(part)) from None
            raise
    part.data.replace(path)
    for left in parts(path):  # from other addresses, too
        left.unlink()
    return part.received


def _receive(url: str, part: Part, size: int | None, retries: RetryPolicy) -> None:
    """Ask for what is missing, once, and append it."""
    headers = {"Accept-Encoding": "identity"}  # else a range would count compressed bytes
    if part.size and part.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    with requests.get(url, headers=headers, stream=True, timeout=retries.silence) as answer:
        if answer.status_code == RANGE_NOT_SATISFIABLE:
            if answer.headers.get("Content-Range", "").endswith(f"/{part.size}"):
                return  # everything had come before
            part.restart()
            raise Interrupted("the server's file is shorter than what was here")
        _check(answer, url)
        begins = answer.headers.get("Content-Range", "").startswith(f"bytes {part.size}-")
        is_rest = answer.status_code == requests.codes.partial_content and begins
        length = answer.headers.get("Content-Length", "")
        part.total = int(length) + is_rest * part.size if length.isdigit() else size
        if size is not None and part.total != size:  # whatever this is, what came before may be right
            raise WrongSize(f"{url} has {part.total} bytes, expected {size}.")
        if not is_rest:
            part.restart(_validator(answer))
        _append(answer, part, retries)


def _check(answer: requests.Response, url: str) -> None:
    """Raise unless the server sends a file."""
    if answer.status_code in TEMPORARY:
        raise Interrupted(f"the server answers {answer.status_code} {answer.reason}")
    if not answer.ok:
        raise Unavailable(f"{url} cannot be had: the server answers {answer.status_code} {answer.reason}")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise Unavailable(f"{url} is a web page instead of a file: has it moved, or is a login needed?")


def _validator(answer: requests.Response) -> str:
    """Return the strong ETag of a file, else its date; empty if it has neither or takes no ranges."""
    tag = answer.headers.get("ETag", "")
    if answer.headers.get("Accept-Ranges", "bytes") == "none" or tag.startswith("W/"):
        tag = ""
    return tag or answer.headers.get("Last-Modified", "")


def _append(answer: requests.Response, part: Part, retries: RetryPolicy) -> None:
    """Write what the server sends; raise an error if it ends early."""
    bar = tqdm(total=part.total, initial=part.size, unit="B", unit_scale=True, desc=part.path.name)
    ended = False
    with bar, part.data.open("ab") as file, contextlib.suppress(IncompleteRead, ProtocolError):
        for block in _blocks(answer, retries):
            file.write(block)
            part.received += len(block)
            bar.update(len(block))
        ended = True
    if part.total is not None and part.size > part.total:
        part.restart()
        raise Interrupted("more came than belongs to the file")
    if not ended or (part.total is not None and part.size < part.total):
        of = "" if part.total is None else f" of {part.total}"
        raise Interrupted(f"the connection ended after {part.size}{of} bytes")
    with part.data.open("rb") as file:
        os.fsync(file.fileno())  # else the new name may reach the disk before the content does


def _blocks(answer: requests.Response, retries: RetryPolicy) -> Iterator[bytes]:
    """Yield what comes; raise an error if it comes too slowly."""
    since, count = time.monotonic(), 0
    while block := answer.raw.read1(BLOCK):
        yield block
        count += len(block)
        seconds = time.monotonic() - since
        if seconds >= retries.silence:
            if count < retries.least_rate * seconds:
                raise TooSlow(f"only {count / seconds:.0f} bytes a second came")
            since, count = time.monotonic(), 0


def _full(part: Part) -> str:
    """Say that the disk is full, and how much is missing."""
    missing = "some space" if part.total is None else f"{(part.total - part.size) / 1e6:.1f} MB"
    return (
        f"the disk is full; the first {part.size / 1e6:.1f} MB of {part.path.name} are kept: "
        f"free {missing} and give the same command again"
    )


def _why(error: Exception, retries: RetryPolicy) -> str:
    """Say in a few words what went wrong with a connection."""
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return f"nothing came for {retries.silence:g} s"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)[:LONGEST]
