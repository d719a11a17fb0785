"""``compare``: several trained networks on the same images, beside one of them."""

import argparse
from pathlib import Path

import pandas as pd

from course_lib import data, evaluation
from course_tools.commands import options as shared
from course_tools.commands import parser_of
from course_tools.result_store import write_table

DESCRIPTION = """\
Score the same images with several networks and say where a training differs from a baseline by more than the
choice of images (95 % intervals of paired draws) and by more than the choice of seeds (no overlap). A
detector counts as a training of its own, TRAINING+RECIPE; its score is set beside each of the baseline's.
"""

EPILOG = """\
example:
  python3 start.py compare results/mini/runs/erfnet_{ce,eiml_fl}_seed*/*.safetensors --validation mini \\
      --output results/losses.csv
All files are checkpoints or detectors of this course of one network, size and number of epochs; seeds of a
training are averaged. FILE.csv gets one row per network, FILE.summary.csv one per training; both are written
anew after each network. Exit status: 0 done, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("compare", DESCRIPTION, EPILOG)
    add = described.add_argument
    add("weights", nargs="+", type=Path, metavar="FILE", help="our .safetensors, two or more")
    shared.add(described, "--model", default="erfnet", help="of all files (default: %(default)s)")
    against = "the training to compare with (default: %(default)s)"
    add("--baseline", default="ce", metavar="NAME", help=against)
    add("--benchmarks", nargs="+", metavar="NAME", help="(default: the five of the first file's profile)")
    shared.add(described, "--score", "--validation", "--bootstrap", "--seed", "--device", "--speed")
    add("--output", type=Path, metavar="FILE.csv", help="write both tables")
    return described


def main(options: argparse.Namespace) -> int:
    """Measure all networks, then print and write what is different."""
    if options.output:
        shared.check_suffix(options.output, ".csv")
        summary_file = options.output.with_suffix(".summary.csv")
        shared.check_writable([options.output, summary_file])
    paths = [found for path in options.weights for found in _found(path)]
    loaded = [(path, *shared.load(options.model, path)) for path in paths]
    about = []
    for path, _, metadata in loaded:
        known = {name: getattr(metadata, name) for name in ("training", "seed", "profile", "epochs")}
        about.append(known | {"weights": path.name, "height": metadata.size[0], "width": metadata.size[1]})
    evaluation.check_comparable(about, options.baseline)
    names = options.benchmarks or data.find_profile(loaded[0][2].profile).benchmarks
    benchmarks = data.open_benchmarks(names)
    runs: list[evaluation.NetworkResult] = []
    for number, (path, network, metadata) in enumerate(loaded, start=1):
        settings = shared.settings_of(options, metadata, network)
        print(f"{number} of {len(loaded)}: {metadata.training}, seed {metadata.seed} ({path})")
        miou = shared.mean_iou(options.validation, network, settings)
        rows = evaluation.evaluate(network, benchmarks, settings)
        runs.append(evaluation.network_result(rows, metadata, path, miou))
        if options.output:
            write_table(pd.concat([run.frame for run in runs]), options.output)
        if options.output and any((run.frame["training"] == options.baseline).any() for run in runs):
            write_table(evaluation.compare(runs, options.baseline), summary_file)
    summary = evaluation.compare(runs, options.baseline)
    shown = summary[["training", "seeds", "score", "benchmark"]].copy()
    if (summary["score"] != summary["score_of_baseline"]).any():
        shown["beside"] = summary["score_of_baseline"]
    shown["chance"] = summary["chance"].map("{:.2f}".format)
    for name, title in (("auprc", "AuPRC"), ("fpr95", "FPR95")):
        shown[title] = summary[name].map("{:.2f}".format)
        shown[f"{title} differs by"] = [_difference(row, name) for _, row in summary.iterrows()]
    print(shown.to_string(index=False))
    legend = "[...] 95 % intervals over images, in pairs; * excludes 0; ** and no seeds overlap"
    print(f"\n{legend}. All numbers are percent or points.")
    return 0


def _found(path: Path) -> list[Path]:
    """Return the files that a pattern such as ``runs/*/*.safetensors`` means; Windows leaves it to us."""
    if path.exists():
        return [path]
    pattern = str(path.relative_to(path.anchor))
    return sorted(Path(path.anchor).glob(pattern)) or [path]


def _difference(row: pd.Series, name: str) -> str:
    """Return a difference with its interval and stars; nothing in the baseline's own rows."""
    if row["training"] == row["baseline"]:
        return ""
    beyond_seeds = pd.notna(row[f"{name}_beyond_seeds"]) and row[f"{name}_beyond_seeds"]
    stars = ("**" if beyond_seeds else "*") if row[f"{name}_beyond_images"] else ""
    low, high = row[f"{name}_difference_low"], row[f"{name}_difference_high"]
    return f"{row[f'{name}_difference']:+.2f}{stars} [{low:+.2f}, {high:+.2f}]"
