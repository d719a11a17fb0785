"""From an image to all its score maps in one forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import scores as score_functions
from course_lib.data import BenchmarkImages, Sample, resize_image, to_tensor
from course_lib.evaluation import protocols
from course_lib.evaluation.controls import Controls, ScoreMaps
from course_lib.evaluation.reading import Prepared, prepare, read_runs, runs
from course_lib.evaluation.settings import Settings
from course_lib.models import Network

STRIP_PIXELS = 16 * 1024
"""On a CPU scores are computed in strips of so many pixels: they stay in its cache and take little memory."""


class Scored(NamedTuple):
    """One image, its ground truth and its score maps, all at the size at which pixels are compared."""

    name: str
    image: Image.Image | None
    """As it is on disk; None where nobody looks at it."""
    target: Tensor
    """uint8 (H, W): 0 normal, 1 anomaly, 255 void."""
    maps: ScoreMaps
    """On the network's device while they are measured."""


@contextmanager
def ready(network: Network, settings: Settings) -> Iterator[None]:
    """Put the network on its device in evaluation mode; allow raw input only if the protocol wants it."""
    before = network.training, network.checks_range
    network.to(settings.device).eval()
    network.checks_range = not protocols.find(settings.protocol).raw_input
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(before[0])
        network.checks_range = before[1]


def score_maps(network: Network, images: Tensor, settings: Settings) -> ScoreMaps:
    """Return the score maps (h, w) of one image (1, 3, h, w), on the CPU."""
    return _on_cpu(_maps_of_each(network, images, settings)[0])


def _maps_of_each(network: Network, images: Tensor, settings: Settings) -> list[ScoreMaps]:
    """Return the score maps of each of some images (N, 3, h, w)."""
    strips: dict[tuple[str, float], list[Tensor]] = {key: [] for key in settings.with_temperatures()}
    with _clear_errors(images, settings.device):
        rows = _rows_of_a_strip(network, images, settings.device)
        for logits in network(images.to(settings.device)).split(rows, dim=2):
            logits = logits.float().contiguous()  # class by class: scores go through all classes of a pixel
            for key, found in strips.items():
                found.append(_score_of(*key, logits, settings))
    maps = {key: torch.cat(found, dim=1) for key, found in strips.items()}
    return [{key: scores[i] for key, scores in maps.items()} for i in range(len(images))]


def _rows_of_a_strip(network: Network, images: Tensor, device: torch.device) -> int:
    """Return a multiple of what the network needs: as many rows as fit, on a GPU all of them."""
    step, (height, width) = network.size_multiple, images.shape[-2:]
    fitting = STRIP_PIXELS // (len(images) * width) if device.type == "cpu" else height
    return step * max(1, -(-fitting // step))


def _score_of(name: str, temperature: float, logits: Tensor, settings: Settings) -> Tensor:
    """Return one score (N, h, w) as the protocol computes it."""
    if name == "void" and protocols.find(settings.protocol).inverts_void:
        return score_functions.one_minus_void(logits)
    return score_functions.score(name, logits, settings.known_classes, temperature)


def logits_of(network: Network, images: Tensor, device: torch.device) -> Tensor:
    """Run the network; a device that cannot, for want of memory say, is one clear ValueError."""
    with _clear_errors(images, device):
        return network(images.to(device)).float()


@contextmanager
def _clear_errors(images: Tensor, device: torch.device) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        height, width = images.shape[-2:]
        reason = str(error).splitlines()[0][:120]
        raise ValueError(
            f"the network failed on an image of {height} x {width} on {device} ({reason}); "
            "try a smaller size or the cpu"
        ) from error


def score_runs(
    network: Network,
    images: BenchmarkImages,
    wanted: Sequence[range],
    settings: Settings,
    controls: Controls | None = None,
    pictures: bool = False,
) -> Iterator[list[Scored | None]]:
    """Score the images of each run, in order; None stands for an image that the protocol leaves out.

    Args:
        network: inside ``ready``.
        images: the benchmark.
        wanted: some of ``runs``.
        settings: what to compute.
        controls: stand beside the network's scores.
        pictures: whether the images as they are on disk are wanted, too.

    Raises:
        ValueError: if a file is damaged or a score is NaN; the message names the image.
    """
    reading = read_runs(images, wanted, settings, pictures or controls is not None)
    for _ in wanted:  # nothing is held while the caller works, or while the next run is read
        yield _score(network, next(reading), settings, controls)


def score_benchmark(network: Network, images: BenchmarkImages, settings: Settings) -> Iterator[Scored | None]:
    """Score all images of a benchmark in order, as ``score_runs`` does; the maps are on the CPU."""
    every = score_runs(network, images, runs(len(images), settings), settings, pictures=True)
    for one in chain.from_iterable(every):
        yield one and one._replace(maps=_on_cpu(one.maps))


def _score(
    network: Network, run: Sequence[Prepared | None], settings: Settings, controls: Controls | None
) -> list[Scored | None]:
    """Score images of one size in one pass."""
    inputs = [one.input for one in run if one is not None]
    together = torch.cat(inputs) if len(inputs) > 1 else inputs[0] if inputs else None
    maps = iter(() if together is None else _maps_of_each(network, together, settings))
    return [None if one is None else _scored(one, next(maps), settings, controls) for one in run]


def _scored(one: Prepared, maps: ScoreMaps, settings: Settings, controls: Controls | None) -> Scored:
    """Bring all score maps of an image to the size of its target."""
    if controls is not None:
        maps = maps | controls.maps(one.picture, settings.size)
    sized = {key: protocols.to_size_of(one.target, scores) for key, scores in maps.items()}
    return Scored(one.name, one.picture, one.target, sized)


def score_image(network: Network, images: BenchmarkImages, index: int, settings: Settings) -> Scored | None:
    """Score one image of a benchmark, as ``score_benchmark`` does; None if the protocol leaves it out."""
    (one,) = _score(network, [prepare(images, index, settings)], settings, None)
    return one and one._replace(maps=_on_cpu(one.maps))


def _on_cpu(maps: ScoreMaps) -> ScoreMaps:
    return {key: scores.cpu() for key, scores in maps.items()}


def mean_score_maps(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> ScoreMaps:
    """Return the mean score maps of ordinary images: what position alone tells.

    Args:
        network: any network; its device may change.
        samples: validation images, without anomalies.
        settings: what to compute; images are resized to ``settings.size`` under every protocol.
        progress: whether to show a progress bar.
    """
    raw = protocols.find(settings.protocol).raw_input
    sums: ScoreMaps = {}
    with ready(network, settings):
        for sample in tqdm(samples, desc="position-only", unit="image", disable=not progress):
            images = to_tensor(resize_image(sample.image, settings.size), scale=not raw)[None]
            for key, scores in score_maps(network, images, settings).items():
                sums[key] = sums.get(key, 0) + scores
    return {key: total / len(samples) for key, total in sums.items()}
