"""``ladder``: what each step towards a detector brings, beside its control."""

import argparse
from pathlib import Path

from course_lib import data, models, runtime
from course_lib.lesson import tables
from course_tools import ladder as rungs
from course_tools.commands import options as shared
from course_tools.commands import parser_of
from course_tools.result_store import made_on, write_table

DESCRIPTION = """\
Measure every step of lesson 7, all seeds, beside ERFNet's MSP; and one of them beside the best of all others,
chosen with hindsight for each benchmark. The networks are those of course_tools/sweeps/what_works.toml and
outliers.toml (of profile mini: what_works_mini.toml) that are trained here, and the shipped ones.
"""

EPILOG = """\
example:
  python3 start.py train --sweep course_tools/sweeps/what_works.toml
  python3 start.py train --sweep course_tools/sweeps/outliers.toml
  python3 start.py ladder --profile camvid
What was measured once is kept in results/PROFILE/what_works/kept.
Without --profile camvid it wants what_works_mini.toml.
Exit status: 0 all done, 1 trainings are missing (they are listed), 2 wrong usage, bad input, or the detector
of --final is not trained.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("ladder", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    add("--profile", choices=rungs.SWEEPS, default="mini", help="whose networks (default: %(default)s)")
    add("--final", nargs=2, metavar=("NETWORK", "STEP"), default=rungs.FINAL,
        help="the detector to set beside the best of all others (default: lesson 7's)")
    shared.add(described, "--bootstrap", "--device")
    add("--output", type=Path, metavar="DIR", help="(default: results/PROFILE/what_works)")
    add("--publish", type=Path, metavar="DIR",
        help="also write PROFILE_....csv there, and a page of all profiles whose tables are there; "
             "it begins with the findings.md of that folder and ends with its how.md")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Measure, print and write."""
    profile = data.find_profile(options.profile)
    folder = options.output or models.results_folder(profile.name) / "what_works"
    rungs.check_final(profile, options.final)  # before hours of measuring
    device = runtime.choose_device(options.device)
    found, missing = rungs.measure_all(profile, device, options.bootstrap)
    summary, duels = rungs.ladder(found), rungs.with_hindsight(found, tuple(options.final))
    for name, frame in (("seeds", rungs.of_each_seed(found)), ("summary", summary), ("hindsight", duels)):
        write_table(frame, folder / f"{name}.csv")
        if options.publish:
            write_table(frame, options.publish / f"{profile.name}_{name}.csv")
    if options.publish:
        findings, how = (_words(options.publish / name) for name in ("findings.md", "how.md"))
        rungs.write_page(options.publish, findings, how, made_on(device))
    pairs = list(dict.fromkeys(zip(summary["network"], summary["step"], strict=True)))
    print(tables.ladder(summary, pairs))
    print(duels.to_string(index=False, float_format="{:.2f}".format))
    print(f"Tables: {folder}")
    for what in missing:
        print(f"not trained here: {what}")
    return int(bool(missing))


def _words(path: Path) -> str:
    """Return what a person wrote; nothing if nobody has."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""
