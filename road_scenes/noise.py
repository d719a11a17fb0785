"""A pool of tiling noise pictures, made once from a fixed seed."""

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image

POOL_SIZE = (512, 1024)
"""Rows and columns of a noise picture; it tiles without a seam."""

_SEED = 12345
_OCTAVES = {
    "fine": ((1, 1.0), (2, 1.0), (4, 0.5)),
    "medium": ((3, 0.7), (6, 1.0), (14, 1.0)),
    "leaves": ((2, 0.8), (4, 1.2), (8, 0.8)),
    "broad": ((32, 1.0), (64, 1.2)),
}
"""For each kind of noise the sizes of its grains in pixels, with their weights."""


@lru_cache(maxsize=1)
def _pool() -> dict[str, np.ndarray]:
    """Return every noise picture, float32, mean 0, standard deviation 1."""
    generator = np.random.default_rng(_SEED)
    return {
        kind: _standardised(sum(w * _grains(generator, c) for c, w in _OCTAVES[kind])) for kind in _OCTAVES
    }


def _standardised(noise: np.ndarray) -> np.ndarray:
    """Shift and scale to mean 0 and standard deviation 1."""
    return (noise - noise.mean()) / noise.std()


def _grains(generator: np.random.Generator, cell: int) -> np.ndarray:
    """Return smooth noise with one grain in ``cell`` x ``cell`` pixels; padding makes it tile."""
    pad = 4
    grid = generator.standard_normal((POOL_SIZE[0] // cell, POOL_SIZE[1] // cell)).astype(np.float32)
    padded = Image.fromarray(np.pad(grid, pad, mode="wrap"))
    large = padded.resize((padded.width * cell, padded.height * cell), Image.Resampling.BICUBIC)
    inside = slice(pad * cell, pad * cell + POOL_SIZE[0]), slice(pad * cell, pad * cell + POOL_SIZE[1])
    return np.asarray(large)[inside]


def noise_window(rng: Random, kind: str, size: tuple[int, int]) -> np.ndarray:
    """Return noise of ``size`` (height, width) from a place drawn with ``rng``; float32, about N(0, 1)."""
    rows = (rng.randrange(POOL_SIZE[0]) + np.arange(size[0])) % POOL_SIZE[0]
    columns = (rng.randrange(POOL_SIZE[1]) + np.arange(size[1])) % POOL_SIZE[1]
    return _pool()[kind][rows[:, None], columns]


def noise_at(rng: Random, kind: str, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the noise at whole numbers (rows, columns), which wrap around; for warped textures."""
    down, right = rng.randrange(POOL_SIZE[0]), rng.randrange(POOL_SIZE[1])
    return _pool()[kind][(rows + down) % POOL_SIZE[0], (columns + right) % POOL_SIZE[1]]
