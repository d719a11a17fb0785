"""A photograph of the learner's own, scored: uploaded where a page has a button for it, a path elsewhere."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image, ImageOps

from course_lib import data, evaluation
from course_lib.lesson import figures
from course_lib.lesson.widgets.explorer import Explorer, View
from course_lib.models import Network


def own_photograph(network: Network, settings: evaluation.Settings, path: str | Path = "") -> Explorer:
    """Let a learner choose a photograph, and show it with its score maps.

    Without one it shows a generated scene, and says so.

    Args:
        network: any network; its device and mode may change.
        settings: known classes, device, scores and about how many pixels the network is to see.
        path: of a photograph, where nothing can be uploaded.

    Raises:
        FileNotFoundError, ValueError: if there is no photograph at ``path``.
    """
    first = _uploaded_in_colab() or _read(path)
    upload = ipywidgets.FileUpload(accept="image/*", multiple=False, description="photograph")

    def view(photograph: Any) -> View:
        name, image = _newest(photograph) or first or _scene()
        size = data.size_for(image, settings.size, network.size_multiple)
        with evaluation.ready(network, settings):
            scored = evaluation.scored_photograph(network, name, image, size, settings)
        numbers = {"photograph": name, "seen by the network at": f"{size[0]} x {size[1]} pixels"}
        return View(figures.score_panels([scored], with_truth=False), numbers)

    return Explorer("own photograph", {"photograph": upload}, view)


def _newest(uploaded: Any) -> tuple[str, Image.Image] | None:
    """Return the file that the button holds, if any: a tuple of files in ipywidgets 8, a dictionary in 7."""
    if isinstance(uploaded, Mapping):
        uploaded = [{"name": name, **file} for name, file in uploaded.items()]
    return _opened(uploaded[-1]["name"], bytes(uploaded[-1]["content"])) if uploaded else None


def _uploaded_in_colab() -> tuple[str, Image.Image] | None:
    """Ask for a file with Colab's own button, where widgets have none; None elsewhere or without a file."""
    try:
        from google.colab import files
    except ImportError:
        return None
    return next((_opened(name, content) for name, content in files.upload().items()), None)


def _read(path: str | Path) -> tuple[str, Image.Image] | None:
    """Return a file by its path, None for an empty one."""
    if not str(path):
        return None
    if not Path(path).is_file():
        raise FileNotFoundError(f"no photograph at {Path(path).resolve()}; check the path")
    return _opened(Path(path).name, Path(path).read_bytes())


def _opened(name: str, content: bytes) -> tuple[str, Image.Image]:
    """Return a photograph the right way up; cameras note how they were held."""
    try:
        image = Image.open(io.BytesIO(content))
        return name, ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{name} cannot be read as a photograph ({error}); take a png, jpg or webp"
        ) from None


def _scene() -> tuple[str, Image.Image]:
    """Return a generated scene with an anomaly."""
    sample = data.BenchmarkImages("mini_RoadAnomaly21")[4]
    return f"none yet: generated scene {sample.name}", sample.image
