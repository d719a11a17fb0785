"""``evaluate``: score benchmarks for anomalies with a trained network."""

import argparse
import dataclasses
import hashlib
import json
import time
from pathlib import Path

import pandas as pd

from course_lib import calibration, data, evaluation, models, runtime
from course_lib.labels import VOID
from course_lib.lesson import figures
from course_tools.commands.evaluate_options import FITTED, parser
from course_tools.commands.outputs import check_writable

__all__ = ["main", "parser"]

FIGURE_IMAGES = 1  # per benchmark
PUBLIC = "cityscapes"  # what public weights were trained on


def main(options: argparse.Namespace) -> int:
    """Evaluate, print, and write what was asked for."""
    started = time.monotonic()
    _check_output(options)
    if options.weights is None:
        options.weights = models.shipped_weights(options.profile or "mini", options.model, options.training)
    network, metadata = models.load(options.model, options.weights, options.class_order)
    names = options.benchmarks or data.find_profile(options.profile or metadata.profile or PUBLIC).benchmarks
    benchmarks = [data.BenchmarkImages(name) for name in dict.fromkeys(names)]
    settings = _settings(options, network, metadata)
    miou, controls = _validate(options, network, settings)
    finished: list[dict] = []

    def as_table() -> pd.DataFrame:
        return evaluation.table(finished, metadata, options.weights, miou)

    def save(rows: list[dict]) -> None:
        finished[:] = rows
        if options.output:
            _write(options, as_table(), settings, time.monotonic() - started)

    try:
        evaluation.evaluate(network, benchmarks, settings, controls, finished=save)
    finally:  # what was finished is shown even if a later benchmark failed
        if finished:
            print(evaluation.as_text(as_table()))
    _print_notes(as_table(), options, settings, benchmarks)
    if options.figure:
        _draw(options, network, benchmarks, settings)
    return 0


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_output(options: argparse.Namespace) -> None:
    """Raise before any work is done if the results could not be written."""
    for path, suffix in ((options.output, ".csv"), (options.figure, ".png")):
        if path is not None and path.suffix != suffix:
            raise ValueError(f"{path} must end in {suffix}")
    table = [options.output, options.output.with_suffix(".json")] if options.output else []
    check_writable([*table, *([options.figure] if options.figure else [])])


def _settings(
    options: argparse.Namespace, network: models.Network, metadata: models.Metadata
) -> evaluation.Settings:
    """Return the checked settings."""
    if options.size and options.protocol != "benchmark":
        raise ValueError(f"protocol {options.protocol} fixes the size; leave --size out")
    if (options.keep_void_channel or "void" in options.scores) and network.num_classes != VOID + 1:
        wanted = "--keep-void-channel" if options.keep_void_channel else "the void score"
        raise ValueError(
            f"{wanted} needs {VOID + 1} outputs, these weights have {network.num_classes}: "
            "use a network trained with void"
        )
    known = [*metadata.known_classes, *([VOID] if options.keep_void_channel else [])]
    return evaluation.Settings.of(
        metadata,
        scores=tuple(options.scores),
        temperatures=tuple(_number(given, options.weights) for given in options.temperatures),
        protocol=options.protocol,
        size=options.size and tuple(options.size),
        known_classes=tuple(known),
        resamples=options.bootstrap,
        seed=options.seed,
        device=runtime.choose_device(options.device),
        speed=options.speed,
    )


def _number(given: float | str, weights: Path) -> float:
    """Return a temperature, the fitted one from its file."""
    return calibration.read_temperature(weights) if given == FITTED else given


def _validate(
    options: argparse.Namespace, network: models.Network, settings: evaluation.Settings
) -> tuple[tuple[float, int] | None, evaluation.Controls | None]:
    """Return mean IoU with its number of classes, and the controls, where the user asked for them."""
    if not options.validation:
        return None, evaluation.Controls() if options.controls else None
    samples = data.SEGMENTATION_SETS[options.validation]("val")
    counts = evaluation.confusion(network, samples, settings)
    miou = counts.mean_iou(), len(counts.iou())
    if not options.controls:
        return miou, None
    training_images = data.SEGMENTATION_SETS[options.validation]("train")
    return miou, evaluation.Controls(
        evaluation.mean_score_maps(network, samples, settings),
        evaluation.colour_scores(training_images, settings.size),
    )


def _print_notes(
    frame: pd.DataFrame,
    options: argparse.Namespace,
    settings: evaluation.Settings,
    benchmarks: list[data.BenchmarkImages],
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


def _write(
    options: argparse.Namespace, frame: pd.DataFrame, settings: evaluation.Settings, seconds: float
) -> None:
    """Write the table, and the JSON beside it: how the numbers were made."""
    chosen = dataclasses.asdict(settings) | {"device": str(settings.device)}
    about = {
        "command": options.command,
        "weights_sha256": _sha256(options.weights),
        "settings": chosen,
        "seconds": round(seconds, 1),
        "versions": runtime.package_versions(),
        "hardware": runtime.hardware(settings.device),
    }
    runtime.write_atomically(options.output, frame.to_csv(index=False).encode())
    facts = json.dumps(about, indent=2) + "\n"
    runtime.write_atomically(options.output.with_suffix(".json"), facts.encode())


def _draw(
    options: argparse.Namespace, network: models.Network, benchmarks: list, settings: evaluation.Settings
) -> None:
    """Save the first images of each benchmark that hold an anomaly."""
    scored = []
    for images in benchmarks:
        for one in evaluation.examples(network, images, settings, FIGURE_IMAGES):
            scored.append(one._replace(name=f"{images.name}\nimage {one.name}"))
    title = f"{options.weights.name}, protocol {settings.protocol}; light is more anomalous"
    figures.score_panels(scored, title).savefig(options.figure, dpi=120)
    print(f"Figure: {options.figure}")
