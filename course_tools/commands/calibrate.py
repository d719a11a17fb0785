"""``calibrate``: fit a temperature on validation images."""

import argparse
import dataclasses
from pathlib import Path

from course_lib import calibration, data, evaluation, models, runtime
from course_tools.commands import parser_of
from course_tools.commands.outputs import check_writable

DESCRIPTION = """\
Fit the temperature of a trained network on validation images, by the negative log-likelihood of the true
class, and say how well its probabilities fit before and after. Benchmarks play no part in it.
"""

EPILOG = """\
example:
  python3 start.py calibrate --weights results/mini/runs/erfnet_ce_seed0/erfnet_ce.safetensors
FILE.temperature.json is written beside the checkpoint, or to --output; one that is there is replaced. Exit
status: 0 done, 2 wrong usage or bad input.
"""

SHOWN = {
    "nll": "negative log-likelihood",
    "ece": "ECE, 15 bins of equal width, %",
    "adaptive_ece": "ECE, 15 bins of equally many pixels, %",
    "brier": "Brier score",
    "confidence": "mean confidence, %",
    "accuracy": "accuracy, %",
}


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("calibrate", DESCRIPTION, EPILOG)
    add = described.add_argument
    add("--model", default="erfnet", choices=models.NETWORKS, help="(default: %(default)s)")
    add("--weights", type=Path, metavar="FILE", help="(default: shipped ones, by --profile and --training)")
    add("--profile", default="mini", choices=data.PROFILES, help="of shipped weights (default: %(default)s)")
    add("--training", default="ce", metavar="NAME", help="of shipped weights (default: %(default)s)")
    add("--validation", choices=data.SEGMENTATION_SETS, help="(default: that of the weights' profile)")
    add("--pixels", type=int, default=calibration.PIXELS, metavar="N",
        help="to fit on, drawn from all images alike (default: %(default)s)")  # fmt: skip
    add("--seed", type=int, default=0, help="of the draw (default: %(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    add("--output", type=Path, metavar="FILE.json", help="(default: beside the checkpoint)")
    return described


def main(options: argparse.Namespace) -> int:
    """Fit, measure, print and write."""
    weights = options.weights or models.shipped_weights(options.profile, options.model, options.training)
    output = options.output or calibration.temperature_file(weights)
    if options.pixels < 1:
        raise ValueError(f"need one pixel or more to fit on, got {options.pixels}")
    check_writable([output])
    network, metadata = models.load(options.model, weights)
    chosen = options.validation or data.find_profile(metadata.profile or options.profile).name
    samples = data.SEGMENTATION_SETS[chosen]("val")
    settings = evaluation.Settings(
        size=tuple(metadata.size),
        known_classes=tuple(metadata.known_classes),
        device=runtime.choose_device(options.device),
    )
    fitted = calibration.fit_temperature(
        *calibration.sample_pixels(network, samples, settings, options.pixels, options.seed)
    )
    found = calibration.measure_calibration(network, samples, settings, (1.0, fitted.temperature))
    before, after = found[1.0], found[fitted.temperature]
    print(_as_text(fitted, before, after))
    about = {"validation": chosen, "images": len(samples), "command": options.command}
    numbers = {"fitted": dataclasses.asdict(fitted), "before": _numbers(before), "after": _numbers(after)}
    calibration.write_temperature(output, weights, numbers | about)
    print(f"Temperature: {output}")
    return 0


def _numbers(found: calibration.Calibration) -> dict:
    """Return what is measured at one temperature, for a file."""
    return {name: getattr(found, name) for name in (*SHOWN, "pixels")}


def _as_text(
    fitted: calibration.FittedTemperature, before: calibration.Calibration, after: calibration.Calibration
) -> str:
    """Return both columns as people read them."""
    lines = [f"{'':38} {'T = 1':>8} {f'T = {fitted.temperature:.3f}':>10}"]
    for name, title in SHOWN.items():
        factor = 100 if title.endswith("%") else 1
        first, second = (factor * getattr(found, name) for found in (before, after))
        lines.append(f"{title:38} {first:8.3f} {second:10.3f}")
    return "\n".join(lines)
