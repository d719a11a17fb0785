"""``evaluate``: score benchmarks for anomalies with a trained network."""

import argparse
import json
import shutil
import time
from functools import partial
from pathlib import Path

import pandas as pd

from course_lib import calibration, data, detectors, evaluation, models, runtime
from course_lib.lesson import figures
from course_lib.scores import SCORES, needs_temperature
from course_tools.commands import options as shared
from course_tools.commands import parser_of
from course_tools.result_store import Store, about_network, files_of

DESCRIPTION = """\
Score every image of some benchmarks in one pass, with a network's scores or a detector's. Print AuPRC, FPR95
and AUROC in percent, with 95 % intervals over images and beside the chance level; ~ marks a number within
chance, ! one worse than chance.
"""

EPILOG = """\
examples:
  python3 start.py evaluate --validation mini --controls
  python3 start.py evaluate --model enet --weights enet.pth \\
      --benchmarks RoadAnomaly21 --output results/enet.csv --figure results/enet.png
The CSV is written anew after each benchmark; files of the same name are replaced. With --output, benchmarks
that an interrupted call has finished are kept in FILE.kept until all are done, and not measured again when
the same command is given again. Exit status: 0 done, 2 wrong usage or bad input.
"""


# fmt: off
def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("evaluate", DESCRIPTION, EPILOG)
    group = described.add_argument_group("network")
    shared.add(group, "--model")
    shared.add(group, "--weights", help=shared.WEIGHTS_OR_DETECTOR)
    shared.add(group, "--profile", default=None,
        help="which shipped weights, and whose benchmarks (default: the weights' own; mini for shipped ones)")
    shared.add(group, "--training", "--class-order")
    group.add_argument("--keep-void-channel", action="store_true",
        help="let the 20th output take part in every score")
    shared.add(group, "--device", "--speed")
    group = described.add_argument_group("scoring")
    group.add_argument("--benchmarks", nargs="+", metavar="NAME",
        help="names, or folders of your own, written with a slash: ./mine (default: those of the profile "
        "that are here). Those that begin with mini_ are drawn on first use, the others are folders in "
        "$COURSE_DATA/benchmarks; a relative COURSE_DATA counts from the project's folder")
    shared.add(group, "--score")
    group.add_argument("--temperature", nargs="+", type=_temperature, default=[1.0], metavar="T",
        dest="temperatures",
        help=f"divides the logits in {', '.join(filter(needs_temperature, SCORES))}: numbers, or "
        "fitted, which is what calibrate wrote beside the weights (default: 1)")
    shared.add(group, "--protocol")
    shared.add(group, "--size",
        help="of the input, in protocol benchmark (default: the checkpoint's; 512 1024 for public weights)")
    shared.add(group, "--validation")
    group.add_argument("--controls", action="store_true",
        help="add a constant score and, with --validation, position-only and colour-only scores")
    group = described.add_argument_group("output")
    shared.add(group, "--bootstrap", "--seed")
    group.add_argument("--output", type=Path, metavar="FILE.csv",
        help="write a tidy table, and FILE.json beside it")
    group.add_argument("--figure", type=Path, metavar="FILE.png",
        help="save images, truth and score maps side by side")
    return described
# fmt: on


def _temperature(text: str) -> float | str:
    """Return a number, or the word that stands for the fitted one."""
    try:
        return text if text == "fitted" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"need a number or fitted, got {text!r}") from None


def main(options: argparse.Namespace) -> int:
    """Evaluate, print, and write what was asked for."""
    started = time.monotonic()
    _check(options)
    network, metadata, options.weights = shared.load_network_or_detector(options)
    profile = options.profile or metadata.profile or "cityscapes"  # which public weights were trained on
    if options.benchmarks:
        benchmarks = data.open_benchmarks(options.benchmarks)
    else:
        benchmarks = data.find_profile(profile).open_benchmarks()
    temperatures = tuple(
        calibration.read_temperature(options.weights) if given == "fitted" else given
        for given in options.temperatures
    )
    settings = shared.settings_of(options, metadata, network, temperatures=temperatures)
    miou = shared.mean_iou(options.validation, network, settings)
    controls = evaluation.Controls() if options.controls else None
    if options.controls and options.validation:
        read = data.SEGMENTATION_SETS[options.validation]
        position = evaluation.mean_score_maps(network, read("val"), settings)
        controls = evaluation.Controls(position, evaluation.colour_scores(read("train"), settings.size))
    about = about_network(runtime.sha256_of(options.weights), settings)
    about["controls"] = [options.controls, options.validation]
    store = Store(options.output.with_suffix(".kept")) if options.output else None
    rows: list[dict] = []
    try:
        for images in benchmarks:
            measure = partial(evaluation.evaluate, network, [images], settings, controls)
            if store is None:
                rows += measure()
                continue
            key = [about, files_of(images)]
            if store.read(images.name, key):
                print(f"{images.name} was measured before this command was interrupted: kept")
            rows += store.kept(images.name, key, measure)
            frame = evaluation.table(rows, metadata, options.weights, miou)
            runtime.write_atomically(options.output, frame.to_csv(index=False).encode())
            facts = {
                "command": options.command,
                **about,
                "seconds": round(time.monotonic() - started, 1),
                "versions": runtime.package_versions(),
                "hardware": runtime.hardware(settings.device),
            }
            text = json.dumps(facts, indent=2) + "\n"
            runtime.write_atomically(options.output.with_suffix(".json"), text.encode())
    finally:  # what was finished is shown even if a later benchmark failed
        frame = evaluation.table(rows, metadata, options.weights, miou)
        if rows:
            print(evaluation.as_text(frame))
    _print_notes(frame, options, settings, benchmarks)
    if options.figure:
        _draw(options, network, benchmarks, settings)
    if store:
        shutil.rmtree(store.folder, ignore_errors=True)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise before any work is done if the results could not be written."""
    shared.check_suffix(options.output, ".csv")
    shared.check_suffix(options.figure, ".png")
    tables = [options.output, options.output.with_suffix(".json")] if options.output else []
    shared.check_writable([*tables, *([options.figure] if options.figure else [])])
    if options.size and options.protocol != "benchmark":
        raise ValueError(f"protocol {options.protocol} fixes the size; leave --size out")


def _print_notes(
    frame: pd.DataFrame, options: argparse.Namespace, settings: evaluation.Settings, benchmarks: list
) -> None:
    """Say below the table how to read it."""
    protocol = evaluation.PROTOCOLS[settings.protocol]
    print(f"\nProtocol {settings.protocol}: {protocol.description}.")
    print("All numbers are percent; chance is an AuPRC as in that column, an FPR95 of 95, an AUROC of 50.")
    if options.controls and protocol.fpr_convention == "step":
        print("A constant score flags all pixels or none: by the step rule its FPR95 is 100.")
    if frame["auprc_low"].notna().any():
        print(f"In brackets: 95 % intervals over images ({settings.resamples} resamples).")
        print("~ marks a number within chance, ! one worse than chance.")
    if any(len(images) < images.benchmark.official_images for images in benchmarks):
        print("Rows on part of an official set are not comparable with published numbers.")
    if options.validation:
        row = frame.iloc[0]
        classes = f"{row['classes_in_miou']} classes that occur in truth or prediction"
        print(f"Mean IoU on {options.validation} val: {row['miou']:.2f} over the {classes}.")


def _draw(
    options: argparse.Namespace,
    network: models.Network | detectors.Detector,
    benchmarks: list,
    settings: evaluation.Settings,
) -> None:
    """Save the first image of each benchmark that holds an anomaly."""
    scored = [
        one._replace(name=f"{images.name}\nimage {one.name}")
        for images in benchmarks
        for one in evaluation.examples(network, images, settings, count=1)
    ]
    title = f"{options.weights.name}, protocol {settings.protocol}; light is more anomalous"
    figures.score_panels(scored, title).savefig(options.figure, dpi=120)
    print(f"Figure: {options.figure}")
