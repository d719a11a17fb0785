"""``evaluate``: score benchmarks for anomalies with a trained network."""

import argparse
import json
import time
from pathlib import Path

import pandas as pd
import torch

from course_lib import data, evaluation, models, plots, runtime
from course_lib.labels import VOID
from course_lib.models.files import CLASS_ORDERS
from course_lib.scores import SCORES

FIGURE_IMAGES = 2  # per benchmark

EPILOG = """\
example:
  COURSE_DATA=/scratch/data python -m course_lib evaluate --model enet --weights enet.pth \\
      --benchmarks RoadAnomaly21 --output results/enet.csv --figure results/enet.png
A ~ marks a number within chance. The table is written anew after each benchmark, so that a later failure
loses nothing. Exit status: 0 done, 2 wrong usage or bad input.
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Describe the options."""
    parser = commands.add_parser(
        "evaluate",
        help="score benchmarks for anomalies with a trained network",
        description="Score every image of one or more benchmarks and print AuPRC, FPR95 and AUROC in percent, "
        "each beside its chance level and a 95 %% interval over images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_network_options(parser.add_argument_group("network"))
    _add_scoring_options(parser.add_argument_group("scoring"))
    _add_output_options(parser.add_argument_group("output"))
    parser.set_defaults(run=run)


def _add_network_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", required=True, choices=models.NETWORKS)
    group.add_argument(
        "--weights", required=True, type=Path, metavar="FILE", help="our .safetensors or a public .pth"
    )
    group.add_argument(
        "--class-order",
        choices=CLASS_ORDERS,
        help="of the outputs (default: by the file's hash, else train-id)",
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")


def _add_scoring_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--benchmarks",
        nargs="+",
        default=list(data.BENCHMARKS),
        metavar="NAME",
        help="folders in $COURSE_DATA/benchmarks (default: all five)",
    )
    group.add_argument(
        "--score",
        nargs="+",
        default=["msp", "max_logit", "max_entropy"],
        choices=SCORES,
        dest="scores",
        help="computed in one pass (default: msp max_logit max_entropy)",
    )
    group.add_argument(
        "--temperature",
        nargs="+",
        type=float,
        default=[1.0],
        metavar="T",
        dest="temperatures",
        help="divides the logits in msp, max_entropy and energy (default: 1)",
    )
    group.add_argument(
        "--protocol",
        default="benchmark",
        choices=evaluation.PROTOCOLS,
        help="benchmark is right, peer and paper reproduce published figures (default: %(default)s)",
    )
    group.add_argument(
        "--size",
        nargs=2,
        type=int,
        metavar=("H", "W"),
        help="input size under protocol benchmark (default: the checkpoint's, 512 1024 for public weights)",
    )
    group.add_argument(
        "--keep-void-channel", action="store_true", help="let the 20th output take part in every score"
    )


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--validation", choices=data.SEGMENTATION_SETS, help="also measure mean IoU on its val split"
    )
    group.add_argument(
        "--controls",
        action="store_true",
        help="add a constant score and, with --validation, the position-only scores",
    )
    group.add_argument(
        "--bootstrap",
        type=int,
        default=1000,
        metavar="N",
        help="resamples behind the intervals, 0 for none (default: %(default)s)",
    )
    group.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    group.add_argument(
        "--output", type=Path, metavar="FILE.csv", help="write a tidy table, and FILE.json beside it"
    )
    group.add_argument(
        "--figure", type=Path, metavar="FILE.png", help="save images, truth and score maps side by side"
    )


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
    intervals = f", in brackets 95 % intervals over images ({settings.resamples} resamples)"
    print(
        f"Percent{intervals if settings.resamples else ''}; ~ within chance; chance: AuPRC of a constant score."
    )
    if (frame["images_of"] > frame["images"]).any():
        print("Where images are missing from the official set, do not compare with published numbers.")
    bound = frame[["auprc_bound", "fpr95_bound"]].max()
    print(
        f"Binning changes AuPRC by at most {bound['auprc_bound']:.1g}, FPR95 by at most {bound['fpr95_bound']:.1g}."
    )
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
    scored = []
    for images in benchmarks:
        for one in evaluation.examples(network, images, settings, FIGURE_IMAGES):
            scored.append(one._replace(name=f"{images.name} {one.name}"))
    plots.score_panels(scored).savefig(path, dpi=120)
    print(f"Figure: {path}")
