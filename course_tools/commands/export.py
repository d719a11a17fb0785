"""``export``: one ONNX file from a camera's pixels to an alarm."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ImageOps
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import data, deployment, detectors, labels, models, runtime
from course_tools import downloads
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Write ONNX files that hold everything between camera and decision: resizing, network, scores, smoothing, and
an alarm above a threshold that ordinary validation images choose. A file needs no torch and none of this
course: onnxruntime, OpenVINO and others run it.
"""

EPILOG = """\
examples:
  python3 start.py export --scores max_logit msp --smooth 2 --false-positive-rate 0.05
  python3 start.py export --weights my_detector.safetensors --false-positive-rate 0.01 --precision fp32 int8
A file takes "image", uint8 RGB (1, H, W, 3) of any size, which is squeezed to the network's size. It gives a
map float32 (H, W) for each score (larger is more anomalous), "classes", uint8 (H, W) (train ids), and for
each score "NAME_alarm", uint8 (H, W). Without validation images there is no alarm. evaluate takes such a file
as --weights. Files of the same name are replaced. Exit status: 0 done, 2 wrong usage or bad input.
"""

TRAINING_IMAGES = 32
"""On which int8 measures ranges."""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("export", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    shared.add(described, "--model")
    shared.add(described, "--weights", help=shared.WEIGHTS_OR_DETECTOR)
    shared.add(described, "--profile", "--training", "--class-order")
    add("--scores", nargs="+", default=shared.DEFAULT_SCORES, metavar="NAME",
        help="of a network; a detector has its own (default: %(default)s)")
    add("--smooth", type=float, metavar="SIGMA",
        help="of a Gaussian on each score, in pixels at the network's size (default: none)")
    add("--temperature", type=float, default=1.0, metavar="T", help="of the logits (default: %(default)s)")
    shared.add(described, "--size")
    add("--false-positive-rate", type=float, metavar="P", dest="rate",
        help="share of ordinary pixels that may raise an alarm, such as 0.05 (default: no alarm)")
    add("--validation", type=Path, metavar="FOLDER",
        help="ordinary images that choose the threshold (default: the val split of the weights' profile)")
    add("--precision", nargs="+", default=["fp32"], choices=deployment.PRECISIONS,
        help="a file for each (default: fp32)")
    add("--coarse", action="store_true",
        help="score at the logits' own resolution: faster, slightly different numbers")
    add("--into", type=Path, metavar="DIR", help="(default: results/PROFILE/export)")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Build each file, choose its threshold, and say what is in it."""
    if options.rate is not None and not 0 < options.rate < 1:
        raise ValueError(f"--false-positive-rate must lie between 0 and 1, such as 0.05; got {options.rate}")
    if options.validation and options.rate is None:
        raise ValueError("validation images choose a threshold: say at which --false-positive-rate")
    subject, metadata, weights = shared.load_network_or_detector(options)
    profile = data.find_profile(metadata.profile or options.profile)
    is_detector = isinstance(subject, detectors.Detector)
    into = options.into or models.results_folder(profile.name) / "export"
    about = {
        "weights": weights.name,
        "sha256": runtime.sha256_of(weights),
        "licence": _licence(metadata),
        "command": options.command,
    }
    for precision in dict.fromkeys(options.precision):
        plan = deployment.Plan(
            size=tuple(options.size or metadata.size),
            scores=() if is_detector else tuple(dict.fromkeys(options.scores)),
            smooth=options.smooth,
            temperature=options.temperature,
            precision=precision,
            coarse=options.coarse,
        )
        name = f"{weights.stem}_{precision}{'_coarse' if plan.coarse else ''}.onnx"
        path = into / name
        shared.check_writable([path])
        training = _training_images(profile, plan.size) if precision == "int8" else ()
        deployment.build(subject, metadata, plan, path, about, training)
        told = _with_alarms(path, profile, options)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {plan.size[0]} x {plan.size[1]}, {told}")
    return 0


def _licence(metadata: models.Metadata) -> str:
    """Return under which terms weights may be passed on, as far as their metadata tell."""
    if metadata.training == "public":
        source = models.public_source(metadata.model)
        return downloads.find_source(source).licence if source in downloads.sources() else "unknown"
    encoder = metadata.encoder.get("licence")
    return "MIT" + (f"; the encoder began with weights under {encoder}" if encoder else "")


def _with_alarms(path: Path, profile: data.Profile, options: argparse.Namespace) -> str:
    """Give a file its thresholds, if it can have any; return what is to be said of that."""
    if options.rate is None:
        return "no alarm: no --false-positive-rate was given"
    try:
        images, whose = _ordinary(profile, options.validation)
    except FileNotFoundError as error:
        if options.validation:
            raise
        return f"no alarm: no validation images are here ({error})"
    file = deployment.DeployedFile(path)
    thresholds = deployment.ordinary_quantiles(file, images, options.rate)
    about = {"false_positive_rate": options.rate, "images": whose}
    deployment.with_thresholds(path, thresholds, about)
    limits = ", ".join(f"{name} > {threshold:.4g}" for name, threshold in thresholds.items())
    return f"alarm where {limits} (false positive rate {options.rate:g} on {whose})"


def _ordinary(
    profile: data.Profile, folder: Path | None
) -> tuple[Iterator[tuple[np.ndarray, np.ndarray | None]], str]:
    """Return validation images with what counts in them, and what they are."""
    if folder is None:
        samples = data.SEGMENTATION_SETS[profile.scenes]("val")
        found = ((np.asarray(s.image), s.target.numpy() != labels.IGNORE) for s in _each(samples))
        return found, f"{len(samples)} images of {profile.scenes} val"
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    inside = sorted(folder.iterdir())
    paths = [path for path in inside if path.suffix.lower() in data.IMAGE_SUFFIXES and path.name[0] != "."]
    if not paths:
        raise FileNotFoundError(f"no image in {folder}")
    upright = (ImageOps.exif_transpose(data.read_image(path)) for path in tqdm(paths, "threshold"))
    return ((np.asarray(image), None) for image in upright), f"{len(paths)} images of {folder.name}"


def _each(samples) -> Iterator[data.Sample]:
    """Yield every sample of a data set, with a bar."""
    for index in tqdm(range(len(samples)), "threshold", unit="image"):
        yield samples[index]


def _training_images(profile: data.Profile, size: tuple[int, int]) -> Iterator[Tensor]:
    """Yield training images, evenly drawn, as a network takes them."""
    samples = data.SEGMENTATION_SETS[profile.scenes]("train")
    step = math.ceil(len(samples) / TRAINING_IMAGES)
    for index in range(0, len(samples), step):
        yield data.to_tensor(data.resize_image(samples[index].image, size))[None]
