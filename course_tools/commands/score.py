"""``score``: look for anomalies in photographs of your own."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from PIL import ImageOps
from tqdm.auto import tqdm

from course_lib import data, deployment, evaluation
from course_lib.data import IMAGE_SUFFIXES, read_image
from course_lib.lesson import figures
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Score photographs of your own for anomalies, and save each beside its score maps. There is no ground truth, so
nothing is measured; for numbers, make masks and use evaluate --benchmarks FOLDER. The network sees a picture
in its own shape, with about as many pixels as the weights were trained on.
"""

EPILOG = """\
examples:
  python3 start.py score street.jpg --profile camvid
  python3 start.py score photographs/ --model enet --weights enet.pth --score max_logit --into mine
Light is more anomalous; each map has its own scale, so compare places in one picture, not pictures. Weights
of profile mini have seen drawn scenes only and know nothing of photographs. Files of the same name are
replaced. Exit status: 0 done, 1 a picture could not be read, 2 wrong usage.
"""


KINDS = "png, jpg, webp, tif or bmp"


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("score", DESCRIPTION, EPILOG)
    add = described.add_argument
    add("pictures", nargs="+", type=Path, metavar="PICTURE", help=f"{KINDS}; or folders of them")
    shared.add(described, "--model")
    shared.add(described, "--weights", help=shared.WEIGHTS_OR_DETECTOR)
    knows = "which shipped weights (default: %(default)s, the ones that know photographs)"
    shared.add(described, "--profile", default="camvid", help=knows)
    shared.add(described, "--training", "--class-order", "--score", "--device", "--speed")
    shared.add(described, "--size", help="of every picture, whatever its shape (default: its own shape)")
    add("--into", type=Path, default=Path("results/scores"), metavar="DIR", help="(default: %(default)s)")
    return described


def main(options: argparse.Namespace) -> int:
    """Score every picture and save a figure of each, at the size at which the network saw it."""
    paths, skipped = [], []
    for path in options.pictures:
        found = [path]
        if path.is_dir():  # other systems leave hidden files behind
            inside = [one for one in sorted(path.iterdir()) if not one.name.startswith(".")]
            found = [one for one in inside if one.suffix.lower() in IMAGE_SUFFIXES]
            skipped += [one for one in inside if one.is_file() and one not in found]
        if not path.exists():
            raise FileNotFoundError(f"no file or folder {path}: name {KINDS} files, or folders of them")
        if not found:
            raise FileNotFoundError(f"the folder {path} holds no picture: {KINDS} files are taken")
        paths += found
    paths = list(dict.fromkeys(paths))
    names = Counter(path.stem for path in paths)
    if twice := [str(path) for path in paths if names[path.stem] > 1]:
        raise ValueError(
            f"{' and '.join(twice[:2])} have one name; rename one, or score each folder --into its own"
        )
    network, metadata, weights = shared.load_network_or_detector(options)
    settings = shared.settings_of(options, metadata, network, resamples=0)
    if options.into.resolve() in {path.parent.resolve() for path in paths}:
        raise ValueError(f"{options.into} holds the pictures; choose another folder --into")
    options.into.mkdir(parents=True, exist_ok=True)
    bad, sizes = [], Counter()
    network = evaluation.accelerated(network, settings)
    with evaluation.ready(network, settings):
        for path in tqdm(paths, unit="picture"):
            try:
                image = ImageOps.exif_transpose(read_image(path))  # cameras note how they were held
            except ValueError as error:
                bad.append(str(error))
                continue
            size = settings.size
            if not options.size and not isinstance(network, deployment.DeployedFile):
                size = data.size_for(image, settings.size, network.size_multiple)
            sizes[size] += 1
            scored = evaluation.scored_photograph(network, path.name, image, size, settings)
            figure = figures.score_panels([scored], weights.name, with_truth=False)
            figure.savefig(options.into / f"{path.stem}_scores.png", dpi=120)
    print(f"{len(paths) - len(bad)} picture(s) with their scores in {options.into}")
    for (height, width), count in sizes.items():
        print(f"  {count} of them seen by the network at {height} x {width} pixels (height x width)")
    if skipped:
        names = ", ".join(path.name for path in skipped[:5]) + (", ..." if len(skipped) > 5 else "")
        print(f"not looked at: {len(skipped)} files that are not {KINDS}: {names}", file=sys.stderr)
    if bad:
        print(*(f"left out: {problem}" for problem in bad), sep="\n", file=sys.stderr)
    return int(bool(bad))
