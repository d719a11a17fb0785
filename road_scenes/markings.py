"""Patterns on coats, hulls and balls; none of them occurs on the clutter of training scenes."""

import numpy as np

from road_scenes.board import Pattern


def _bands(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Upright bands that waver, as on a zebra."""
    return np.sin(24 * across + 2 * np.sin(3 * up)) > 0.1


def _patches(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Large irregular patches, as on a cow."""
    return np.sin(4.1 * across + 1.3) * np.sin(5.3 * up + 2 * across) > 0.18


def _net(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Dark fields between light lines, as on a giraffe."""
    return (np.sin(9 * across + 2 * up) > -0.6) & (np.sin(9 * up - 2 * across) > -0.6)


def _dots(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Round dots in rows."""
    return (np.sin(14 * across) * np.sin(14 * up)) > 0.45


def _squares(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """A chessboard."""
    return (np.floor(across / 0.18) + np.floor(up / 0.18)) % 2 == 0


def _zigzag(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Lines that go up and down."""
    return (up + 0.12 * np.abs((across / 0.12) % 2 - 1)) % 0.26 < 0.11


TEXTURES: dict[str, Pattern] = {
    "bands": _bands,
    "patches": _patches,
    "net": _net,
    "dots": _dots,
    "squares": _squares,
    "zigzag": _zigzag,
}
"""Every texture of anomalies by name."""
