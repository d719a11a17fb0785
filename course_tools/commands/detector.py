"""``detector``: put a detector together from a trained network and ordinary images."""

import argparse
from pathlib import Path

from course_lib import data, detectors, models, runtime
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Fit a detector to a trained network: a recipe of scores, smoothing and distances to known features, brought to
a common unit. It learns what is ordinary from training and validation images; nothing is trained, and
benchmarks play no part in it.
"""

EPILOG = """\
examples:
  python3 start.py detector --recipe smoothed_entropy
  python3 start.py evaluate --weights results/mini/detectors/erfnet_ce_smoothed_entropy.safetensors
evaluate, score and compare take the file in the place of a network's. One of the same name is replaced. Exit
status: 0 done, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("detector", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    add("--recipe", default="neighbours_and_entropy", choices=detectors.RECIPES, metavar="NAME",
        help=f"of {', '.join(detectors.RECIPES)} (default: %(default)s)")
    shared.add(described, "--model", "--weights", "--profile", "--training", "--class-order")
    add("--scenes", choices=data.SEGMENTATION_SETS,
        help="whose training and validation images (default: those of the weights' profile)")
    shared.add(described, "--size")
    add("--entries", type=int, default=detectors.ENTRIES, metavar="N",
        help="features in a bank of known ones, at most (default: %(default)s)")
    shared.add(described, "--seed", help="of the features' draw (default: %(default)s)")
    shared.add(described, "--device")
    add("--output", type=Path, metavar="FILE.safetensors",
        help="(default: in results/PROFILE/detectors, by the names of weights and recipe)")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Fit, print and write."""
    shared.check_suffix(options.output, ".safetensors")
    network, metadata, weights = shared.load_network(options)
    profile = data.find_profile(metadata.profile or options.profile)
    folder = models.results_folder(profile.name) / "detectors"
    output = options.output or folder / f"{weights.stem}_{options.recipe}.safetensors"
    if output.resolve() == weights.resolve():
        raise ValueError(f"{output} holds the network's weights; choose another --output")
    shared.check_writable([output])
    scenes = data.SEGMENTATION_SETS[options.scenes or profile.scenes]
    metadata.command = options.command
    detector = detectors.fit(
        options.recipe,
        network.to(runtime.choose_device(options.device)),
        metadata,
        scenes("train"),
        scenes("val"),
        size=options.size,
        entries=options.entries,
        seed=options.seed,
    )
    detectors.save_detector(detector, output)
    for part, (mean, std) in zip(detector.recipe.parts, detector.statistics, strict=True):
        print(f"{part}: mean {mean:.4g}, standard deviation {std:.4g} on validation images")
    for stride, bank in detector.banks.items():
        entries, channels = bank.directions.shape
        print(f"bank at 1/{stride}: {entries} features of {channels} channels")
    print(f"Detector, {output.stat().st_size / 1e6:.1f} MB: {output}")
    return 0
