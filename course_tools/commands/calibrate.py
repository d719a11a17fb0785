"""``calibrate``: fit a temperature on validation images."""

import argparse
import dataclasses
from pathlib import Path

from course_lib import calibration, data
from course_tools.commands import options as shared
from course_tools.commands import parser_of

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
    shared.add(described, "--model", "--weights", "--profile", "--training", "--class-order")
    add("--validation", choices=data.SEGMENTATION_SETS, help="(default: that of the weights' profile)")
    add("--pixels", type=int, default=calibration.PIXELS, metavar="N",
        help="to fit on, drawn from all images alike (default: %(default)s)")  # fmt: skip
    shared.add(described, "--seed", help="of the draw (default: %(default)s)")
    shared.add(described, "--device")
    add("--output", type=Path, metavar="FILE.json", help="(default: beside the checkpoint)")
    return described


def main(options: argparse.Namespace) -> int:
    """Fit, measure, print and write."""
    if options.pixels < 1:
        raise ValueError(f"need one pixel or more to fit on, got {options.pixels}")
    network, metadata, weights = shared.load_network(options)
    output = options.output or calibration.temperature_file(weights)
    shared.check_writable([output])
    chosen = options.validation or data.find_profile(metadata.profile or options.profile).scenes
    samples = data.SEGMENTATION_SETS[chosen]("val")
    settings = shared.settings_of(options, metadata, network)
    fitted = calibration.fit_temperature(
        *calibration.sample_pixels(network, samples, settings, options.pixels, options.seed)
    )
    found = calibration.measure_calibration(network, samples, settings, (1.0, fitted.temperature))
    about = {"fitted": dataclasses.asdict(fitted), "validation": chosen, "images": len(samples)}
    for when, calibrated in (("before", found[1.0]), ("after", found[fitted.temperature])):
        about[when] = {name: getattr(calibrated, name) for name in (*SHOWN, "pixels")}
    print(f"{'':38} {'T = 1':>8} {f'T = {fitted.temperature:.3f}':>10}")
    for name, title in SHOWN.items():
        factor = 100 if title.endswith("%") else 1
        before, after = factor * about["before"][name], factor * about["after"][name]
        print(f"{title:38} {before:8.3f} {after:10.3f}")
    calibration.write_temperature(output, weights, about | {"command": options.command})
    print(f"Temperature: {output}")
    return 0
