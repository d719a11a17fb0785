"""Detectors: recipes that turn a trained network into one score, from parts that have a common unit.

A part is a score of the logits or a distance to known features, smoothed or not. Its numbers mean nothing
beside those of another part, so each is counted in standard deviations from its mean on validation images.
Then they are added.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from course_lib import inference, scores
from course_lib.detectors.measures import FeatureBank, check_sigma, distance_to_known, smoothed
from course_lib.models import Metadata, Network, check_images, logits_and_scales
from course_lib.models.network import enlarge, pad_to_multiple
from course_lib.runtime import unknown_name


@dataclass(frozen=True)
class ScorePart:
    """A score of the logits, at temperature 1."""

    score: str
    """A name of ``scores.SCORES``."""
    sigma: float | None = None
    """Of the smoothing, in pixels at the network's size; None leaves it out."""

    def __post_init__(self) -> None:
        """Raise a ValueError if the score is unknown or sigma is not a positive number."""
        if self.score not in scores.SCORES:
            raise unknown_name("score", self.score, scores.SCORES)
        if self.sigma is not None:
            check_sigma(self.sigma)


@dataclass(frozen=True)
class DistancePart:
    """The distance to known features of the encoder's map at one stride."""

    stride: int
    """A key of the network's ``scale_modules``."""
    neighbours: int = 5
    sigma: float | None = None
    """Of the smoothing, in pixels at the network's size; None leaves it out."""

    def __post_init__(self) -> None:
        """Raise a ValueError if a number is out of range."""
        if self.stride < 1 or self.neighbours < 1:
            raise ValueError(f"stride and neighbours must be 1 or more, got {self.stride}, {self.neighbours}")
        if self.sigma is not None:
            check_sigma(self.sigma)


@dataclass(frozen=True)
class Recipe:
    """Which parts are added; the name stands in tables where those of scores stand."""

    name: str
    parts: tuple[ScorePart | DistancePart, ...]

    def __post_init__(self) -> None:
        """Raise a ValueError if there is no part, or a table could take the name for a score's."""
        if not self.parts:
            raise ValueError(f"recipe {self.name!r} has no part; give it one or more")
        if not self.name or self.name in scores.SCORES:
            raise ValueError(f"a recipe needs a name that is no score's, got {self.name!r}")

    @property
    def strides(self) -> tuple[int, ...]:
        """At which maps of the encoder are needed, finest first."""
        return tuple(sorted({part.stride for part in self.parts if isinstance(part, DistancePart)}))


_ENTROPY = ScorePart("max_entropy", sigma=4.0)

_ALL = (
    Recipe("smoothed_entropy", (_ENTROPY,)),
    Recipe("smoothed_max_logit", (ScorePart("max_logit", sigma=4.0),)),
    Recipe("neighbours", (DistancePart(8),)),
    Recipe("neighbours_and_entropy", (DistancePart(8), _ENTROPY)),
    Recipe("neighbours_16", (DistancePart(16),)),
    Recipe("neighbours_16_and_entropy", (DistancePart(16), _ENTROPY)),
    Recipe("neighbours_16_32_and_entropy", (DistancePart(16), DistancePart(32), _ENTROPY)),
)

RECIPES = {recipe.name: recipe for recipe in _ALL}
"""Every recipe by name. Distances are at 1/8, where every network has a map, unless the name says where."""


def find_recipe(recipe: str | Recipe) -> Recipe:
    """Return the recipe of a name; one that was put together by hand stays as it is.

    Raises:
        ValueError: if the name is unknown.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise unknown_name("recipe", recipe, RECIPES)
    return RECIPES[recipe]


class Statistics(NamedTuple):
    """Of a part's map over all pixels of the validation images."""

    mean: float
    std: float


class Detector(nn.Module):
    """A trained network with a recipe: RGB images in, one score per pixel out."""

    def __init__(
        self,
        recipe: Recipe,
        network: Network,
        metadata: Metadata,
        banks: Iterable[FeatureBank] = (),
        statistics: Sequence[Statistics] | None = None,
    ) -> None:
        """Put together what belongs together; ``fit`` makes all of it.

        Args:
            recipe: what to add.
            network: trained; it is put in evaluation mode and kept, not copied.
            metadata: of the network; its known classes take part in the scores.
            banks: one for each stride of the recipe.
            statistics: of each part; None leaves the parts in their own units.

        Raises:
            ValueError: if a bank is missing or too small, was drawn with other weights than the network's or
                from other images than another bank, or statistics do not fit.
        """
        super().__init__()
        self.recipe, self.metadata = recipe, metadata
        self.network = network
        self.banks = nn.ModuleDict({str(bank.stride): bank for bank in banks})
        self._check_banks()
        self.statistics = [Statistics(0, 1)] * len(recipe.parts) if statistics is None else list(statistics)
        if len(self.statistics) != len(recipe.parts) or not all(s.std > 0 for s in self.statistics):
            raise ValueError(
                f"{recipe.name} needs a mean and a positive standard deviation for each of its "
                f"{len(recipe.parts)} parts, got {self.statistics}"
            )
        self.eval()

    def train(self, mode: bool = True) -> "Detector":
        """Stay in evaluation mode: there is nothing to train, and dropout would change the scores."""
        return super().train(False)

    def _check_banks(self) -> None:
        """Raise a ValueError unless the banks are those of this recipe and this network."""
        entries = {int(stride): len(bank.directions) for stride, bank in self.banks.items()}
        for part in self.recipe.parts:
            if isinstance(part, DistancePart) and entries.get(part.stride, 0) < part.neighbours:
                raise ValueError(
                    f"{self.name} needs a bank of {part.neighbours} entries or more at 1/{part.stride}, got "
                    f"{entries.get(part.stride, 0)}"
                )
        for bank in self.banks.values():
            bank.check(self.network)
        if len({bank.images_digest for bank in self.banks.values()}) > 1:
            raise ValueError(f"the banks of {self.name} were drawn from different images; fit it again")

    @property
    def name(self) -> str:
        """What tables call its score: the name of the recipe."""
        return self.recipe.name

    @property
    def size_multiple(self) -> int:
        """Images whose sides are multiples of this are not padded; others are cropped again."""
        return self.network.size_multiple

    @property
    def checks_range(self) -> bool:
        """Whether images outside [0, 1] are refused."""
        return self.network.checks_range

    @checks_range.setter
    def checks_range(self, checks: bool) -> None:
        self.network.checks_range = checks

    def forward(self, images: Tensor) -> Tensor:
        """Return the score of every pixel.

        Args:
            images: RGB float in [0, 1], shape (N, 3, H, W), any size.

        Returns:
            Scores (N, H, W), any real number, in standard deviations; larger is more anomalous.

        Raises:
            ValueError: if the images have another shape, dtype or range.
        """
        return sum(self.standardised_maps(images))

    def standardised_maps(self, images: Tensor) -> list[Tensor]:
        """Return the map (N, H, W) of each part in standard deviations; the rest as of ``forward``."""
        return self.in_one_unit(self.part_maps(images))

    def in_one_unit(self, maps: Iterable[Tensor]) -> list[Tensor]:
        """Return the map of each part, given in its own unit, in standard deviations from its mean."""
        return [(part - mean) / std for part, (mean, std) in zip(maps, self.statistics, strict=True)]

    def part_maps(self, images: Tensor) -> list[Tensor]:
        """Return the map (N, H, W) of each part in its own unit; arguments and errors as of ``forward``."""
        check_images(images, check_range=self.checks_range)
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, self.size_multiple)
        logits, scales = logits_and_scales(self.network, padded, self.recipe.strides)
        return self.maps_of(logits[..., :height, :width], scales, padded.shape[-2:])

    def maps_of(
        self,
        logits: Tensor,
        scales: Mapping[int, Tensor],
        padded: Sequence[int],
        shrunk: float = 1.0,
        temperature: float = 1.0,
    ) -> list[Tensor]:
        """Return the map (N, H, W) of each part from what the network has made of images.

        Args:
            logits: (N, C, H, W).
            scales: by stride, the encoder's maps of the same images.
            padded: height and width of what the maps show, H and W or more; the rest is cropped.
            shrunk: H as a share of the height that the network saw; widths of smoothing follow it.
            temperature: of those scores that take one.
        """
        (height, width), logits, maps = logits.shape[-2:], logits.float(), []
        for part in self.recipe.parts:
            if isinstance(part, ScorePart):
                found = scores.score(part.score, logits, self.metadata.known_classes, temperature)
            else:
                bank = self.banks[str(part.stride)]
                distances = distance_to_known(scales[part.stride], bank, part.neighbours)
                found = enlarge(distances[:, None], padded)[:, 0, :height, :width]
            maps.append(found if part.sigma is None else smoothed(found, part.sigma * shrunk))
        return maps

    def accelerated(self, speed: str | inference.Optimizations = "fast") -> "Detector":
        """Return a detector that is used as this one is, and is faster; as ``inference.accelerate``.

        Raises:
            ValueError: if the name is unknown, or the speed is one that only a network alone can have.
        """
        chosen = inference.find_optimizations(speed)
        if chosen.cuda_graph or chosen.compiled:
            raise ValueError(
                "a detector runs neither compiled nor as a CUDA graph; choose plain, fast, bf16 or fp16"
            )
        network = inference.accelerate(self.network, chosen)
        if network is self.network:
            return self.eval()
        faster = copy.deepcopy(self).eval()
        faster.network = network
        return faster
