"""Options that several commands share, each defined once, and what is made of them."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from course_lib import data, evaluation, inference, models, runtime
from course_lib.deployment import DeployedFile, is_deployed
from course_lib.detectors import Detector, is_detector, load_detector
from course_lib.labels import VOID
from course_lib.scores import SCORES

DEFAULT_SCORES = list(evaluation.Settings().scores)

WEIGHTS_OR_DETECTOR = (
    "our .safetensors, a network's or a detector's, an exported .onnx, or a public .pth "
    "(default: shipped ones, by --profile and --training)"
)

# fmt: off
SHARED = {
    "--model": {"choices": models.NETWORKS, "help": "(default: the profile's)"},
    "--weights": {"type": Path, "metavar": "FILE",
        "help": "our .safetensors or a public .pth (default: shipped ones, by --profile and --training)"},
    "--profile": {"default": "mini", "choices": data.PROFILES,
        "help": "which shipped weights (default: %(default)s)"},
    "--training": {"default": "ce", "metavar": "NAME",
        "help": "which shipped weights (default: %(default)s)"},
    "--class-order": {"choices": models.CLASS_ORDERS,
        "help": "of the outputs of a public file (default: train-id)"},
    "--score": {"nargs": "+", "default": DEFAULT_SCORES, "dest": "scores", "metavar": "NAME",
        "help": f"of {', '.join(SCORES)} (default: {' '.join(DEFAULT_SCORES)})"},
    "--protocol": {"default": "benchmark", "choices": evaluation.PROTOCOLS,
        "help": "benchmark is right, peer and paper reproduce published figures (default: %(default)s)"},
    "--size": {"nargs": 2, "type": int, "metavar": ("H", "W"),
        "help": "of the input (default: the checkpoint's; 512 1024 for public weights)"},
    "--validation": {"choices": data.SEGMENTATION_SETS, "help": "also measure mean IoU on its val split"},
    "--bootstrap": {"type": int, "default": 1000, "metavar": "N",
        "help": "resamples behind the intervals, 0 for none (default: %(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of the bootstrap (default: %(default)s)"},
    "--device": {"default": "auto", "help": "auto, cpu, cuda or mps (default: %(default)s)"},
    "--speed": {"default": "plain", "choices": inference.SPEEDS,
        "help": "fast is float32 with the same result but for rounding; bf16 and fp16 are less exact "
        "(default: %(default)s)"},
}
# fmt: on


def add(described: argparse._ActionsContainer, *names: str, **changed: object) -> None:
    """Add shared options to a parser or a group of one.

    Args:
        described: the parser.
        names: keys of ``SHARED``.
        changed: what is another than there, for all of them: ``default`` or ``help``, for example.
    """
    for name in names:
        described.add_argument(name, **SHARED[name] | changed)


def load_network(options: argparse.Namespace) -> tuple[models.Network, models.Metadata, Path]:
    """Return the network that the options name, its metadata and its file."""
    profile = data.find_profile(options.profile or "mini")
    model = options.model or profile.network
    weights = options.weights or models.shipped_weights(profile.name, model, options.training)
    return *models.load(model, weights, options.class_order), weights


def load_network_or_detector(
    options: argparse.Namespace,
) -> tuple[evaluation.Scorer, models.Metadata, Path]:
    """Return what the options name, its metadata and its file.

    Raises:
        ValueError: as ``load``; also if options say what the recipe of a detector has decided.
    """
    if not (options.weights and (is_detector(options.weights) or is_deployed(options.weights))):
        return load_network(options)
    defaults = {
        "score": ("scores", DEFAULT_SCORES),
        "temperature": ("temperatures", [1.0]),
        "keep-void-channel": ("keep_void_channel", False),
        "class-order": ("class_order", None),
    }
    for option, (name, default) in defaults.items():
        if vars(options).get(name, default) != default:
            what = "was exported" if is_deployed(options.weights) else "holds a detector"
            raise ValueError(f"{options.weights} {what} with its own score; leave --{option} out")
    return *load(options.model, options.weights), options.weights


def load(model: str | None, path: Path) -> tuple[evaluation.Scorer, models.Metadata]:
    """Return the network or the detector in a file, and its metadata.

    Args:
        model: the network that it has to be; a detector may be of any if it is None.
        path: of the file.
    """
    if not is_detector(path) and not is_deployed(path):
        return models.load(model, path)
    found = DeployedFile(path) if is_deployed(path) else load_detector(path)
    if model not in (None, found.metadata.model):
        what = "was exported from" if is_deployed(path) else "holds a detector of"
        raise ValueError(
            f"{path} {what} {found.metadata.model}, not {model}; say --model {found.metadata.model}"
        )
    return found, found.metadata


def settings_of(
    options: argparse.Namespace,
    metadata: models.Metadata,
    network: evaluation.Scorer,
    **chosen: object,
) -> evaluation.Settings:
    """Return the checked settings for one network or detector, from the options that its command has.

    Args:
        options: of a command; those that it lacks stay at their defaults, as do scores beside a detector.
        metadata: of the network.
        network: for the number of its outputs.
        chosen: other settings.
    """
    given = vars(options)
    if isinstance(network, (Detector, DeployedFile)):
        given = given | {"scores": ()}
    if isinstance(network, DeployedFile):
        if given.get("size") or given.get("protocol", "benchmark") != "benchmark":
            raise ValueError(
                "an exported file brings images to its own size; leave --size and --protocol out"
            )
        chosen["size"] = network.size
    keep_void = given.get("keep_void_channel")
    asked = {"the void score": "void" in given.get("scores", ()), "--keep-void-channel": keep_void}
    for what, is_asked in asked.items():
        if is_asked and network.num_classes != VOID + 1:
            raise ValueError(
                f"{what} needs {VOID + 1} outputs, these weights have {network.num_classes}: use a network "
                "trained with void"
            )
    if keep_void:
        print("The 20th output (void; of ESPNetv2: background) takes part in the softmax of every score.")
        chosen["known_classes"] = (*metadata.known_classes, VOID)
    common = {name: given.get(name) for name in ("protocol", "seed", "speed")}
    common |= {name: tuple(given.get(name) or ()) or None for name in ("scores", "size")}
    common |= {"resamples": given.get("bootstrap"), "device": runtime.choose_device(options.device)}
    return evaluation.Settings.of(metadata, **common | chosen)


def mean_iou(
    validation: str | None, network: evaluation.Scorer, settings: evaluation.Settings
) -> tuple[float, int] | None:
    """Return mean IoU, a fraction, and the number of classes in it on a val split; None if none was named."""
    if not validation:
        return None
    if isinstance(network, DeployedFile):
        raise ValueError("an exported file gives no logits to measure mean IoU on; leave --validation out")
    network = network.network if isinstance(network, Detector) else network
    counts = evaluation.confusion(network, data.SEGMENTATION_SETS[validation]("val"), settings)
    return counts.mean_iou(), len(counts.iou())


def check_suffix(path: Path | None, suffix: str) -> None:
    """Raise a ValueError if a file is to be written that ends in something else."""
    if path is not None and path.suffix != suffix:
        raise ValueError(f"{path} must end in {suffix}")


def check_writable(paths: Iterable[Path]) -> None:
    """Make the folders of the files, and leave the files as they were.

    Raises:
        ValueError: if a file could not be written.
    """
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            existed = path.exists()
            path.open("a").close()
            if not existed:
                path.unlink()
        except OSError as error:
            raise ValueError(f"cannot write {path} ({error.strerror}); choose another place") from None
