"""A file of ``build``, run by onnxruntime."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from course_lib import inference, metrics
from course_lib.deployment.graphs import ALARM, CLASSES, FACTS
from course_lib.models import Metadata, check_images

PIXELS_AN_IMAGE = 20_000
"""Of each validation image, drawn at random, for thresholds."""


@dataclass(frozen=True)
class Decision:
    """What a file says of one image; every map is (H, W), at the size of the image."""

    scores: dict[str, np.ndarray]
    """float32, by name; larger is more anomalous."""
    classes: np.ndarray
    """uint8: the train id of the known class that fits best."""
    alarms: dict[str, np.ndarray]
    """uint8, by the name of the score: 1 where it is above the threshold. Empty if the file has none."""


class DeployedFile(nn.Module):
    """A file that leads from pixels to a decision; it can be evaluated as a network or a detector is."""

    checks_range = True

    def __init__(self, path: str | Path) -> None:
        """Open a file; it takes as many threads as torch uses.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is no file of ``build``, or packages are missing.
        """
        super().__init__()
        self.session = inference.onnx_session(path)
        facts = self.session.get_modelmeta().custom_metadata_map.get(FACTS)
        if facts is None:
            raise ValueError(f"{path} was not made by the course's export; export it, then open that file")
        self.about = json.loads(facts)
        self.metadata = Metadata(**self.about["metadata"])
        self.size = tuple(self.about["plan"]["size"])
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.scores = [n for n in self.outputs if n != CLASSES and not n.endswith(ALARM)]
        self.size_multiple = 1  # the file brings every image to its own size

    def decide(self, pixels: np.ndarray) -> Decision:
        """Return what the file says of an image, uint8 RGB (H, W, 3) of any size.

        Raises:
            ValueError: if it has another shape or type.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise ValueError(f"need RGB pixels, uint8 (H, W, 3), got {pixels.dtype} of {pixels.shape}")
        found = dict(zip(self.outputs, self.session.run(None, {"image": pixels[None]}), strict=True))
        alarms = {name: found[name + ALARM] for name in self.scores if name + ALARM in found}
        return Decision({name: found[name] for name in self.scores}, found[CLASSES], alarms)

    def maps(self, images: Tensor) -> dict[tuple[str, float], Tensor]:
        """Return the map (H, W) of each score and temperature, of one image as networks take it.

        Args:
            images: float in [0, 1], (1, 3, H, W).
        """
        check_images(images)
        pixels = (images[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        decision = self.decide(np.ascontiguousarray(pixels))
        temperature = self.about["plan"]["temperature"]
        return {(name, temperature): torch.from_numpy(found) for name, found in decision.scores.items()}


def is_deployed(path: Path) -> bool:
    """Tell whether a file is to be opened as one of ``build``, by its name."""
    return path.suffix == ".onnx"


def ordinary_quantiles(
    file: DeployedFile, images: Iterable[tuple[np.ndarray, np.ndarray | None]], rate: float, seed: int = 0
) -> tuple[dict[str, float], dict[str, float]]:
    """Return, for each score, the threshold above which a share of ordinary pixels lies; and that share.

    The share is the asked one or less: where many pixels have one score, as in int8, it may be much less.

    Args:
        file: whose scores they are.
        images: ordinary ones, uint8 (H, W, 3), with a mask (H, W) of what counts; None counts all.
        rate: the share, the false positive rate, in (0, 1).
        seed: of the draw of ``PIXELS_AN_IMAGE`` pixels from each image.

    Raises:
        ValueError: if the rate is out of range, there is no image, or a score is not finite.
    """
    if not 0 < rate < 1:
        raise ValueError(f"the false positive rate must lie between 0 and 1, got {rate}")
    generator, drawn = np.random.default_rng(seed), {name: [] for name in file.scores}
    for pixels, counts in images:
        places = np.flatnonzero(np.ones(pixels.shape[:2], bool) if counts is None else counts)
        places = generator.permutation(places)[:PIXELS_AN_IMAGE]
        for name, scores in file.decide(pixels).scores.items():
            drawn[name].append(scores.ravel()[places])
    if not any(map(len, next(iter(drawn.values())))):
        raise ValueError("a threshold needs validation images with ordinary pixels, got none")
    thresholds, shares = {}, {}
    for name, found in drawn.items():
        values = np.concatenate(found)
        if not np.isfinite(values).all():
            raise ValueError(f"{name} is not finite in some pixels of the validation images; try fp32")
        thresholds[name] = metrics.threshold_at_fpr(torch.from_numpy(values), rate)
        shares[name] = float((values > np.float32(thresholds[name])).mean())
    return thresholds, shares
