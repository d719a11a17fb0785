"""Digests of files and folders."""

import hashlib
from pathlib import Path

ALGORITHMS = {"sha256": 64, "md5": 32, "git-blob": 40}
"""How a digest is computed, and its hexadecimal digits; ``git-blob`` is the name that git gives a file."""

BLOCK = 1 << 20  # bytes


def digest(path: Path, algorithm: str) -> str:
    """Return ``algorithm:hexadecimal`` of a file.

    Args:
        path: of the file.
        algorithm: a key of ``ALGORITHMS``.
    """
    if algorithm == "git-blob":
        state = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    else:
        state = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            state.update(block)
    return f"{algorithm}:{state.hexdigest()}"


def tree_digest(folder: Path) -> str:
    """Return the sha256 over names and contents of all files of a folder, its own folders left out."""
    state = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        state.update(path.name.encode() + b"\0" + bytes.fromhex(digest(path, "sha256").partition(":")[2]))
    return state.hexdigest()
