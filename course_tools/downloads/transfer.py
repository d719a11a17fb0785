"""Download one file, going on where an earlier try stopped: what pooch's own downloaders cannot."""

import contextlib
import os
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from course_lib.runtime import FULL


@dataclass(frozen=True)
class RetryPolicy:
    """When to give up."""

    tries: int = 6
    """In a row that brought nothing."""
    wait: float = 2.0
    """Seconds before the second try, twice as many before each further one."""
    silence: float = 60.0
    """Seconds without an answer or a byte."""


DEFAULT_RETRIES = RetryPolicy()


class Interrupted(OSError):
    """A connection that ended early; what came is kept."""


class Unavailable(ValueError):
    """An address that does not have the file."""


class DiskFull(OSError):
    """There is no space for the rest; what came is kept."""


def parts(path: Path) -> list[Path]:
    """Return what is beside a file of unfinished downloads of it."""
    return [found for end in ("part", "about") for found in path.parent.glob(f".{path.name}.*.{end}")]


def transfer(url: str, path: Path, size: int | None = None, retries: RetryPolicy | None = None) -> None:
    """Download a file; it appears under its name only when it is whole.

    What has come so far is kept beside it, in a hidden ``.part``, and a later call goes on from there if the
    server can and its file is still the same, which is noted in ``.about``.

    Args:
        url: of the file.
        path: where to.
        size: bytes that the file must have, if known.
        retries: when to give up, by default ``DEFAULT_RETRIES``.

    Raises:
        Unavailable: if the server has no such file, or one of another kind.
        ValueError: if the server's file has another size.
        DiskFull: if there is no space for the rest.
        OSError: if the connection ends early again and again.
    """
    retries = retries or DEFAULT_RETRIES
    address = f"{zlib.crc32(url.encode()):08x}"  # another address may have another file
    part = path.with_name(f".{path.name}.{address}.part")
    furthest, failures = _size(part), 0
    while True:
        try:
            _receive(url, part, path.name, size, retries)
            break
        except (requests.RequestException, HTTPError, Interrupted) as error:
            failures = 1 if _size(part) > furthest else failures + 1
            furthest, why = max(_size(part), furthest), str(error)[:200]
            if isinstance(error, requests.Timeout | ReadTimeoutError):
                why = f"nothing came for {retries.silence:g} s"
            elif isinstance(error, requests.ConnectionError):
                why = "no connection"
            if failures >= retries.tries:
                here = _size(part)
                kept = f"{here} bytes are kept: give the same command again" if here else "nothing came"
                raise OSError(f"{url} could not be fetched ({why}); {kept}") from None
            seconds = retries.wait * 2 ** (failures - 1)
            print(f"{why}; trying again in {seconds:g} s", file=sys.stderr)
            time.sleep(seconds)
    part.replace(path)
    for left in parts(path):  # from other addresses, too
        left.unlink()


def _size(part: Path) -> int:
    """Return the bytes that are there."""
    return part.stat().st_size if part.is_file() else 0


def _receive(url: str, part: Path, name: str, size: int | None, retries: RetryPolicy) -> None:
    """Ask for what is missing, once, and append it."""
    about, here = part.with_suffix(".about"), _size(part)
    headers = {"Accept-Encoding": "identity"}  # else a range would count compressed bytes
    if here and (known := about.read_text(encoding="utf-8") if about.is_file() else ""):
        headers |= {"Range": f"bytes={here}-", "If-Range": known}
    with requests.get(url, headers=headers, stream=True, timeout=retries.silence) as answer:
        status, told = answer.status_code, f"the server answers {answer.status_code} {answer.reason}"
        extent = answer.headers.get("Content-Range", "")
        if status == requests.codes.range_not_satisfiable and extent.endswith(f"/{here}"):
            return  # everything had come before
        if status in (408, 429, 500, 502, 503, 504):  # it may be asked again
            raise Interrupted(told)
        if not answer.ok:
            raise Unavailable(f"{url} cannot be had: {told}")
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise Unavailable(f"{url} is a web page instead of a file: has it moved, or is a login needed?")
        is_rest = status == requests.codes.partial_content and extent.startswith(f"bytes {here}-")
        length = answer.headers.get("Content-Length", "")
        total = int(length) + is_rest * here if length.isdigit() else size
        if size is not None and total != size:  # whatever this is, what came before may be right
            raise ValueError(f"{url} has {total} bytes, expected {size}.")
        if not is_rest:
            part.unlink(missing_ok=True)
            # What tells later whether the server still has the same file: the strong ETag, else the date.
            tag = answer.headers.get("ETag", "")
            if answer.headers.get("Accept-Ranges", "bytes") == "none" or tag.startswith("W/"):
                tag = ""
            about.write_text(tag or answer.headers.get("Last-Modified", ""), encoding="utf-8")
        _append(answer, part, name, total)


def _append(answer: requests.Response, part: Path, name: str, total: int | None) -> None:
    """Write what the server sends; raise an error if it ends early or the disk is full."""
    bar = tqdm(total=total, initial=_size(part), unit="B", unit_scale=True, desc=name)
    ended = False
    try:
        with bar, part.open("ab") as file, contextlib.suppress(IncompleteRead, ProtocolError):
            while block := answer.raw.read1(1 << 18):
                file.write(block)
                bar.update(len(block))
            ended = True
            file.flush()
            os.fsync(file.fileno())  # else the new name may reach the disk before the content does
    except OSError as error:
        if error.errno not in FULL:
            raise
        here = _size(part)
        missing = "some space" if total is None else f"{(total - here) / 1e6:.1f} MB"
        raise DiskFull(
            f"the disk is full; the first {here / 1e6:.1f} MB of {name} are kept: "
            f"free {missing} and give the same command again"
        ) from None
    if not ended or (total is not None and _size(part) < total):
        of = "" if total is None else f" of {total}"
        raise Interrupted(f"the connection ended after {_size(part)}{of} bytes")
