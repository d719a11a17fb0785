"""Draw the generated data of profile mini: 500 road scenes and five anomaly benchmarks, about 30 MB."""

import argparse
import sys
from pathlib import Path

from course_lib.data import mini

EPILOG = """\
example:
  python data_scripts/make_mini.py --root /tmp/mini
Takes about a minute on one core. Lessons and commands draw the data themselves on first use; the same version
of the course always draws the same pictures. Data that is there and whole is kept, unless --again. Exit
status: 0 all there, 2 wrong usage or the folder cannot be written, 130 stopped.
"""


def main() -> int:
    """Draw what is missing; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--root", type=Path, default=mini.FOLDER, metavar="DIR", help="where to (default: data/mini)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, touch nothing")
    parser.add_argument("--again", action="store_true", help="draw it anew even if it is there")
    options = parser.parse_args()
    if mini.is_current(options.root) and not options.again:
        print(f"{options.root} is there and whole")
        return 0
    if options.dry_run:
        print(f"would draw the mini data into {options.root}, replacing older generated data")
        return 0
    try:
        mini.make_mini(options.root)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing was left behind", file=sys.stderr)
        return 130
    print(f"{options.root} is there and whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
