"""The loop: each image of a benchmark through the network once, its scores into metrics, those into rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import inference, runtime
from course_lib.data import BenchmarkImages
from course_lib.deployment import DeployedFile
from course_lib.detectors import Detector
from course_lib.evaluation.controls import Controls
from course_lib.evaluation.protocols import find_protocol, to_size_of
from course_lib.evaluation.settings import Key, Settings
from course_lib.evaluation.table import row_of
from course_lib.metrics import StreamingMetrics
from course_lib.models import Network

Scorer = Network | Detector | DeployedFile
"""What scores every pixel of an image."""

STRIP_PIXELS = 16 * 1024
"""On a CPU scores are computed in strips of so many pixels: they stay in its cache and take little memory."""


def evaluate(
    network: Scorer,
    benchmarks: Sequence[BenchmarkImages],
    settings: Settings,
    controls: Controls | None = None,
    progress: bool = True,
) -> list[dict]:
    """Score every image of every benchmark once.

    Args:
        network: any network, a detector, or an exported file; its device and mode may change.
        benchmarks: opened before, so that a missing folder is noticed at once.
        settings: what to compute.
        controls: stand beside the network's scores.
        progress: whether to show a progress bar.

    Returns:
        One row per benchmark and score, for ``table``: plain data, metrics in percent.

    Raises:
        ValueError: if a file is damaged, a score is NaN, or a benchmark holds no anomaly; it is named.
    """
    rows = []
    for images in benchmarks:
        for key, streamed in measure(network, images, settings, controls, progress).items():
            rows.append(row_of(images.name, key, settings, streamed))
    return rows


def measure(
    network: Scorer,
    images: BenchmarkImages,
    settings: Settings,
    controls: Controls | None = None,
    progress: bool = True,
) -> dict[Key, StreamingMetrics]:
    """Return the streamed metrics of each (score, temperature) on one benchmark.

    Args and errors are those of ``evaluate``; ``StreamingMetrics.update`` refuses a NaN and names the image.
    Ask the results to ``compute`` or for their ``intervals``.
    """
    protocol = find_protocol(settings.protocol)
    metrics: dict[Key, StreamingMetrics] = {}
    runtime.reuse_memory()
    network = accelerated(network, settings)
    with ready(network, settings):
        for index in tqdm(range(len(images)), images.name, unit="image", disable=not progress):
            sample = images[index]
            target = protocol.target(sample, images.benchmark)
            if target is None:  # the protocol leaves this image out
                continue
            maps = score(network, protocol.input(sample, settings.size), settings)
            if controls:
                maps |= controls.maps(sample.image, settings.size)
            for key, scored in maps.items():
                streamed = metrics.setdefault(key, StreamingMetrics(summaries=settings.resamples > 0))
                streamed.update(to_size_of(target, scored), target, f"{images.name}/{sample.name}")
            del maps, scored  # nothing of an image is held while the network works on the next
    if not metrics:
        raise ValueError(
            f"{images.name}: no image holds an anomaly; in its masks 255 is void and an anomaly must be "
            f"{images.benchmark.anomaly_value}"
        )
    return metrics


def accelerated(network: Scorer, settings: Settings) -> Scorer:
    """Return a network, or a detector, on its device and as fast as the settings say.

    Raises:
        ValueError: if the speed is not to be had.
    """
    if isinstance(network, DeployedFile):
        if settings.speed != "plain":
            raise ValueError(f"an exported file has its own speed; leave {settings.speed} out")
        return network
    network = network.to(settings.device)
    if isinstance(network, Detector):
        return network.accelerated(settings.speed)
    return inference.accelerate(network, settings.speed)


@contextmanager
def ready(network: Scorer, settings: Settings) -> Iterator[None]:
    """Put the network on its device in evaluation mode; allow raw input only if the protocol wants it.

    Mode and check of the input are put back at the end.
    """
    was_training, checked_range = network.training, network.checks_range
    network.to(settings.device).eval()
    network.checks_range = not find_protocol(settings.protocol).raw_input
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)
        network.checks_range = checked_range


def score(network: Scorer, images: Tensor, settings: Settings) -> dict[Key, Tensor]:
    """Return all score maps (h, w) of one image (1, 3, h, w), on the network's device.

    On a CPU they are made in strips, which stay in its cache and take little memory. The maps are the same.
    A detector has one map, under its name. An exported file has the maps that it was made with. The scores
    and temperatures of the settings do not apply to them.

    Raises:
        ValueError: if the network fails on the device, for want of memory say.
    """
    if isinstance(network, DeployedFile):
        return network.maps(images)
    if isinstance(network, Detector):
        with clear_errors(images, settings.device):
            return {(network.name, 1.0): network(images.to(settings.device))[0]}
    functions, (height, width) = settings.score_functions(), images.shape[-2:]
    fitting = STRIP_PIXELS // width if settings.device.type == "cpu" else height
    rows = network.size_multiple * max(1, -(-fitting // network.size_multiple))
    strips: dict[Key, list[Tensor]] = {key: [] for key in functions}
    for logits in _strips(network, images, settings.device, rows):
        logits = logits.float().contiguous()  # a plane per class: scores reduce over the classes
        for key, function in functions.items():
            strips[key].append(function(logits)[0])
    return {key: torch.cat(found) for key, found in strips.items()}


def _strips(network: Network, images: Tensor, device: torch.device, rows: int) -> Iterator[Tensor]:
    """Yield logits; a generator, so that errors of what is done with them are not taken for the network's."""
    with clear_errors(images, device):
        yield from network.logits_in_strips(images.to(device), rows)


@contextmanager
def clear_errors(images: Tensor, device: torch.device) -> Iterator[None]:
    """Make one clear ValueError of what goes wrong when a device runs a network, for want of memory say."""
    try:
        yield
    except RuntimeError as error:
        height, width = images.shape[-2:]
        reason = str(error).splitlines()[0][:120]
        raise ValueError(
            f"the network failed on an image of {height} x {width} on {device} ({reason}); "
            "try a smaller size or the cpu"
        ) from error


def check_numbers(values: Tensor, what: str) -> None:
    """Raise a ValueError that names what holds a NaN."""
    if values.isnan().any():
        raise ValueError(
            f"{what}: {int(values.isnan().sum())} of {values.numel()} are NaN; the network's weights or its "
            "input are broken"
        )
