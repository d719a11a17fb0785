"""From an image to all its score maps in one forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import scores as score_functions
from course_lib.data import BenchmarkImages, Sample, resize_image, to_tensor
from course_lib.evaluation import protocols
from course_lib.evaluation.controls import Controls, ScoreMaps
from course_lib.evaluation.settings import Settings
from course_lib.models import Network

BATCH_PIXELS = 4 * 128 * 256
"""Small images of one size are run through the network together, up to so many pixels: an eighth faster."""


class Scored(NamedTuple):
    """One image, its ground truth and its score maps, all at the size at which pixels are compared."""

    name: str
    image: Image.Image
    target: Tensor
    """uint8 (H, W): 0 normal, 1 anomaly, 255 void."""
    maps: ScoreMaps


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
    return _maps_of_each(network, images, settings)[0]


def _maps_of_each(network: Network, images: Tensor, settings: Settings) -> list[ScoreMaps]:
    """Return the score maps of each of some images (N, 3, h, w), on the CPU."""
    logits = logits_of(network, images, settings.device)
    inverted = protocols.find(settings.protocol).inverts_void
    maps = {}
    for name, temperature in settings.with_temperatures():
        if name == "void" and inverted:
            scores = score_functions.one_minus_void(logits)
        else:
            scores = score_functions.score(name, logits, settings.known_classes, temperature)
        maps[name, temperature] = scores.cpu()
    return [{key: scores[i] for key, scores in maps.items()} for i in range(len(images))]


def logits_of(network: Network, images: Tensor, device: torch.device) -> Tensor:
    """Run the network; a device that cannot, for want of memory say, is one clear ValueError."""
    try:
        return network(images.to(device)).float()
    except RuntimeError as error:
        height, width = images.shape[-2:]
        reason = str(error).splitlines()[0][:120]
        raise ValueError(
            f"the network failed on an image of {height} x {width} on {device} ({reason}); "
            "try a smaller size or the cpu"
        ) from error


def score_benchmark(
    network: Network,
    images: BenchmarkImages,
    settings: Settings,
    controls: Controls | None = None,
) -> Iterator[Scored | None]:
    """Score the images of a benchmark in order; None stands for an image that the protocol leaves out.

    Args:
        network: inside ``ready``.
        images: the benchmark.
        settings: what to compute.
        controls: stand beside the network's scores.

    Raises:
        ValueError: if a file is damaged or a score is NaN; the message names the image.
    """
    waiting: list[_Prepared | None] = []
    for index in range(len(images)):
        prepared = _prepare(images, index, settings)
        if not _fits(waiting, prepared):
            yield from _score(network, waiting, settings, controls)
            waiting = []
        waiting.append(prepared)
    yield from _score(network, waiting, settings, controls)


class _Prepared(NamedTuple):
    """An image that the network has not seen yet."""

    sample: Sample
    target: Tensor
    input: Tensor


def _prepare(images: BenchmarkImages, index: int, settings: Settings) -> _Prepared | None:
    """Read an image as the protocol wants it; None if that leaves it out."""
    protocol = protocols.find(settings.protocol)
    sample = images[index]
    target = protocols.ground_truth(protocol, sample, images.name)
    if target is None:
        return None
    return _Prepared(sample, target, protocols.network_input(protocol, sample, settings.size))


def _fits(waiting: Sequence[_Prepared | None], prepared: _Prepared | None) -> bool:
    """Tell whether an image can be run through the network together with those that wait."""
    shapes = [one.input.shape for one in (*waiting, prepared) if one is not None]
    pixels = sum(shape[-2] * shape[-1] for shape in shapes)
    return len(shapes) < 2 or (len(set(shapes)) == 1 and pixels <= BATCH_PIXELS)


def _score(
    network: Network,
    waiting: Sequence[_Prepared | None],
    settings: Settings,
    controls: Controls | None,
) -> Iterator[Scored | None]:
    """Score images of one size in one pass, and yield them in order."""
    inputs = [one.input for one in waiting if one is not None]
    maps = iter(_maps_of_each(network, torch.cat(inputs), settings) if inputs else ())
    for one in waiting:
        yield None if one is None else _scored(one, next(maps), settings, controls)


def _scored(one: _Prepared, maps: ScoreMaps, settings: Settings, controls: Controls | None) -> Scored:
    """Bring all score maps of an image to the size of its target."""
    if controls is not None:
        maps = maps | controls.maps(one.sample.image, settings.size)
    sized = {key: protocols.to_size_of(one.target, scores) for key, scores in maps.items()}
    return Scored(one.sample.name, one.sample.image, one.target, sized)


def score_image(
    network: Network,
    images: BenchmarkImages,
    index: int,
    settings: Settings,
    controls: Controls | None = None,
) -> Scored | None:
    """Score one image of a benchmark, as ``score_benchmark`` does; None if the protocol leaves it out."""
    return next(_score(network, [_prepare(images, index, settings)], settings, controls))


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
