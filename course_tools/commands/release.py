"""``release``: build the learners' notebooks from the solved ones."""

import argparse
from pathlib import Path

from course_lib.runtime import PROJECT_ROOT
from course_tools import release
from course_tools.commands import parser_of

DESCRIPTION = """\
Build notebooks/ from solutions/: answers become stubs, hidden tests and outputs go. Only what is out of date
is written. A notebook in which somebody has worked is never replaced, unless --force.
"""

EPILOG = """\
examples:
  python3 start.py release
  python3 start.py release --check
  python3 start.py release --zip course.zip
Exit status: 0 all up to date, 1 (--check) something is not, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("release", DESCRIPTION, EPILOG)
    described.add_argument("--check", action="store_true", help="write nothing, only say what is out of date")
    described.add_argument("--force", action="store_true", help="replace notebooks in which somebody worked")
    described.add_argument("--zip", type=Path, metavar="FILE.zip", help="also pack the course for learners")
    return described


def main(options: argparse.Namespace) -> int:
    """Build or check the notebooks; pack them if asked."""
    if options.zip and not options.zip.parent.is_dir():
        raise ValueError(f"no folder {options.zip.parent} for {options.zip.name}")
    if options.check and (options.zip or options.force):
        raise ValueError("--check writes nothing; leave --zip and --force out")
    changes = release.outdated()
    for path, text in changes.items():
        name = path.relative_to(PROJECT_ROOT)
        if text is None:
            print(f"{name} has no source in solutions/; delete it or add one")
        elif options.check:
            print(f"{name} is out of date; run: python3 start.py release")
        else:
            release.write(path, text, options.force)
            print(f"{name} written")
    if options.check:
        print(f"{len(changes)} notebooks are out of date" if changes else "all notebooks are up to date")
        return 1 if changes else 0
    if options.zip:
        if None in changes.values():
            raise ValueError("notebooks/ holds notebooks without a source; a zip would take them along")
        count = len(release.pack(options.zip))
        target = options.zip.resolve()
        for name in release.unknown_to_git():
            if PROJECT_ROOT.resolve() / name != target:
                print(f"not in the zip, because git does not know it: {name} (git add it)")
        print(f"{options.zip}: {count} files, {options.zip.stat().st_size / 1e6:.1f} MB, no solutions")
    return 0
