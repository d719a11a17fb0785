"""``reproduce``: the paper's tables and figures."""

import argparse
import shutil
from pathlib import Path

from course_lib import data, models, runtime
from course_tools.commands import options as shared
from course_tools.commands import parser_of
from course_tools.reproduce import NUMBERS, WITHOUT_TRAINING, Job, reproduce

DESCRIPTION = """\
Make the paper's tables and figures from the data and checkpoints of a profile: each number beside chance,
with a 95 % interval and a mark where it differs; beyond the paper, objects instead of pixels and every image
by itself. Checkpoints are those that are shipped, public ones in the data folder, and this machine's runs.
"""

EPILOG = """\
examples:
  python3 start.py reproduce --profile mini
  python3 start.py reproduce --profile camvid --table 1 3 --protocol paper
Without --table and --figure all of them are made; profile photos, which trains nothing, has Tables 1 to 3.
The folder gets CSV, Markdown and LaTeX of each table, PNG of each figure, and index.html with all of it.
After an interruption call it again: it goes on where it stopped.
Exit status: 0 all done, 1 something could not be done (it is listed), 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("reproduce", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    shared.add(described, "--profile", help="whose data, weights and runs (default: %(default)s)")
    add("--table", nargs="+", type=int, choices=NUMBERS, metavar="N", dest="tables", help="of 1 2 3 4")
    add("--figure", nargs="+", type=int, choices=NUMBERS, metavar="N", dest="figures", help="of 1 2 3 4")
    shared.add(described, "--protocol", "--bootstrap", "--seed", "--device")
    add("--anew", action="store_true", help="forget what an earlier call measured")
    add("--output", type=Path, metavar="DIR",
        help="(default: results/PROFILE, for another protocol results/PROFILE/PROTOCOL)")
    add("--publish", type=Path, metavar="DIR",
        help="also write what shows no image of a data set, with a page in Markdown; it begins "
             "with the findings.md of that folder")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Make what is asked for; say where it is and what is missing."""
    profile = data.find_profile(options.profile)
    chosen = {"tables": options.tables, "figures": options.figures}
    if not any(chosen.values()):
        chosen = dict.fromkeys(chosen, NUMBERS) if profile.trains else WITHOUT_TRAINING
    folder = models.results_folder(options.profile)  # each other protocol has its own place
    folder = folder if options.protocol == "benchmark" else folder / options.protocol
    job = Job(
        profile=profile,
        folder=options.output or folder,
        protocol=options.protocol,
        resamples=options.bootstrap,
        seed=options.seed,
        device=runtime.choose_device(options.device),
        publish=options.publish,
        **{kind: tuple(dict.fromkeys(numbers or ())) for kind, numbers in chosen.items()},
    )
    shared.check_writable([folder / "README.md" for folder in (job.folder, job.publish) if folder])
    if options.anew:
        shutil.rmtree(job.folder / "kept", ignore_errors=True)
    missing = reproduce(job, options.command)
    for what, why in missing.items():
        print(f"not done: {what}: {why}")
    print(f"Open {job.folder / 'index.html'}")
    return 1 if missing else 0
