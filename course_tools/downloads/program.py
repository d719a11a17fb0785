"""The command line that all scripts of ``data_scripts`` share."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from course_lib.runtime import data_root
from course_tools.downloads.fetch import GIGABYTE, Options, disk_free, disk_needed, fetch
from course_tools.downloads.records import DOWNLOADS, Record
from course_tools.downloads.sources import Source, find_source

EPILOG = """\
example:
  python {script} --root /scratch/data --dry-run
What was fetched before and is whole is kept. A download that was cut goes on where it stopped when the
same command is given again; parts and archives lie in DIR/downloads. Exit status: 0 all there and checked,
1 a file could not be had or is not what was expected, 2 wrong usage, 130 stopped.
"""


def program(name: str, description: str, afterwards: Callable[[Path], str] | None = None) -> int:
    """Run the script of one source.

    Args:
        name: of the source.
        description: of the script, for its help.
        afterwards: what is done with the fetched data; takes the root, returns what to say.

    Returns:
        The exit status.
    """
    source = find_source(name)
    options = _parser(source, description).parse_args()
    print(f"{source.title}\nLicence: {source.licence}\nPlease cite: {source.citation}\n{source.homepage}")
    if source.notice:
        print(source.notice)
    if options.dry_run:
        _show_plan(Record(source, options.root))
        return 0
    try:
        print(fetch(name, options.root, Options(options.keep_archives, options.accept, options.force)))
        if afterwards:
            print(afterwards(options.root))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if source.use:
        print("Use it: python3 start.py " + source.use.format(options.root / source.gives[0]))
    return 0


def _parser(source: Source, description: str) -> argparse.ArgumentParser:
    """Describe the options."""
    parser = argparse.ArgumentParser(
        description=description,
        epilog=EPILOG.format(script=source.script),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--root", type=Path, default=data_root(), metavar="DIR",
        help="folder that holds the data sets (default: $COURSE_DATA, else data in the project)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the steps, touch nothing")
    if any(remote.is_archive for remote in source.files):
        parser.add_argument("--keep-archives", action="store_true", help="do not delete them once unpacked")
    else:
        parser.set_defaults(keep_archives=False)
    parser.add_argument(
        "--accept", nargs="+", default=(), metavar="DIGEST",
        help="take files with these digests, as an error printed them; any: of unexpected size",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true",
        help="fetch although something is there; files that differ are kept as NAME.old",
    )  # fmt: skip
    return parser


def _show_plan(record: Record) -> None:
    """Print what would be done."""
    source, root = record.source, record.root
    if record.is_whole():
        print(f"{root}: everything is there and whole; nothing would be done")
        return
    if there := record.in_the_way():
        print(f"{', '.join(there)} in {root}: not fetched by this script; left as it is, unless --force")
    for remote in source.files:
        checked = f"{remote.digest} (verified: {remote.verified})" if remote.digest else "no published digest"
        if remote.trees:
            checked = f"{len(remote.trees)} folders by their digests (verified: {remote.verified})"
        print(f"{remote.name}, {_megabytes(remote.size, remote.bytes is None)}: {checked}")
        for url in remote.urls or ("csDownload, with your account",):
            print(f"  from {url}")
        print(f"  to {root / DOWNLOADS if remote.is_archive else root / remote.into}", end="")
        print(f", unpacked into {root / remote.into}" if remote.is_archive else "")
    needed, free = disk_needed(record) / GIGABYTE, disk_free(root) / GIGABYTE
    print(f"Disk: {needed:.2f} GB needed on the way, {free:.2f} GB free")


def _megabytes(size: int, is_rough: bool) -> str:
    return f"{'about ' if is_rough else ''}{size / 1e6:.1f} MB"
