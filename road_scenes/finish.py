"""From a painted canvas to a photograph: texture, haze and shadow on the ground, lens, rain, noise."""

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from road_scenes.canvas import NUMBER_OF, SUPERSAMPLING, Canvas

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


_SURFACES = {
    "building": ("medium", 0.05),
    "wall": ("fine", 0.09),
    "fence": ("fine", 0.06),
    "pole": ("fine", 0.03),
    "vegetation": ("leaves", 0.24),
    "sky": ("broad", 0.012),
    "person": ("fine", 0.06),
    "rider": ("fine", 0.05),
    "car": ("broad", 0.04),
    "truck": ("broad", 0.03),
    "bus": ("broad", 0.03),
    "train": ("broad", 0.03),
    "motorcycle": ("fine", 0.05),
    "bicycle": ("fine", 0.05),
    "void": ("medium", 0.06),
    "anomaly": ("broad", 0.05),
}
"""The kind of noise on each surface and its strength, as a share of the brightness."""

_GROUND = {"road": 0.055, "sidewalk": 0.06, "terrain": 0.16}
"""The strength of the texture on each kind of ground, which lies in perspective."""

_GRAINS_PER_METRE = 14
_GROUND_ENDS = 60.0
"""Beyond this distance in metres the texture of the ground is too fine to see."""


def finish(canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Develop the canvas.

    Args:
        canvas: everything is drawn; image and labels have ``SUPERSAMPLING`` times the final size.

    Returns:
        The image, uint8 (H, W, 3), and the labels, uint8 (H, W), as on the canvas.
    """
    labels = np.asarray(canvas.labels)[::SUPERSAMPLING, ::SUPERSAMPLING].copy()
    light = np.asarray(canvas.image.reduce(SUPERSAMPLING), dtype=np.float32)
    ahead, rows = _ground_distance(canvas, labels.shape)
    texture = 1 + canvas.rng.uniform(*canvas.style.texture) * _surface_texture(canvas, labels)
    texture *= _ground_light(canvas, labels, ahead, rows)
    light = _hazy_ground(canvas, light * texture[..., None], labels, ahead)
    return _photograph(canvas, light), labels


def _lookup(values: dict[str, float]) -> np.ndarray:
    """Return a table from label to value, float32 (256,), 0 where nothing is given."""
    table = np.zeros(256, dtype=np.float32)
    for name, value in values.items():
        table[NUMBER_OF[name]] = value
    return table


def _surface_texture(canvas: Canvas, labels: np.ndarray) -> np.ndarray:
    """Return the relative brightness that upright surfaces add, float32 (H, W), about 0."""
    texture = np.zeros(labels.shape, dtype=np.float32)
    for kind in ("fine", "medium", "leaves", "broad"):
        strength = canvas.rng.uniform(0.7, 1.3)
        amounts = {name: strength * amount for name, (own, amount) in _SURFACES.items() if own == kind}
        texture += _lookup(amounts)[labels] * noise_window(canvas.rng, kind, labels.shape)
    return texture


def _ground_distance(canvas: Canvas, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many metres ahead the ground of each row lies, (H,), and which rows show ground, (H,)."""
    camera = canvas.camera
    below = (np.arange(shape[0]) + 0.5) * SUPERSAMPLING - camera.horizon
    rows = below > camera.focal * camera.elevation / 1000
    return np.where(rows, camera.focal * camera.elevation / np.where(rows, below, 1), 1000.0), rows


def _ground_light(canvas: Canvas, labels: np.ndarray, ahead: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the factor on the brightness of the ground from its texture and from shadows, (H, W)."""
    camera, rng = canvas.camera, canvas.rng
    z = ahead[rows][:, None]
    columns = (np.arange(labels.shape[1]) + 0.5) * SUPERSAMPLING - camera.centre
    x = columns[None] * z / camera.focal - camera.bend / 2 * np.minimum(z, 80) ** 2
    down, right = (_GRAINS_PER_METRE / np.array([[4], [1]])).ravel()
    place = np.broadcast_to((down * z).astype(int), x.shape), (right * x).astype(int)
    noise = noise_at(rng, "medium", *place) + 0.7 * noise_at(rng, "leaves", place[0] // 8, place[1] // 8)
    amount = _lookup(_GROUND)[labels]
    factor = np.ones(labels.shape, dtype=np.float32)
    strength = rng.uniform(*canvas.style.texture) * np.clip(1 - z / _GROUND_ENDS, 0.15, 1)
    factor[rows] += amount[rows] * strength * noise
    soft = canvas.shade.reduce(SUPERSAMPLING).filter(ImageFilter.BoxBlur(1))
    return factor * (1 - (amount > 0) * np.asarray(soft, dtype=np.float32) / 255)


def _hazy_ground(canvas: Canvas, light: np.ndarray, labels: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Mix the haze into the ground, which was painted without it."""
    share = 1 - np.exp(-np.minimum(ahead, 300) / canvas.weather.sky.haze)[:, None]
    share = ((_lookup(_GROUND)[labels] > 0) * share)[..., None].astype(np.float32)
    return light * (1 - share) + np.array(canvas.weather.sky.horizon, dtype=np.float32) * share


def _photograph(canvas: Canvas, light: np.ndarray) -> np.ndarray:
    """Apply what lens, weather and sensor do to the whole picture; return uint8 (H, W, 3)."""
    rng, style = canvas.rng, canvas.style
    light = (light * _vignette(light.shape[:2], rng.uniform(0, 0.4)) - 128) * rng.uniform(
        *style.contrast
    ) + 128
    warmth = rng.uniform(*style.warmth)
    light *= np.array([1 + warmth, 1, 1 - warmth], dtype=np.float32)
    picture = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    if canvas.weather.sky.rain:
        _draw_rain(canvas, picture)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*style.blur)))
    sigma = rng.uniform(*style.noise)
    grains = [noise_window(rng, "fine", light.shape[:2]) for _ in range(3)]
    noisy = np.asarray(picture, dtype=np.float32) + sigma * np.stack(grains, axis=-1)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _vignette(shape: tuple[int, int], strength: float) -> np.ndarray:
    """Return a factor that falls from 1 in the middle to 1 - strength / 2 in the corners, (H, W, 1)."""
    up, across = (np.linspace(-0.5, 0.5, side, dtype=np.float32) ** 2 for side in shape)
    return (1 - strength * (up[:, None] + across[None]))[..., None]


def _draw_rain(canvas: Canvas, picture: Image.Image) -> None:
    """Draw short slanting streaks."""
    pen, rng = ImageDraw.Draw(picture, "RGBA"), canvas.rng
    for _ in range(picture.width * picture.height // 500):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, picture.height)
        pen.line([(x, y), (x - 1.5, y + 6)], fill=(214, 218, 222, 90))
