"""``check-data``: what of each profile's data is there, and what mends the rest."""

import argparse
import sys

from course_lib import data
from course_lib.runtime import data_root
from course_tools import dataset_check
from course_tools.commands import parser_of
from course_tools.dataset_check import MISSING, WHOLE, Finding

DESCRIPTION = """\
Look over the data sets of each profile: what is whole, incomplete, corrupt or missing, and the command that
mends it. Nothing is downloaded or changed.
"""

EPILOG = """\
examples:
  python3 start.py check-data --profile camvid
  COURSE_DATA=/scratch/data python3 start.py check-data --thorough
Exit status: 0 all data sets whole, 1 one is not, 2 wrong usage. Public weights do not count: they are extra.
"""

SIGNS = {WHOLE: "✓", MISSING: "·"}


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("check-data", DESCRIPTION, EPILOG)
    described.add_argument("--profile", choices=data.PROFILES, help="(default: all)")
    deeper = "decode every image and mask and look at the labels; without it, at both ends of each file"
    described.add_argument("--thorough", action="store_true", help=deeper)
    return described


def main(options: argparse.Namespace) -> int:
    """Look and print; return 1 if something is not whole."""
    names = [options.profile] if options.profile else list(data.PROFILES)
    looked: dict[str, Finding] = {}
    for name in names:
        place = data.mini.FOLDER if name == "mini" else data_root().resolve()
        print(f"profile {name}, in {place}")
        for item in dataset_check.items_of(data.PROFILES[name]):
            if item.title not in looked:
                looked[item.title] = dataset_check.look_over(item, options.thorough)
            finding = looked[item.title]
            line = f"{SIGNS.get(finding.state, '✗')} {item.title:<24} {finding.state:<10}"
            print(f"  {line} {finding.found:>5} of {finding.item.expected} images")
            for problem in finding.problems[:3]:
                print(f"      {problem}")
            if len(finding.problems) > 3:
                print(f"      and {len(finding.problems) - 3} more")
            if finding.cure:
                print(f"      → {finding.cure}")
        sys.stdout.flush()
    if names != ["mini"]:
        print("public weights, which are extra")
        for title, state, cure in dataset_check.weights():
            print(f"  {SIGNS.get(state, '✗')} {title:<34} {state}" + (f"\n      → {cure}" if cure else ""))
    return int(any(finding.state != WHOLE for finding in looked.values()))
