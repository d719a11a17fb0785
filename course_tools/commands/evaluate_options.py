"""The options of ``evaluate``."""

import argparse
from pathlib import Path

from course_lib import data, evaluation, inference, models
from course_lib.scores import SCORES, needs_temperature
from course_tools.commands import parser_of

FITTED = "fitted"
"""The word for the temperature that ``calibrate`` wrote beside the weights."""

DEFAULT_SCORES = list(evaluation.Settings().scores)

DESCRIPTION = """\
Score every image of some benchmarks in one pass. Print AuPRC, FPR95 and AUROC in percent, with 95 % intervals
over images and beside the chance level; ~ marks a number within chance, ! one worse than chance.
"""

EPILOG = """\
examples:
  python3 start.py evaluate --validation mini --controls
  COURSE_DATA=/scratch/data python3 start.py evaluate --model enet --weights enet.pth \\
      --benchmarks RoadAnomaly21 --output results/enet.csv --figure results/enet.png
The CSV is written anew after each benchmark, so that a later failure loses nothing; files of the same name
are replaced. Exit status: 0 done, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("evaluate", DESCRIPTION, EPILOG)
    _add_network_options(described.add_argument_group("network"))
    _add_scoring_options(described.add_argument_group("scoring"))
    _add_output_options(described.add_argument_group("output"))
    return described


# fmt: off
def _add_network_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", default="erfnet", choices=models.NETWORKS, help="(default: %(default)s)")
    add("--weights", type=Path, metavar="FILE",
        help="our .safetensors or a public .pth (default: shipped ones, chosen by --profile and --training)")
    add("--profile", choices=data.PROFILES,
        help="which shipped weights, and whose benchmarks (default: the weights' own; mini for shipped ones)")
    add("--training", default="ce", metavar="NAME", help="which shipped weights (default: %(default)s)")
    add("--class-order", choices=models.CLASS_ORDERS,
        help="of the outputs (default: train-id)")
    add("--keep-void-channel", action="store_true", help="let the 20th output take part in every score")
    add("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    add("--speed", default="plain", choices=inference.SPEEDS,
        help="fast is float32 with the same result but for rounding; bf16 and fp16 are less exact "
        "(default: %(default)s)")


def _add_scoring_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--benchmarks", nargs="+", metavar="NAME",
        help=f"of {', '.join(data.BENCHMARKS)} (default: the profile's five); mini_ ones are drawn on first "
        "use, the others are folders in $COURSE_DATA/benchmarks; a relative COURSE_DATA counts from the "
        "project's folder")
    add("--score", nargs="+", default=DEFAULT_SCORES, dest="scores", metavar="NAME",
        help=f"of {', '.join(SCORES)} (default: {' '.join(DEFAULT_SCORES)})")
    add("--temperature", nargs="+", type=_temperature, default=[1.0], metavar="T", dest="temperatures",
        help=f"divides the logits in {', '.join(filter(needs_temperature, SCORES))}: numbers, or "
        "fitted, which is what calibrate wrote beside the weights (default: 1)")
    add("--protocol", default="benchmark", choices=evaluation.PROTOCOLS,
        help="benchmark is right, peer and paper reproduce published figures (default: %(default)s)")
    add("--size", nargs=2, type=int, metavar=("H", "W"),
        help="of the input, in protocol benchmark (default: the checkpoint's; 512 1024 for public weights)")
    add("--validation", choices=data.SEGMENTATION_SETS, help="also measure mean IoU on its val split")
    add("--controls", action="store_true",
        help="add a constant score and, with --validation, position-only and colour-only scores")


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--bootstrap", type=int, default=1000, metavar="N",
        help="resamples behind the intervals, 0 for none (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    add("--output", type=Path, metavar="FILE.csv", help="write a tidy table, and FILE.json beside it")
    add("--figure", type=Path, metavar="FILE.png", help="save images, truth and score maps side by side")
# fmt: on


def _temperature(text: str) -> float | str:
    """Return a number, or the word that stands for the fitted one."""
    try:
        return text if text == FITTED else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"need a number or {FITTED}, got {text!r}") from None
