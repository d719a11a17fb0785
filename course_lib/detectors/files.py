"""A detector as one file: the network's weights, banks, statistics and metadata; and as an ONNX file."""

import copy
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from course_lib import inference, models
from course_lib.detectors.detector import Detector, DistancePart, Recipe, ScorePart, Statistics
from course_lib.detectors.measures import FeatureBank
from course_lib.runtime import COMMAND, write_atomically

NETWORK, BANK = "network.", "bank."
"""What stands before the names of the network's tensors, and before the stride of a bank."""


def save_detector(detector: Detector, path: str | Path) -> None:
    """Write a detector as safetensors; an existing file is replaced only by a whole one.

    Weights that half precision holds exactly, as those of a checkpoint that was saved in it, take 2 bytes.

    Args:
        detector: as ``fit`` made it.
        path: the file to write, ``.safetensors``.

    Raises:
        ValueError: if its network is none of ``models.NETWORKS``, such as that of ``accelerated``.
        OSError: if the disk is full or the folder cannot be written; an old file is then left as it was.
    """
    path, network, metadata = Path(path), detector.network, detector.metadata
    if type(network) is not models.NETWORKS.get(metadata.model):
        raise ValueError(
            f"cannot save a detector of a {type(network).__name__}, which its metadata call "
            f"{metadata.model!r}; save it as it was fitted, of a network of models.NETWORKS"
        )
    state = {key: value for key, value in network.state_dict().items() if not network.is_auxiliary(key)}
    tensors = {NETWORK + key: _small(value.detach().cpu()) for key, value in state.items()}
    about: dict = {"recipe": asdict(detector.recipe), "statistics": detector.statistics, "banks": {}}
    for stride, bank in detector.banks.items():
        tensors[BANK + stride] = bank.directions.cpu()
        about["banks"][stride] = {"weights_digest": bank.weights_digest, "images_digest": bank.images_digest}
    facts = asdict(metadata) | {"num_classes": network.num_classes, "head": network.head_kind}
    written = {key: json.dumps(value) for key, value in (facts | {"detector": about}).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata=written))


def _small(tensor: Tensor) -> Tensor:
    """Return a tensor in half precision if that holds every number of it."""
    if not tensor.is_floating_point():
        return tensor.contiguous()
    half = tensor.half()
    return (half if torch.equal(half.to(tensor.dtype), tensor) else tensor).contiguous()


def is_detector(path: Path) -> bool:
    """Tell whether a file is one of ``save_detector``; its tensors are not read."""
    try:
        with safe_open(path, framework="pt") as file:
            return "detector" in (file.metadata() or {})
    except Exception:  # whatever it is, it is no detector; what reads it next says what is wrong
        return False


def load_detector(path: str | Path) -> Detector:
    """Return a detector, on the CPU and in evaluation mode; its scores are those of the one that was saved.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds something else, or a bank that was drawn with other weights.
    """
    path = Path(path)
    if path.suffix == ".safetensors" or not path.is_file():
        tensors, facts = models.read_safetensors(path)
    else:
        tensors, facts = {}, {}
    about = facts.pop("detector", None)
    if about is None:
        raise ValueError(
            f"{path} holds no detector; {COMMAND} detector --weights {path} fits one to a network"
        )
    metadata = models.metadata_from(facts, path)
    try:
        network = models.build(metadata.model, metadata.num_classes, metadata.head)
        network.drop_auxiliary()
        weights = {key: value for key, value in tensors.items() if key.startswith(NETWORK)}
        network.load_state_dict({key.removeprefix(NETWORK): value for key, value in weights.items()})
        models.flush_subnormal(network)
        banks = [
            FeatureBank(tensors[BANK + stride], int(stride), **digests)
            for stride, digests in about["banks"].items()
        ]
        parts = tuple(
            ScorePart(**part) if "score" in part else DistancePart(**part)
            for part in about["recipe"]["parts"]
        )
        recipe = Recipe(about["recipe"]["name"], parts)
        statistics = [Statistics(*pair) for pair in about["statistics"]]
        return Detector(recipe, network, metadata, banks, statistics)
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path} holds a detector that cannot be used: {reason}") from None


def export_onnx(detector: Detector, path: Path) -> None:
    """Write a detector into one ONNX file: RGB images in [0, 1] to scores of the same size.

    The file takes any number of images and every size whose sides are multiples of ``size_multiple``.

    Args:
        detector: on any device; it is left as it is.
        path: of the file, which is replaced.

    Raises:
        ValueError: if the packages are missing.
    """
    folded = copy.deepcopy(detector).cpu().accelerated(inference.Optimizations(fold=True))
    inference.write_onnx(folded, detector.size_multiple, path, "scores")
