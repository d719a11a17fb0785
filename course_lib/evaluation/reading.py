"""Decode and resize the next images while the network works on this one."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from course_lib.data import BenchmarkImages
from course_lib.evaluation import protocols
from course_lib.evaluation.settings import Settings

MOST_READERS = 4
"""Threads that decode images: enough to keep a GPU busy."""

BATCH_PIXELS = 4 * 128 * 256
"""Small images of one size are run through the network together, up to so many pixels: an eighth faster."""


class Prepared(NamedTuple):
    """An image that the network has not seen yet."""

    name: str
    picture: Image.Image | None
    """As it is on disk; None where nobody looks at it."""
    target: Tensor
    """uint8 (H, W): 0 normal, 1 anomaly, 255 void, as the protocol counts."""
    input: Tensor
    """float32 (1, 3, h, w)."""


def runs(count: int, settings: Settings) -> list[range]:
    """Return which images go through the network together: neighbours, of one size.

    They depend on nothing but these settings, so that however many processes share the work, each image is
    computed in the same company.

    Args:
        count: how many images there are.
        settings: protocol and size.
    """
    size = protocols.input_size(protocols.find(settings.protocol), settings.size)
    together = max(1, BATCH_PIXELS // (size[0] * size[1])) if size else 1  # native sizes differ
    return [range(start, min(start + together, count)) for start in range(0, count, together)]


def prepare(
    images: BenchmarkImages, index: int, settings: Settings, pictures: bool = True
) -> Prepared | None:
    """Read an image as the protocol wants it; None if that leaves it out.

    Args:
        images: the benchmark.
        index: which image.
        settings: protocol and size.
        pictures: whether to keep the image as it is on disk, which takes more memory than all else.

    Raises:
        ValueError: if a file is damaged; the message names it.
    """
    protocol = protocols.find(settings.protocol)
    sample = images[index]
    target = protocols.ground_truth(protocol, sample, images.name)
    if target is None:
        return None
    image = protocols.network_input(protocol, sample, settings.size)
    return Prepared(sample.name, sample.image if pictures else None, target, image)


def read_runs(
    images: BenchmarkImages, wanted: Sequence[range], settings: Settings, pictures: bool
) -> Iterator[list[Prepared | None]]:
    """Yield the images of each run, in order; errors are those of ``prepare``."""
    readers = idle_cores(settings.device)
    read = partial(prepare, images, settings=settings, pictures=pictures)
    indices = chain.from_iterable(wanted)
    ready = _read_ahead(read, indices, readers) if readers else map(read, indices)
    with contextlib.closing(ready) if readers else contextlib.nullcontext():
        for run in wanted:
            yield [next(ready) for _ in run]


def idle_cores(device: torch.device) -> int:
    """Return how many threads may read while the network computes: if all cores compute, none."""
    computing = torch.get_num_threads() if device.type == "cpu" else 1
    return max(0, min(MOST_READERS, (os.cpu_count() or 1) - computing))


def _read_ahead(
    read: Callable[[int], Prepared | None], indices: Iterable[int], readers: int
) -> Iterator[Prepared | None]:
    """Read in threads, one image ahead for each; Pillow lets others work meanwhile."""
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(readers) as pool:
        try:
            for index in indices:
                waiting.append(pool.submit(read, index))
                if len(waiting) > readers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
