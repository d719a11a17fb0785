"""``fetch``: download data sets and public weights, and check every file."""

import argparse
import sys
from pathlib import Path

from course_lib.data import lay_over_cityscapes
from course_lib.runtime import COMMAND, data_root
from course_tools import downloads
from course_tools.commands import parser_of

DESCRIPTION = "Download data sets and public weights, check every file, and unpack archives."

EPILOG = """\
names, with sizes as far as they are known, and licences:
{names}

example:
  python3 start.py fetch road_anomaly --root /scratch/data --dry-run
What was fetched before and is whole is kept. A download that was cut goes on where it stopped when the
same command is given again; parts and archives lie in DIR/downloads. Exit status: 0 all there and checked,
1 a file could not be had or is not what was expected, 2 wrong usage, 130 stopped.
"""


# fmt: off
def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    every = downloads.sources()
    rows = [f"  {one.name:<27}{one.size / 1e6:>7.1f} MB  {one.licence}" for one in every.values()]
    described = parser_of("fetch", DESCRIPTION, EPILOG.format(names="\n".join(rows)))
    add = described.add_argument
    add("names", nargs="+", choices=every, metavar="NAME", help="see below")
    add("--root", type=Path, default=data_root(), metavar="DIR",
        help="folder that holds the data sets (default: $COURSE_DATA, else data in the project)")
    add("--dry-run", action="store_true", help="print the steps, touch nothing")
    add("--keep-archives", action="store_true", help="do not delete archives once they are unpacked")
    add("--accept", nargs="+", type=_accepted, default=[], metavar="NAME=DIGEST",
        help="take a file of that name with this digest instead of the known one; NAME=any: with any")
    add("--force", action="store_true",
        help="fetch although something else is there; files that differ are kept as NAME.old")
    return described
# fmt: on


def _accepted(text: str) -> tuple[str, str]:
    """Return the name of a file and its digest."""
    name, _, digest = text.partition("=")
    if not digest:
        raise argparse.ArgumentTypeError(f"need NAME=DIGEST, got {text!r}")
    return name, digest


def main(options: argparse.Namespace) -> int:
    """Fetch what is missing; return the exit status."""
    for name in dict.fromkeys(options.names):
        source = downloads.find_source(name)
        print(f"{source.title}\nLicence: {source.licence}\nPlease cite: {source.citation}\n{source.homepage}")
        if source.notice:
            print(source.notice)
        if options.dry_run:
            _show_plan(downloads.Record(source, options.root))
            continue
        try:
            accept, keep = dict(options.accept), options.keep_archives
            print(downloads.fetch(name, options.root, keep, accept, options.force))
            if name == "fishyscapes_static":
                print(lay_over_cityscapes(options.root))
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        if source.use:
            print(f"Use it: {COMMAND} " + source.use.format(options.root / source.gives[0]))
    return 0


def _show_plan(record: downloads.Record) -> None:
    """Print what would be done."""
    source, root = record.source, record.root
    if record.is_whole():
        print(f"{root}: everything is there and whole; nothing would be done")
        return
    if there := record.in_the_way():
        print(f"{', '.join(there)} in {root}: not fetched by this course; left as it is, unless --force")
    for remote in source.files:
        checked = "unverified, nobody published a digest"
        if remote.digest:
            checked = f"{remote.digest} (verified: {remote.verified})"
        elif remote.trees:
            checked = f"{len(remote.trees)} folders by their digests (verified: {remote.verified})"
        about = "about " if remote.bytes is None else ""
        print(f"{remote.name}, {about}{remote.size / 1e6:.1f} MB: {checked}")
        for url in remote.urls or ("csDownload, with your account",):
            print(f"  from {url}")
        print(f"  to {root / downloads.DOWNLOADS if remote.is_archive else root / remote.into}", end="")
        print(f", unpacked into {root / remote.into}" if remote.is_archive else "")
    needed, free = downloads.disk_needed(record) / 1e9, downloads.disk_free(root) / 1e9
    print(f"Disk: {needed:.2f} GB needed on the way, {free:.2f} GB free")
