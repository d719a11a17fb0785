"""``score``: look for anomalies in photographs of your own."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import torch
from PIL import ImageOps
from tqdm.auto import tqdm

from course_lib import data, evaluation
from course_lib.data import IMAGE_SUFFIXES, read_image
from course_lib.labels import IGNORE
from course_lib.lesson import figures
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Score photographs of your own for anomalies, and save each beside its score maps. There is no ground truth, so
nothing is measured; for numbers, make masks and use evaluate --benchmarks FOLDER.
"""

EPILOG = """\
examples:
  python3 start.py score street.jpg --profile camvid
  python3 start.py score photographs/ --model enet --weights enet.pth --score max_logit --into mine
Light is more anomalous; each map has its own scale, so compare places in one picture, not pictures. Weights
of profile mini have seen drawn scenes only and know nothing of photographs. Files of the same name are
replaced. Exit status: 0 done, 1 a picture could not be read, 2 wrong usage.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("score", DESCRIPTION, EPILOG)
    add = described.add_argument
    add("pictures", nargs="+", type=Path, metavar="PICTURE", help="png, jpg or webp; or folders of them")
    shared.add(described, "--model", "--weights")
    knows = "which shipped weights (default: %(default)s, the ones that know photographs)"
    shared.add(described, "--profile", default="camvid", help=knows)
    shared.add(described, "--training", "--class-order", "--score", "--size", "--device", "--speed")
    add("--into", type=Path, default=Path("results/scores"), metavar="DIR", help="(default: %(default)s)")
    return described


def main(options: argparse.Namespace) -> int:
    """Score every picture and save a figure of each, at the size at which the network saw it."""
    paths = []
    for path in options.pictures:
        found = [path]
        if path.is_dir():  # other systems leave hidden files behind
            inside = [one for one in sorted(path.iterdir()) if not one.name.startswith(".")]
            found = [one for one in inside if one.suffix.lower() in IMAGE_SUFFIXES]
        if not found or not found[0].is_file():
            raise FileNotFoundError(f"no picture {path}: name png, jpg or webp files, or folders of them")
        paths += found
    name, count = Counter(path.stem for path in paths).most_common(1)[0]
    if count > 1:
        raise ValueError(
            f"{count} pictures are called {name}; score one folder at a time, each --into its own"
        )
    network, metadata, weights = shared.load_network(options)
    settings = shared.settings_of(options, metadata, network, resamples=0)
    if options.into.resolve() in {path.parent.resolve() for path in paths}:
        raise ValueError(f"{options.into} holds the pictures; choose another folder --into")
    options.into.mkdir(parents=True, exist_ok=True)
    nobody_knows = torch.full(settings.size, IGNORE, dtype=torch.uint8)
    bad = []
    with evaluation.ready(network, settings):
        for path in tqdm(paths, unit="picture"):
            try:
                image = ImageOps.exif_transpose(read_image(path))  # cameras note how they were held
            except ValueError as error:
                bad.append(str(error))
                continue
            pixels = data.to_tensor(data.resize_image(image, settings.size))[None]
            maps = evaluation.score_maps(network, pixels, settings)
            scored = evaluation.Scored(path.name, image, nobody_knows, maps)
            figure = figures.score_panels([scored], weights.name, with_truth=False)
            figure.savefig(options.into / f"{path.stem}_scores.png", dpi=120)
    print(f"{len(paths) - len(bad)} picture(s) with their scores in {options.into}")
    if bad:
        print(*(f"left out: {problem}" for problem in bad), sep="\n", file=sys.stderr)
    return int(bool(bad))
