"""The page "Try it" of the site: its code bundled by npm, its networks exported, its scenes drawn.

What is made is kept in ``results/demo``, and made again only when what it is made of has changed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image

import road_scenes
from course_lib import data, deployment, detectors, labels, models, runtime
from course_tools.result_store import code_digest

FOLDER = runtime.PROJECT_ROOT / "results" / "demo"
"""For what is made: in ``npm`` packages and the bundle, in ``made-KEY`` what Python makes."""

FALSE_POSITIVE_RATE = 0.05
"""The share of pixels of ordinary images above the threshold with which the page begins."""

PROGRAM = "ort-wasm-simd-threaded"
"""How onnxruntime-web calls the program that runs in browsers, and the code that starts it."""

DRAWN = (
    "It learnt from 400 scenes that the course draws. On photographs most of what it says is wrong, "
    "however sure it looks."
)
PHOTOGRAPHED = (
    "It learnt from 367 photographs of streets around Cambridge (CamVid), 192 × 256 pixels small. On drawn "
    "scenes, and on photographs of anything but streets, most of what it says is wrong."
)


@dataclass(frozen=True)
class Exported:
    """A file that the page can run."""

    title: str
    profile: str
    """With ``model``: which shipped weights."""
    model: str
    warning: str
    """What the network was trained on, and what that means."""
    scores: Mapping[str, str]
    """By the name of a map in the file, what the page calls it."""
    recipe: str = ""
    """Of a detector; empty for a network alone."""
    smooth: float | None = None
    """As ``deployment.Plan`` takes it."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """By score; empty where the validation images are here to choose them."""


EXPORTED = {
    "detector": Exported(
        "Detector of lesson 7",
        "mini",
        "efficientnet_lite0",
        DRAWN,
        {"neighbours_16_32_and_entropy": "entropy and distance to what it knows"},
        recipe="neighbours_16_32_and_entropy",
    ),
    "erfnet": Exported(
        "ERFNet",
        "mini",
        "erfnet",
        DRAWN,
        {"msp": "maximum softmax probability", "max_logit": "maximum logit", "max_entropy": "entropy"},
    ),
    "photographs": Exported(
        "For photographs: EfficientNet-Lite0",
        "camvid",
        "efficientnet_lite0",
        PHOTOGRAPHED,
        {"max_entropy": "smoothed entropy"},
        smooth=4.0,
        thresholds={"max_entropy": 0.479},
    ),
}
"""By the name of the file, in the order of the page. The threshold that stands here was printed by ``export
--profile camvid --model efficientnet_lite0 --scores max_entropy --smooth 4 --false-positive-rate 0.05``."""

SCENES = {
    "A camel": ("RoadAnomaly21", 1003),
    "A zebra": ("RoadAnomaly21", 1005),
    "An ostrich and two chests": ("RoadAnomaly", 1000),
    "Two sailing boats": ("RoadAnomaly", 1005),
    "Two small chests far ahead": ("RoadObsticle21", 1005),
    "A chest at the kerb": ("FS_LostFound_full", 1003),
    "A barrel in the air": ("fs_static", 1003),
    "Nothing strange": ("fs_static", 1004),
}
"""Kind and seed by what is to be seen; the benchmarks have other seeds."""


def build(source: Path, output: Path) -> bool:
    """Put all that the page needs into a folder; tell whether that was possible.

    Without npm, or the network that npm needs once, there is no demo on this machine; a line says why.

    Args:
        source: the folder with ``package.json``.
        output: which is replaced.

    Raises:
        ValueError: if it is not possible on CI.
    """
    npm = shutil.which("npm")
    if npm is None:
        return _left_out("there is no npm; on Debian or Ubuntu: sudo apt-get install npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / ".lock"):  # two tests may want it at once
        try:
            bundle = _bundled(npm, source)
        except subprocess.CalledProcessError as error:
            return _left_out(f"npm failed: {' '.join(error.stderr.split())[:300]}")
        made = _made()
        shutil.rmtree(output, ignore_errors=True)
        for folder in (bundle, made):
            shutil.copytree(folder, output, dirs_exist_ok=True)
    path = output / "about.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["program"] = _file(output / f"{PROGRAM}.wasm")
    path.write_text(json.dumps(about), encoding="utf-8")
    return True


def _file(path: Path) -> dict:
    """Return what the page has to know to load a file."""
    return {"address": path.name, "bytes": path.stat().st_size}


def _left_out(reason: str) -> bool:
    """Return False, having said why; on CI raise a ValueError."""
    if os.environ.get("CI"):
        raise ValueError(f"the demo page cannot be built: {reason}")
    print(f"The site is built without its demo page: {reason}")
    return False


def _bundled(npm: str, source: Path) -> Path:
    """Return a folder with the bundled code and onnxruntime's program; new packages are installed."""
    work = FOLDER / "npm"
    work.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, work)
    stamp, wanted = work / "node_modules" / "installed", runtime.sha256_of(work / "package-lock.json")
    if not stamp.is_file() or stamp.read_text() != wanted:
        patience = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")  # a minute by default
        _run(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", *patience, folder=work)
        stamp.write_text(wanted)
    shutil.rmtree(work / "built", ignore_errors=True)
    _run(npm, "run", "build", "--silent", folder=work)
    programs = work / "node_modules" / "onnxruntime-web" / "dist"
    for suffix in ("wasm", "mjs"):
        shutil.copy(programs / f"{PROGRAM}.{suffix}", work / "built")
    return work / "built"


def _run(*command: str, folder: Path) -> None:
    """Run a program in a folder; what it prints is kept for its error."""
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, encoding="utf-8")


def _made() -> Path:
    """Return a folder with networks and scenes; they are made if anything that decides them has changed."""
    made = FOLDER / f"made-{_key()}"
    if not made.is_dir():
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            new = Path(folder) / "made"
            new.mkdir()
            _make(new)
            for old in FOLDER.glob("made-*"):
                shutil.rmtree(old)
            new.rename(made)
    return made


def _key() -> str:
    """Return a short name for all that networks and scenes are made of."""
    files = [Path(__file__), *(_weights(one) for one in EXPORTED.values())]
    decides = [runtime.package_versions(), code_digest(), *map(runtime.sha256_of, files)]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]


def _weights(one: Exported) -> Path:
    """Return the file that a network's weights are in."""
    return models.shipped_weights(one.profile, one.model)


def _make(folder: Path) -> None:
    """Export the networks, draw the scenes, and write ``about.json``, which lists them for the page."""
    networks, choices, scenes = {}, [], []
    for name, one in EXPORTED.items():
        path = folder / f"{name}.onnx"
        thresholds = export(one, path)
        networks[name] = _file(path) | {"size": deployment.DeployedFile(path).size}
        for score, words in one.scores.items():
            about = {"network": name, "score": score, "threshold": thresholds[score]}
            choices.append(about | {"label": f"{one.title}: {words}", "warning": one.warning})
    for number, (words, (kind, seed)) in enumerate(SCENES.items()):
        path = folder / f"scene_{number}.png"
        Image.fromarray(road_scenes.draw_anomaly(kind, seed).image).save(path)
        scenes.append({"file": path.name, "alt": words})
    about = {"networks": networks, "choices": choices, "scenes": scenes}
    about |= {"classes": labels.CLASS_NAMES, "palette": labels.PALETTE}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def export(one: Exported, path: Path, precision: str = "fp32") -> dict[str, float]:
    """Write a file; return its thresholds by score.

    Args:
        one: what it should do.
        path: of the file.
        precision: of ``deployment.PRECISIONS``; int8 measures its ranges on generated scenes.
    """
    network, metadata = models.load(one.model, _weights(one))
    train, validation = (_some(split) for split in ("train", "val"))
    subject, scores = network, tuple(one.scores)
    if one.recipe:
        subject, scores = detectors.fit(one.recipe, network, metadata, train, validation, progress=False), ()
    plan = deployment.Plan(tuple(metadata.size), scores, smooth=one.smooth, precision=precision)
    about = {"weights": _weights(one).name, "sha256": runtime.sha256_of(_weights(one))}
    seen = (data.to_tensor(data.resize_image(some.image, plan.size))[None] for some in train)
    deployment.build(subject, metadata, plan, path, about, seen)
    if one.thresholds:
        return dict(one.thresholds)
    ordinary = ((np.asarray(some.image), some.target.numpy() != labels.IGNORE) for some in validation)
    return deployment.ordinary_quantiles(deployment.DeployedFile(path), ordinary, FALSE_POSITIVE_RATE)[0]


def _some(split: str) -> list[data.Sample]:
    """Return every eighth generated scene of a split."""
    scenes = data.find_profile("mini").labelled(split)
    return [scenes[index] for index in range(0, len(scenes), 8)]
