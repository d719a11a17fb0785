"""Training images in an order, and with an augmentation, that depend on seed, epoch and image alone.

Neither the number of workers or processes nor an interruption changes what the network sees.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm.auto import tqdm

from course_lib.data import Augmentation, Sample, resized_pair
from course_lib.labels import IGNORE, NUM_CLASSES, VOID, void_as_class
from course_lib.training import ranks
from course_lib.training.interrupts import ignore_interrupts

CACHE_BYTES = 1_000_000_000
"""Training images that take no more than this are decoded and resized once, and kept in memory."""

Key = tuple[int, int]
"""Epoch and index of an image."""


class TrainingImages(Dataset[tuple[Tensor, Tensor]]):
    """Images at the training size; each draw is augmented anew, and the same in every run."""

    def __init__(
        self, samples: Sequence[Sample], size: tuple[int, int], seed: int, num_classes: int = NUM_CLASSES
    ) -> None:
        """Read all images, with a progress bar, if they fit into ``CACHE_BYTES``.

        Args:
            samples: images with targets of train ids and 255.
            size: height and width in pixels.
            seed: of the augmentation.
            num_classes: 19, or 20 if void is a class to learn. What the augmentation shifts in from outside
                is never learnt: nobody labelled it void.

        Raises:
            ValueError: if a file is damaged; it is named.
        """
        self.samples, self.size, self.seed, self.num_classes = samples, size, seed, num_classes
        self.augment = Augmentation(size)
        self.cache: tuple[Tensor, Tensor] | None = None
        if 4 * len(samples) * size[0] * size[1] <= CACHE_BYTES:  # three bytes of image, one of target
            shown = tqdm(range(len(samples)), desc="reading", unit="image", **ranks.only_first_shows())
            pairs = [self._pair(index) for index in shown]
            # two tensors rather than hundreds: workers receive each through a file descriptor
            self.cache = tuple(torch.stack(parts) for parts in zip(*pairs, strict=True))

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self.samples)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        """Return image float32 (3, H, W) in [0, 1] and target int64 (H, W) of (epoch, index)."""
        epoch, index = key
        image, target = self._cached(index)
        before = torch.get_rng_state()
        torch.default_generator.manual_seed(mixed(self.seed, epoch, index))  # a GPU's generator is left alone
        try:
            return self.augment(image, target)
        finally:
            torch.set_rng_state(before)

    def _cached(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a resized pair, from memory if it is there."""
        if self.cache is None:
            return self._pair(index)
        images, targets = self.cache
        return images[index], targets[index]

    def _pair(self, index: int) -> tuple[Tensor, Tensor]:
        """Decode and resize one image with its target, both uint8."""
        sample = self.samples[index]
        image, target = resized_pair(sample.image, sample.target, self.size)
        return image, void_as_class(target) if self.num_classes > VOID else target

    def class_counts(self) -> Tensor:
        """Return how many pixels each class has, int64 (``num_classes``,); what is no class is left out."""
        counts = torch.zeros(IGNORE + 1, dtype=torch.int64)
        share, shown = ranks.mine(range(len(self))), ranks.only_first_shows()
        for index in tqdm(share, desc="class shares", unit="image", leave=False, **shown):
            counts += torch.bincount(self._cached(index)[1].flatten().long(), minlength=IGNORE + 1)
        return ranks.total(counts)[: self.num_classes]


def mixed(*numbers: int) -> int:
    """Return a seed from several numbers, below 2 ** 63; neighbours give unrelated seeds."""
    seed = 0
    for number in numbers:
        seed = (seed + number + 1) * 6364136223846793005 % 2**63  # Knuth's multiplier
        seed ^= seed >> 29
    return seed


class Batches(Sampler[list[Key]]):
    """The batches of a whole training run, from any step on; every image comes once per epoch.

    Several processes share each batch. All get equally many images, so that all take part in every exchange:
    where a batch does not suffice its first image fills the gap, not to be learnt from (``own_images_in``).
    """

    def __init__(self, images: int, batch: int, epochs: int, seed: int, start: int = 0) -> None:
        """Only remember the numbers.

        Args:
            images: how many there are.
            batch: images per step; the last of an epoch may have fewer.
            epochs: how often each image comes.
            seed: of the order.
            start: the step to begin with.
        """
        self.images, self.batch, self.epochs, self.seed, self.start = images, batch, epochs, seed, start
        self.per_epoch = -(-images // batch)

    def __len__(self) -> int:
        """Return how many steps are left from ``start``."""
        return self.epochs * self.per_epoch - self.start

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield the keys of this process's share of each batch."""
        for epoch in range(self.start // self.per_epoch, self.epochs):
            generator = torch.Generator().manual_seed(mixed(self.seed, epoch))
            order = torch.randperm(self.images, generator=generator).tolist()
            done = max(0, self.start - epoch * self.per_epoch)
            for first in range(done * self.batch, self.images, self.batch):
                keys = [(epoch, index) for index in order[first : first + self.batch]]
                gaps = -len(keys) % ranks.count()
                yield ranks.mine(keys + keys[:1] * gaps)

    def images_in(self, step: int) -> int:
        """Return how many images the batch of a step has, over all processes."""
        return min(self.batch, self.images - step % self.per_epoch * self.batch)

    def own_images_in(self, step: int) -> int:
        """Return how many of them this process gets; what its share holds behind them fills a gap."""
        return len(ranks.mine(range(self.images_in(step))))


def loader(images: TrainingImages, batches: Batches, workers: int = 0, pinned: bool = False) -> DataLoader:
    """Return an iterable over (images (N, 3, H, W), targets (N, H, W)).

    Args:
        images: the data.
        batches: the order.
        workers: processes that prepare images; 0 does it in this one.
        pinned: whether to prepare for the copy to a GPU.
    """
    return DataLoader(
        images,
        batch_sampler=batches,
        num_workers=workers,
        worker_init_fn=ignore_interrupts,
        pin_memory=pinned,
        generator=torch.Generator(),  # else each start would draw from the global generator
    )
