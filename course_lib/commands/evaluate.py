"""``evaluate``: score benchmarks for anomalies with a trained network."""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import pandas as pd

from course_lib import data, evaluation, models, plots, runtime
from course_lib.labels import VOID
from course_lib.models.files import CLASS_ORDERS
from course_lib.scores import NEED_TEMPERATURE, SCORES

FIGURE_IMAGES = 2  # per benchmark
DEFAULT_SCORES = ["msp", "max_logit", "max_entropy"]  # the three of the paper

DESCRIPTION = """\
Score every image of some benchmarks in one pass. Print AuPRC, FPR95 and AUROC in percent, with 95 % intervals
over images and beside the chance level; ~ marks a number within chance.
"""

EPILOG = """\
example:
  COURSE_DATA=/scratch/data python -m course_lib evaluate --model enet --weights enet.pth \\
      --benchmarks RoadAnomaly21 --output results/enet.csv --figure results/enet.png
The CSV is written anew after each benchmark, so that a later failure loses nothing; files of the same name
are replaced. Exit status: 0 done, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = argparse.ArgumentParser(
        prog="python -m course_lib evaluate",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_network_options(described.add_argument_group("network"))
    _add_scoring_options(described.add_argument_group("scoring"))
    _add_output_options(described.add_argument_group("output"))
    return described


# fmt: off
def _add_network_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", required=True, choices=models.NETWORKS)
    add("--weights", required=True, type=Path, metavar="FILE", help="our .safetensors or a public .pth")
    add("--class-order", choices=CLASS_ORDERS,
        help="of the outputs (default: unlabelled-first for files known by their hash, else train-id)")
    add("--keep-void-channel", action="store_true", help="let the 20th output take part in every score")
    add("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")


def _add_scoring_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--benchmarks", nargs="+", default=list(data.BENCHMARKS), metavar="NAME",
        help=f"of {', '.join(data.BENCHMARKS)}: folders in $COURSE_DATA/benchmarks (default: all)")
    add("--score", nargs="+", default=DEFAULT_SCORES, dest="scores", metavar="NAME",
        help=f"of {', '.join(SCORES)} (default: {' '.join(DEFAULT_SCORES)})")
    add("--temperature", nargs="+", type=float, default=[1.0], metavar="T", dest="temperatures",
        help=f"divides the logits in {', '.join(NEED_TEMPERATURE)} (default: 1)")
    add("--protocol", default="benchmark", choices=evaluation.PROTOCOLS,
        help="benchmark is right, peer and paper reproduce published figures (default: %(default)s)")
    add("--size", nargs=2, type=int, metavar=("H", "W"),
        help="of the input, in protocol benchmark (default: the checkpoint's; 512 1024 for public weights)")
    add("--validation", choices=data.SEGMENTATION_SETS, help="also measure mean IoU on its val split")
    add("--controls", action="store_true",
        help="add a constant score and, with --validation, the position-only scores")


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--bootstrap", type=int, default=1000, metavar="N",
        help="resamples behind the intervals, 0 for none (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    add("--output", type=Path, metavar="FILE.csv", help="write a tidy table, and FILE.json beside it")
    add("--figure", type=Path, metavar="FILE.png", help="save images, truth and score maps side by side")
# fmt: on


def run(options: argparse.Namespace) -> int:
    """Evaluate, print, and write what was asked for."""
    started = time.monotonic()
    _check_output(options)
    benchmarks = [data.BenchmarkImages(name) for name in dict.fromkeys(options.benchmarks)]
    network, metadata = models.load(options.model, options.weights, options.class_order)
    settings = _settings(options, network, metadata)
    miou, mean_maps = _validate(options, network, settings)

    def as_table(rows: list[dict]) -> pd.DataFrame:
        return evaluation.table(rows, metadata, options.weights, miou)

    def save(rows: list[dict]) -> None:
        if options.output:
            as_table(rows).to_csv(options.output, index=False)

    frame = as_table(evaluation.evaluate(network, benchmarks, settings, mean_maps, finished=save))
    print(evaluation.as_text(frame))
    _print_notes(frame, settings, miou)
    if options.output:
        _write_about(options, settings, time.monotonic() - started)
    if options.figure:
        _draw(options.figure, network, benchmarks, settings)
    return 0


def _check_output(options: argparse.Namespace) -> None:
    """Raise before any work is done if the results could not be written."""
    for path, suffix in ((options.output, ".csv"), (options.figure, ".png")):
        if path is None:
            continue
        if path.suffix != suffix:
            raise ValueError(f"{path} must end in {suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)


def _settings(
    options: argparse.Namespace, network: models.Network, metadata: models.Metadata
) -> evaluation.Settings:
    """Return the checked settings."""
    if options.size and options.protocol != "benchmark":
        raise ValueError(f"protocol {options.protocol} fixes the size; leave --size out")
    if options.keep_void_channel and network.num_classes != VOID + 1:
        raise ValueError(
            f"--keep-void-channel needs {VOID + 1} outputs, these weights have {network.num_classes}"
        )
    if "void" in options.scores and network.num_classes != VOID + 1:
        raise ValueError(f"the void score needs {VOID + 1} outputs, these weights have {network.num_classes}")
    known = range(VOID + 1) if options.keep_void_channel else metadata.known_classes
    return evaluation.Settings(
        scores=tuple(options.scores),
        temperatures=tuple(options.temperatures),
        protocol=options.protocol,
        size=tuple(options.size or metadata.size),
        known_classes=tuple(known),
        controls=options.controls,
        resamples=options.bootstrap,
        seed=options.seed,
        device=runtime.choose_device(options.device),
    )


def _validate(
    options: argparse.Namespace, network: models.Network, settings: evaluation.Settings
) -> tuple[tuple[float, int] | None, dict | None]:
    """Return mean IoU with its number of classes, and mean score maps, where the user asked for them."""
    if not options.validation:
        return None, None
    samples = data.SEGMENTATION_SETS[options.validation]("val")
    counts = evaluation.confusion(network, samples, settings)
    mean_maps = evaluation.mean_score_maps(network, samples, settings) if options.controls else None
    return (counts.mean_iou(), len(counts.iou())), mean_maps


def _print_notes(frame: pd.DataFrame, settings: evaluation.Settings, miou: tuple[float, int] | None) -> None:
    """Say below the table how to read it."""
    protocol = evaluation.PROTOCOLS[settings.protocol]
    print(f"\nProtocol {settings.protocol}: {protocol.description}.")
    print("All numbers are percent; chance is the AuPRC of a constant score.")
    if settings.resamples:
        resamples = f"{settings.resamples} resamples"
        print(f"In brackets: 95 % intervals over images ({resamples}); ~ marks a number within chance.")
    if (frame["images_of"] > frame["images"]).any():
        print("Rows on part of an official set are not comparable with published numbers.")
    auprc, fpr95 = frame["auprc_bound"].max(), frame["fpr95_bound"].max()
    print(f"Scores are counted in bins: AuPRC can be off by {auprc:.1g} at most, FPR95 by {fpr95:.1g}.")
    if miou:
        print(f"Mean IoU {100 * miou[0]:.2f} over {miou[1]} classes seen in truth or prediction.")


def _write_about(options: argparse.Namespace, settings: evaluation.Settings, seconds: float) -> None:
    """Write the JSON beside the table: how the numbers were made."""
    about = {
        "command": options.command,
        "protocol": settings.protocol,
        "known_classes": list(settings.known_classes),
        "seconds": round(seconds, 1),
        "versions": runtime.package_versions(),
        "hardware": runtime.hardware(settings.device),
    }
    options.output.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _draw(path: Path, network: models.Network, benchmarks: list, settings: evaluation.Settings) -> None:
    """Save the first images of each benchmark that hold an anomaly."""
    settings = dataclasses.replace(settings, controls=False)  # the same in every image: nothing to see
    scored = []
    for images in benchmarks:
        for one in evaluation.examples(network, images, settings, FIGURE_IMAGES):
            scored.append(one._replace(name=f"{images.name} {one.name}"))
    plots.score_panels(scored).savefig(path, dpi=120)
    print(f"Figure: {path}")
