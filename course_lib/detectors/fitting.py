"""Fitting a detector: a bank of training images' features, then the numbers of validation images.

Nothing is trained, and no anomaly is ever seen.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.data import Sample, Size, resize_image, to_tensor
from course_lib.detectors.detector import Detector, DistancePart, Recipe, Statistics, find_recipe
from course_lib.detectors.measures import MOST_BYTES, FeatureBank, digest_of
from course_lib.models import Metadata, Network, logits_and_scales
from course_lib.models.network import pad_to_multiple

ENTRIES = 3000
"""Of a bank."""


def fit(
    recipe: str | Recipe,
    network: Network,
    metadata: Metadata,
    training_images: Sequence[Sample],
    validation_images: Sequence[Sample],
    size: Size | None = None,
    entries: int = ENTRIES,
    seed: int = 0,
    progress: bool = True,
) -> Detector:
    """Return a detector that is ready for use.

    Args:
        recipe: a name of ``RECIPES``, or one put together by hand.
        network: trained, on any device; it is put in evaluation mode and becomes the detector's.
        metadata: of the network.
        training_images: that the network has learnt from; only distances look at them.
        validation_images: that it has not; without anomalies, as the training images.
        size: height and width of the network's input; by default that of the training.
        entries: of each bank, as ``draw_banks``.
        seed: of the draw.
        progress: whether to show progress bars.

    Returns:
        The detector. Its ``metadata`` are the network's, but ``training`` has the recipe's name behind a
        plus: in a comparison it stands beside the network alone.

    Raises:
        ValueError: if there are no images, a bank is too small, the network has no map at a stride, or a part
            is the same everywhere.
    """
    recipe = find_recipe(recipe)
    size = tuple(size or metadata.size)
    if not len(validation_images):
        raise ValueError(f"{recipe.name} needs validation images to measure its parts on, got none")
    neighbours = max([part.neighbours for part in recipe.parts if isinstance(part, DistancePart)], default=0)
    if entries < neighbours:  # which would show only after all images
        raise ValueError(f"{recipe.name} counts {neighbours} neighbours; a bank of {entries} is too small")
    about = replace(metadata, training=f"{metadata.training}+{recipe.name}", size=list(size))
    banks: list[FeatureBank] = []
    if recipe.strides:
        banks = draw_banks(network, training_images, size, recipe.strides, entries, seed, progress)
    detector = Detector(recipe, network, about, banks)
    detector.statistics = _statistics(detector, validation_images, size, progress)
    return detector


@torch.no_grad()
def draw_banks(
    network: Network,
    images: Sequence[Sample],
    size: Size,
    strides: Sequence[int],
    entries: int = ENTRIES,
    seed: int = 0,
    progress: bool = True,
) -> list[FeatureBank]:
    """Return a bank for each stride, of features drawn at random, equally many from every image.

    Args:
        network: any network; it is put in evaluation mode.
        images: training images, without anomalies.
        size: height and width to which they are resized.
        strides: keys of the network's ``scale_modules``.
        entries: of each bank, at most; fewer where ``MOST_BYTES`` hold fewer. With more images than that, so
            many are drawn, too.
        seed: of the draw.
        progress: whether to show a progress bar.

    Raises:
        ValueError: if there are no images, no entries, or no map at a stride.
    """
    if not len(images) or entries < 1:
        raise ValueError(f"a bank needs training images and entries, got {len(images)} and {entries}")
    generator = torch.Generator().manual_seed(seed)
    multiple, device = network.eval().size_multiple, next(network.parameters()).device
    nothing = torch.zeros(1, 3, 2 * multiple, 2 * multiple, device=device)
    _, maps = logits_and_scales(network, nothing, strides)
    most = {stride: min(entries, MOST_BYTES // (2 * maps[stride].shape[1])) for stride in strides}
    chosen = torch.randperm(len(images), generator=generator)[: min(most.values())].sort().values.tolist()
    drawn: dict[int, list[Tensor]] = {stride: [] for stride in strides}
    pixels = hashlib.sha256()
    for index in tqdm(chosen, desc="bank", unit="image", disable=not progress):
        image = resize_image(images[index].image, size)
        pixels.update(f"{size}".encode() + image.tobytes())
        padded = pad_to_multiple(to_tensor(image)[None].to(device), multiple)
        _, maps = logits_and_scales(network, padded, strides)
        for stride, found in maps.items():
            height, width = (math.ceil(side / stride) for side in size)  # without what was padded
            places = found[0, :, :height, :width].flatten(1).T.float().cpu()
            share = most[stride] // len(chosen)
            drawn[stride].append(places[torch.randperm(len(places), generator=generator)[:share]])
    digests = digest_of(network), pixels.hexdigest()
    directions = {stride: F.normalize(torch.cat(parts), dim=1) for stride, parts in drawn.items()}
    return [FeatureBank(some.to(device), stride, *digests) for stride, some in directions.items()]


@torch.no_grad()
def _statistics(detector: Detector, images: Sequence[Sample], size: Size, progress: bool) -> list[Statistics]:
    """Return mean and standard deviation of each part over all pixels of some images."""
    device = next(detector.parameters()).device
    sums = torch.zeros(2, len(detector.recipe.parts), dtype=torch.float64)
    for index in tqdm(range(len(images)), desc="statistics", unit="image", disable=not progress):
        image = to_tensor(resize_image(images[index].image, size))[None].to(device)
        parts = torch.stack(detector.part_maps(image)).flatten(1).cpu().double()
        sums += torch.stack([parts.sum(dim=1), parts.square().sum(dim=1)])
    means, squares = sums / (len(images) * math.prod(size))
    found = []
    for part, mean, square in zip(detector.recipe.parts, means.tolist(), squares.tolist(), strict=True):
        std = math.sqrt(max(square - mean**2, 0)) if math.isfinite(square) else math.nan
        if not std > 1e-6 * abs(mean):  # rounding alone makes a little of a constant
            raise ValueError(f"{part} is the same everywhere on the validation images, or not finite")
        found.append(Statistics(mean, std))
    return found
