"""``export``: one ONNX file from a camera's pixels to an alarm."""

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import ImageOps
from torch import Tensor
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from course_lib import data, deployment, detectors, labels, models, runtime
from course_tools import downloads
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Write ONNX files that hold everything between camera and decision: resizing, network, scores, smoothing, and
an alarm above a threshold that ordinary validation images choose. A file needs no torch and none of this
course: onnxruntime and OpenVINO run it.
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


@dataclass(frozen=True)
class Ordinary:
    """Images without anomalies, which are read anew for each file."""

    read: Callable[[], Iterator[tuple[np.ndarray, np.ndarray | None]]]
    """Gives pixels, and a mask of what counts in them; None where all do."""
    count: int
    name: str

    def __str__(self) -> str:
        """Return what is said of them."""
        return f"{self.count} images of {self.name}"


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("export", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    shared.add(described, "--model")
    shared.add(described, "--weights", help=shared.WEIGHTS_OR_DETECTOR)
    shared.add(described, "--profile", default=None, help="which shipped weights (default: mini)")
    shared.add(described, "--training", "--class-order")
    add("--scores", nargs="+", default=shared.DEFAULT_SCORES, metavar="NAME",
        help="of a network; a detector has its own (default: all three)")
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
    """Build each file, choose its threshold, and say what is in it; files are replaced when all are done."""
    if options.rate is not None and not 0 < options.rate < 1:
        raise ValueError(f"--false-positive-rate must lie between 0 and 1, such as 0.05; got {options.rate}")
    if options.validation and options.rate is None:
        raise ValueError("validation images choose a threshold: say at which --false-positive-rate")
    subject, metadata, weights = shared.load_network_or_detector(options)
    if isinstance(subject, deployment.DeployedFile):
        raise ValueError(f"{weights} is exported already; name the weights or the detector it was made from")
    public = "cityscapes" if _is_public(metadata) else "mini"  # on which public weights were trained
    profile = data.find_profile(metadata.profile or options.profile or public)
    is_detector = isinstance(subject, detectors.Detector)
    into = options.into or models.results_folder(profile.name) / "export"
    about = {
        "weights": weights.name,
        "sha256": runtime.sha256_of(weights),
        "licence": _licence(metadata),
        "command": options.command,
    }
    size = _size(options.size or metadata.size, subject.size_multiple, asked=bool(options.size))
    ordinary = None if options.rate is None else _ordinary(profile, options.validation)
    training = _training_images(profile, size) if "int8" in options.precision else ()
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for precision in dict.fromkeys(options.precision):
            plan = deployment.Plan(
                size=size,
                scores=() if is_detector else tuple(dict.fromkeys(options.scores)),
                smooth=options.smooth,
                temperature=options.temperature,
                precision=precision,
                coarse=options.coarse,
            )
            path = Path(folder) / f"{weights.stem}_{precision}{'_coarse' if plan.coarse else ''}.onnx"
            deployment.build(subject, metadata, plan, path, about, training if precision == "int8" else ())
            made.append((path, _with_alarms(path, ordinary, options.rate)))
        into.mkdir(parents=True, exist_ok=True)
        for path, told in made:
            runtime.write_atomically(into / path.name, path.read_bytes())
            megabytes = path.stat().st_size / 1e6
            print(f"{into / path.name}: {megabytes:.1f} MB, {size[0]} x {size[1]}, {told}")
    return 0


def _size(size: Sequence[int], multiple: int, asked: bool) -> tuple[int, int]:
    """Return a size that a network takes: the asked one, or that of the training, rounded up."""
    height, width = (multiple * max(1, math.ceil(side / multiple)) for side in size)
    if (height, width) != tuple(size):
        if asked:
            raise ValueError(
                f"both sides of --size must be multiples of {multiple}, got {size[0]} x {size[1]}; "
                f"{height} x {width} would do"
            )
        print(f"The network takes multiples of {multiple}: {size[0]} x {size[1]} becomes {height} x {width}.")
    return height, width


def _is_public(metadata: models.Metadata) -> bool:
    """Tell whether others have published the weights, of a detector those of its network."""
    return metadata.training.partition("+")[0] == "public"


def _licence(metadata: models.Metadata) -> str:
    """Return under which terms weights may be passed on, as far as their metadata tell."""
    if _is_public(metadata):
        source = models.public_source(metadata.model)
        return downloads.find_source(source).licence if source in downloads.sources() else "unknown"
    if not metadata.encoder:
        return "MIT"
    terms = metadata.encoder.get("licence", "the terms of that file")
    return f"MIT; it began with {metadata.encoder.get('file', 'other weights')}: {terms}"


def _with_alarms(path: Path, ordinary: Ordinary | str | None, rate: float | None) -> str:
    """Give a file its thresholds, if it can have any; return what is to be said of that."""
    if ordinary is None:
        return "no alarm: no --false-positive-rate was given"
    if isinstance(ordinary, str):
        return f"no alarm: no validation images are here ({ordinary})"
    images = tqdm(ordinary.read(), "threshold", ordinary.count, unit="image")
    thresholds, shares = deployment.ordinary_quantiles(deployment.DeployedFile(path), images, rate)
    about = {"false_positive_rate": rate, "reached": shares, "images": str(ordinary)}
    deployment.with_thresholds(path, thresholds, about)
    limits = ", ".join(
        f"{name} > {limit:.4g} in {100 * shares[name]:.2f} %" for name, limit in thresholds.items()
    )
    return f"alarm where {limits} of the pixels of {ordinary}"


def _ordinary(profile: data.Profile, folder: Path | None) -> Ordinary | str:
    """Return validation images; of the profile the reason if they are not here.

    Raises:
        FileNotFoundError: if a folder was named that is not there, or holds none.
    """
    if folder is None:
        try:
            samples = data.SEGMENTATION_SETS[profile.scenes]("val")
        except FileNotFoundError as error:
            return str(error)
        return Ordinary(partial(_labelled, samples), len(samples), f"{profile.scenes} val")
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    inside = sorted(folder.iterdir())
    paths = [path for path in inside if path.suffix.lower() in data.IMAGE_SUFFIXES and path.name[0] != "."]
    if not paths:
        raise FileNotFoundError(f"no image in {folder}")
    return Ordinary(partial(_photographs, paths), len(paths), folder.name)


def _labelled(samples: Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield labelled images; their void pixels do not count."""
    for index in range(len(samples)):
        sample = samples[index]
        yield np.asarray(sample.image), sample.target.numpy() != labels.IGNORE


def _photographs(paths: Sequence[Path]) -> Iterator[tuple[np.ndarray, None]]:
    """Yield images as they were held; all of their pixels count."""
    for path in paths:
        yield np.asarray(ImageOps.exif_transpose(data.read_image(path))), None


def _training_images(profile: data.Profile, size: tuple[int, int]) -> list[Tensor]:
    """Return training images, evenly drawn, as a network takes them."""
    samples = data.SEGMENTATION_SETS[profile.scenes]("train")
    drawn = np.linspace(0, len(samples) - 1, min(TRAINING_IMAGES, len(samples))).round().astype(int)
    images = (samples[int(index)].image for index in drawn)
    return [data.to_tensor(data.resize_image(image, size))[None] for image in images]
