"""Whether a file is the one that was meant; if not, what to do about it."""

from collections.abc import Collection
from pathlib import Path

from course_tools.downloads.checksums import digest, tree_digest
from course_tools.downloads.records import Record
from course_tools.downloads.sources import NEVER, RemoteFile


class Differs(ValueError):
    """A file that is another than expected."""


def verify(path: Path, remote: RemoteFile, record: Record, accept: Collection[str] = ()) -> str:
    """Compare a downloaded file with what is known of it.

    Args:
        path: of the file.
        remote: what it should be.
        record: of its source, for the cure.
        accept: digests that the user trusts, with or without the name of their algorithm.

    Returns:
        Its digest.

    Raises:
        Differs: if it is another file; the message names both digests and the cure.
    """
    if not remote.digest:
        return digest(path, "sha256")
    found = digest(path, remote.digest.partition(":")[0])
    if found != remote.digest and not _is_accepted(found, accept):
        raise Differs(message(path.name, [(remote.digest, found)], remote, record))
    return found


def verify_unpacked(folder: Path, remote: RemoteFile, record: Record, accept: Collection[str] = ()) -> None:
    """Compare what an archive held with what is known of it; see ``verify``.

    Args:
        folder: that stands for ``remote.into``.
        remote: the archive.
        record: of its source.
        accept: digests that the user trusts.
    """
    into = Path(remote.into)
    wanted = [Path(name).relative_to(into) for name in record.source.gives if Path(name).is_relative_to(into)]
    wanted += [Path(name) for name in remote.trees]
    if wanted and not all((folder / name).exists() for name in wanted):
        held = ", ".join(sorted(path.name for path in folder.iterdir())[:5])
        expected = ", ".join(map(str, wanted))
        raise Differs(
            f"{remote.name} holds {held}, expected {expected}. Its layout was never seen by this course, or "
            f"has changed: please report it to the course's maintainers; see {record.source.homepage}"
        )
    found = {name: f"sha256:{tree_digest(folder / name)}" for name in remote.trees}
    pairs = [(f"sha256:{remote.trees[name]}", got) for name, got in found.items()]
    wrong = [(expected, got) for expected, got in pairs if expected != got and not _is_accepted(got, accept)]
    if wrong:
        raise Differs(message(f"the content of {remote.name}", wrong, remote, record))


def message(name: str, pairs: list[tuple[str, str]], remote: RemoteFile, record: Record) -> str:
    """Say what differs, and what to do.

    Args:
        name: of what differs.
        pairs: what was expected and what was found.
        remote: the file it belongs to.
        record: of its source.
    """
    differs = "; ".join(f"expected {expected}, got {got}" for expected, got in pairs)
    why = (
        "The expected value was published by others, and this course has never verified it, so it may itself "
        "be wrong or out of date."
        if remote.verified == NEVER
        else f"The expected value was seen on {remote.verified}: the file is damaged, or was changed since."
    )
    digests = " ".join(got if ":" in got else "any" for _, got in pairs)
    return (
        f"{name} differs: {differs}. {why} Run the command once more; if the same comes again, please report "
        f"both values to the course's maintainers, and compare with {record.source.homepage}. If you trust "
        f"what you got: {record.command} --accept {digests}"
    )


def _is_accepted(found: str, accept: Collection[str]) -> bool:
    """Tell whether the user named a digest."""
    return any(one.lower() in (found, found.partition(":")[2]) for one in accept)
