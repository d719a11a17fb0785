"""One image at a time: classes and score maps; mean IoU, single images, objects, mean score maps."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.data import BenchmarkImages, Sample, Size, resize_image, to_tensor
from course_lib.detectors import Detector
from course_lib.evaluation.loop import check_numbers, clear_errors, measure, ready, score
from course_lib.evaluation.protocols import find_protocol, to_size_of
from course_lib.evaluation.settings import Key, Settings
from course_lib.labels import IGNORE, NUM_CLASSES
from course_lib.metrics import (
    ANOMALY_TRACK,
    OBSTACLE_TRACK,
    Components,
    Confusion,
    average_precision,
    combine,
    components,
    fpr_at_tpr,
)
from course_lib.models import Network


class Segmented(NamedTuple):
    """One image, and what a network takes every pixel of it for."""

    sample: Sample
    predicted: Tensor
    """The known class, or void, of each pixel: (H, W), the size of the target."""
    logits: Tensor
    """float32 (C, H, W), on the CPU."""
    known_classes: tuple[int, ...]


def segmented(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> Iterator[Segmented]:
    """Segment images one by one, at the size of their targets.

    Args:
        network: any network; its device may change.
        samples: images with targets of train ids and 255.
        settings: images are resized as the protocol says (to ``size`` if it says native), but are in
            [0, 1] whatever the protocol. Logits are brought to the target's size, bilinear, before the
            argmax, which is over the known classes and void.
        progress: whether to show a progress bar.

    Raises:
        ValueError: if a logit is NaN, or the network fails on the device.
    """
    size = find_protocol(settings.protocol).input_size(settings.size) or settings.size
    channels = torch.tensor([*settings.known_classes, *range(NUM_CLASSES, network.num_classes)]).unique()
    settings = replace(settings, protocol="benchmark")  # for images in [0, 1]
    name = getattr(samples, "name", "validation")  # of a benchmark
    for index in tqdm(range(len(samples)), desc=name, unit="image", disable=not progress):
        sample = samples[index]
        image = to_tensor(resize_image(sample.image, size))[None]
        # only here: between two images the caller's code runs
        with ready(network, settings), clear_errors(image, settings.device):
            logits = network(image.to(settings.device)).float()
            logits = F.interpolate(logits, sample.target.shape, mode="bilinear", align_corners=False)[0].cpu()
        candidates = logits[channels]
        check_numbers(candidates, f"logits of image {sample.name!r}")
        yield Segmented(sample, channels[candidates.argmax(dim=0)], logits, settings.known_classes)


def confusion(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> Confusion:
    """Return the confusion counts of a network, at the size of the targets; see ``segmented``."""
    counts = Confusion()
    for one in segmented(network, samples, settings, progress):
        counts.update(one.predicted, one.sample.target.long())
    return counts


class Scored(NamedTuple):
    """One image, its ground truth and its score maps, all at the size at which pixels are compared."""

    name: str
    image: Image.Image
    """As it is on disk."""
    target: Tensor
    """uint8 (H, W): 0 normal, 1 anomaly, 255 void."""
    maps: dict[Key, Tensor]
    """Of each score and temperature, (H, W), on the CPU."""


def scored_images(
    network: Network | Detector, images: BenchmarkImages, settings: Settings, indices: Iterable[int]
) -> list[Scored]:
    """Return single images of a benchmark with their score maps, but for those that the protocol leaves out.

    Args:
        network: any network, or a detector; its device may change.
        images: the benchmark.
        settings: what to compute.
        indices: which images.
    """
    protocol, found = find_protocol(settings.protocol), []
    for index in indices:
        sample = images[index]
        target = protocol.target(sample, images.benchmark)
        if target is not None:
            with ready(network, settings):
                maps = score_maps(network, protocol.input(sample, settings.size), settings)
            sized = {key: to_size_of(target, scores) for key, scores in maps.items()}
            found.append(Scored(sample.name, sample.image, target, sized))
    return found


def scored_photograph(
    network: Network | Detector, name: str, image: Image.Image, size: Size, settings: Settings
) -> Scored:
    """Return an image of which nobody knows the truth, with its score maps; call it inside ``ready``.

    Args:
        network: any network, or a detector.
        name: of the image.
        image: of any size.
        size: height and width at which the network sees it.
        settings: what to compute.

    Raises:
        ValueError: if a score is NaN, or the network fails on the device.
    """
    maps = score_maps(network, to_tensor(resize_image(image, size))[None], settings)
    return Scored(name, image, torch.full(size, IGNORE, dtype=torch.uint8), maps)


def examples(
    network: Network | Detector, images: BenchmarkImages, settings: Settings, count: int
) -> list[Scored]:
    """Return the first images that hold an anomaly, with their score maps, for a figure.

    Args:
        network: any network, or a detector; its device may change.
        images: the benchmark.
        settings: what to compute.
        count: how many images at the most.
    """
    with_anomaly = (index for index in range(len(images)) if (images[index].target == 1).any())
    return scored_images(network, images, settings, islice(with_anomaly, count))


def score_maps(network: Network | Detector, images: Tensor, settings: Settings) -> dict[Key, Tensor]:
    """Return the score maps (h, w) of one image (1, 3, h, w), on the CPU; call it inside ``ready``.

    Raises:
        ValueError: if a score is NaN, or the network fails on the device.
    """
    maps = {key: scores.cpu() for key, scores in score(network, images, settings).items()}
    for (name, _), scores in maps.items():
        check_numbers(scores, f"scores {name}")
    return maps


def per_image(
    network: Network | Detector, images: BenchmarkImages, settings: Settings, progress: bool = True
) -> pd.DataFrame:
    """Return the metrics of each image alone; images without anomalous or without normal pixels are left out.

    Args:
        network: any network, or a detector; its device may change.
        images: the benchmark.
        settings: what to compute.
        progress: whether to show a progress bar.

    Returns:
        One row per image and score: index, image, score, temperature; prevalence, auprc, fpr95 in percent.
    """
    rows = []
    for index in tqdm(range(len(images)), desc=images.name, unit="image", disable=not progress):
        for one in scored_images(network, images, settings, [index]):  # none if the protocol leaves it out
            valid = one.target != IGNORE
            is_anomaly = one.target[valid] == 1
            if not 0 < is_anomaly.sum() < is_anomaly.numel():
                continue
            for (name, temperature), values in one.maps.items():
                row = {"index": index, "image": one.name, "score": name, "temperature": temperature}
                row["prevalence"] = 100 * is_anomaly.double().mean().item()
                row["auprc"] = 100 * average_precision(values[valid], is_anomaly)
                row["fpr95"] = 100 * fpr_at_tpr(values[valid], is_anomaly)
                rows.append(row)
    return pd.DataFrame(rows)


def component_rows(
    network: Network | Detector, images: BenchmarkImages, settings: Settings, progress: bool = True
) -> list[dict]:
    """Return component metrics of each score on a benchmark, at the threshold with the best pixel F1.

    The threshold has seen the benchmark, as on the official leaderboard: the numbers say how good the objects
    can get, not what a threshold chosen beforehand would give.

    Args:
        network: any network, or a detector; its device may change.
        images: the benchmark; components that are too small to count are smaller where the masks are.
        settings: what to compute.
        progress: whether to show a progress bar.

    Returns:
        Of each score: benchmark, score, temperature, threshold; pixel_f1, siou, ppv, f1 in percent (higher is
        better, None without any component); true_components, predicted_components.

    Source: Chan et al., "SegmentMeIfYouCan", 2021, section 4.2.
    """
    streamed = measure(network, images, replace(settings, resamples=0), progress=progress)
    best = {key: found.best_f1() for key, found in streamed.items()}
    track = OBSTACLE_TRACK if images.benchmark.small_objects else ANOMALY_TRACK
    found: dict[Key, list[Components]] = {key: [] for key in best}
    for index in tqdm(range(len(images)), f"{images.name}, objects", disable=not progress, unit="image"):
        for one in scored_images(network, images, settings, [index]):  # none if the protocol leaves it out
            sizes = track.scaled_to(one.target.numel())
            for key, (threshold, _) in best.items():  # the threshold itself is flagged
                just_below = torch.tensor(threshold).nextafter(torch.tensor(-torch.inf)).item()
                found[key].append(components(one.maps[key], one.target, just_below, sizes))
    rows = []
    for key, (threshold, pixel_f1) in best.items():
        together = combine(found[key])
        row = {"benchmark": images.name, "score": key[0], "temperature": key[1], "threshold": threshold}
        numbers = {"pixel_f1": pixel_f1, "siou": together.siou, "ppv": together.ppv, "f1": together.f1}
        row |= {name: None if math.isnan(value) else 100 * value for name, value in numbers.items()}
        row["true_components"] = together.true_components
        row["predicted_components"] = together.predicted_components
        rows.append(row)
    return rows


def mean_score_maps(
    network: Network | Detector, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> dict[Key, Tensor]:
    """Return the mean score maps of ordinary images, for ``Controls``: what position alone tells.

    Args:
        network: any network, or a detector; its device may change.
        samples: validation images, without anomalies.
        settings: what to compute; images are resized to ``settings.size`` under every protocol.
        progress: whether to show a progress bar.
    """
    protocol = replace(find_protocol(settings.protocol), size="given")
    sums: dict[Key, Tensor] = {}
    with ready(network, settings):
        for sample in tqdm(samples, desc="position-only", unit="image", disable=not progress):
            maps = score_maps(network, protocol.input(sample, settings.size), settings)
            sums = {key: sums.get(key, 0) + scores for key, scores in maps.items()}
    return {key: total / len(samples) for key, total in sums.items()}
