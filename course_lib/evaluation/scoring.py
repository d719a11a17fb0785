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
    logits = logits_of(network, images, settings.device)
    inverted = protocols.find(settings.protocol).inverts_void
    maps = {}
    for name, temperature in settings.with_temperatures():
        if name == "void" and inverted:
            scores = score_functions.one_minus_void(logits)
        else:
            scores = score_functions.score(name, logits, settings.known_classes, temperature)
        maps[name, temperature] = scores[0].cpu()
    return maps


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
    """Score the images of a benchmark one by one; None stands for an image that the protocol leaves out.

    Args:
        network: inside ``ready``.
        images: the benchmark.
        settings: what to compute.
        controls: stand beside the network's scores.

    Raises:
        ValueError: if a file is damaged or a score is NaN; the message names the image.
    """
    for index in range(len(images)):
        yield score_image(network, images, index, settings, controls)


def score_image(
    network: Network,
    images: BenchmarkImages,
    index: int,
    settings: Settings,
    controls: Controls | None = None,
) -> Scored | None:
    """Score one image of a benchmark, as ``score_benchmark`` does; None if the protocol leaves it out."""
    protocol = protocols.find(settings.protocol)
    sample = images[index]
    target = protocols.ground_truth(protocol, sample, images.name)
    if target is None:
        return None
    maps = score_maps(network, protocols.network_input(protocol, sample, settings.size), settings)
    if controls is not None:
        maps |= controls.maps(sample.image, settings.size)
    sized = {key: protocols.to_size_of(target, scores) for key, scores in maps.items()}
    return Scored(sample.name, sample.image, target, sized)


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
