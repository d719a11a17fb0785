"""Training images in an order, and with an augmentation, that depend on seed, epoch and image alone.

Neither the number of workers nor an interruption changes what the network sees.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm.auto import tqdm

from course_lib.data import Augmentation, Sample, paste_pieces, resized_pair
from course_lib.labels import IGNORE, NUM_CLASSES, VOID, void_as_class
from course_lib.training import processes

CACHE_BYTES = 1_000_000_000
"""Training images that take no more than this are decoded and resized once, and kept in memory."""

GAP = -1
"""In place of an index: an image to be run through the network, but not to be learnt from."""


class TrainingImages(Dataset[tuple[Tensor, Tensor]]):
    """Images at the training size; each draw is augmented anew, and the same in every run."""

    def __init__(
        self,
        samples: Sequence[Sample],
        size: tuple[int, int],
        seed: int,
        num_classes: int = NUM_CLASSES,
        with_outliers: bool = False,
    ) -> None:
        """Read all images, with a progress bar, if they fit into ``CACHE_BYTES``.

        Args:
            samples: images with targets of train ids and 255.
            size: height and width in pixels.
            seed: of the augmentation.
            num_classes: 19, or 20 if void is a class to learn. What the augmentation shifts in from outside
                is never learnt: nobody labelled it void.
            with_outliers: whether to paste pieces of other images into each, ``OUTLIER`` in the target.

        Raises:
            ValueError: if a file is damaged; it is named.
        """
        self.samples, self.size, self.seed, self.num_classes = samples, size, seed, num_classes
        self.with_outliers = with_outliers
        self.augment = Augmentation(size)
        self.cache: tuple[Tensor, Tensor] | None = None
        if 4 * len(samples) * size[0] * size[1] <= CACHE_BYTES:  # three bytes of image, one of target
            shown = tqdm(range(len(samples)), desc="reading", unit="image", **processes.only_first_shows())
            pairs = [self.resized(index) for index in shown]
            # two tensors rather than hundreds: workers receive each through a file descriptor
            self.cache = tuple(torch.stack(parts) for parts in zip(*pairs, strict=True))

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self.samples)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return image float32 (3, H, W) in [0, 1] and target int64 (H, W) of (epoch, index)."""
        epoch, index = key
        if index == GAP:
            image, target = self[epoch, 0]
            return image, torch.full_like(target, IGNORE)
        image, target = self.resized(index)
        with torch.random.fork_rng(devices=[]):  # a GPU's generator is left alone
            torch.default_generator.manual_seed(mixed(self.seed, epoch, index))
            if self.with_outliers:
                image, target = paste_pieces(image, target, *self.resized(int(torch.randint(len(self), ()))))
            return self.augment(image, target)

    def resized(self, index: int) -> tuple[Tensor, Tensor]:
        """Return image (3, H, W) and target (H, W) of one index as uint8, before any augmentation."""
        if self.cache:
            images, targets = self.cache
            return images[index], targets[index]
        sample = self.samples[index]
        image, target = resized_pair(sample.image, sample.target, self.size)
        return image, void_as_class(target) if self.num_classes > VOID else target

    def class_counts(self) -> Tensor:
        """Return how many pixels each class has, int64 (``num_classes``,); what is no class is left out."""
        counts = torch.zeros(IGNORE + 1, dtype=torch.int64)
        share = range(processes.rank(), len(self), processes.count())
        shown = {"desc": "class shares", "unit": "image", "leave": False} | processes.only_first_shows()
        for index in tqdm(share, **shown):
            counts += torch.bincount(self.resized(index)[1].flatten().long(), minlength=IGNORE + 1)
        return processes.total(counts)[: self.num_classes]


def mixed(*numbers: int) -> int:
    """Return a seed from several numbers, below 2 ** 63; neighbours give unrelated seeds."""
    seed = 0
    for number in numbers:
        seed = (seed + number + 1) * 6364136223846793005 % 2**63  # Knuth's multiplier
        seed ^= seed >> 29
    return seed


class Batches(Sampler[list[tuple[int, int]]]):
    """The batches of a whole training, from any step on; every image comes once per epoch.

    Several processes share each batch, and all get equally many images, so that all take part in every
    exchange: a ``GAP`` stands where a batch does not suffice.
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

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield epoch and index of each image in this process's share of a batch."""
        for epoch in range(self.start // self.per_epoch, self.epochs):
            generator = torch.Generator().manual_seed(mixed(self.seed, epoch))
            order = torch.randperm(self.images, generator=generator).tolist()
            done = max(0, self.start - epoch * self.per_epoch)
            for first in range(done * self.batch, self.images, self.batch):
                keys = [(epoch, index) for index in order[first : first + self.batch]]
                keys += [(epoch, GAP)] * (-len(keys) % processes.count())
                yield keys[processes.rank() :: processes.count()]


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
        worker_init_fn=processes.ignore_interrupts,
        pin_memory=pinned,
        generator=torch.Generator(),  # else each start would draw from the global generator
    )
