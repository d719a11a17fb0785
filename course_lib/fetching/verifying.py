"""Whether a file is the one that was meant; if not, what to do about it."""

from pathlib import Path

from course_lib.fetching.checksums import digest, tree_digest
from course_lib.fetching.sources import NEVER, RemoteFile, Source


class Differs(ValueError):
    """A file that is another than expected."""


def verify(path: Path, remote: RemoteFile, source: Source, accept: str = "") -> str:
    """Compare a downloaded file with what is known of it.

    Args:
        path: of the file.
        remote: what it should be.
        source: it belongs to.
        accept: a digest that the user trusts instead of the published one.

    Returns:
        Its digest.

    Raises:
        Differs: if it is another file; the message names both digests and the cure.
    """
    if not remote.digest:
        return digest(path, "sha256")
    found = digest(path, remote.digest.partition(":")[0])
    if found not in (remote.digest, accept):
        raise Differs(_message(path.name, remote.digest, found, remote.verified, source))
    return found


def verify_trees(folder: Path, remote: RemoteFile, source: Source, accept: str = "") -> None:
    """Compare unpacked folders with what is known of them; see ``verify``."""
    for name, expected in remote.trees.items():
        if not (folder / name).is_dir():
            raise Differs(
                f"{remote.name} holds no folder {name}: has its layout changed? See {source.homepage}"
            )
        expected, found = f"sha256:{expected}", f"sha256:{tree_digest(folder / name)}"
        if found not in (expected, accept):
            raise Differs(
                _message(f"folder {name} of {remote.name}", expected, found, remote.verified, source)
            )


def _message(name: str, expected: str, found: str, verified: str, source: Source) -> str:
    """Say what differs, and what to do."""
    differs = f"{name} differs: expected {expected}, got {found}."
    if verified != NEVER:
        return (
            f"{differs} The expected value was seen on {verified}. Fetch it again with python {source.script}"
        )
    return (
        f"{differs} The expected value was published by others, and this course has never verified it, so it "
        "may itself be wrong or out of date. Run the command once more; if the same comes again, please "
        f"report both values to the course's maintainers, and compare with {source.homepage}. If you trust "
        f"what you got: python {source.script} --accept {found}"
    )
