"""The weights that come with the course, and those that were trained on this machine."""

import sys
from pathlib import Path

from course_lib.runtime import COMMAND, LIBRARY, PROJECT_ROOT, data_root, unknown_name

FOLDER = LIBRARY / "weights"
RESULTS = PROJECT_ROOT / "results"

PUBLIC_PROFILES = ("photos", "cityscapes")
"""Those in which public weights stand for the course's own."""

PUBLIC = {
    "erfnet": "erfnet_pretrained.pth",
    "enet": "enet_cityscapes.pth",
    "bisenetv2": "model_final_v2_city.pth",
} | {f"espnetv2_{size}": f"espnetv2_s_{size}_city_1024x512.pth" for size in ("0.5", "1.0", "1.5", "2.0")}
"""Cityscapes weights that others published, as ``fetch`` calls their files."""


def public_file(model: str) -> Path:
    """Return where the public weights of a network are once they are fetched.

    Raises:
        ValueError: if nobody published any.
    """
    if model not in PUBLIC:
        raise unknown_name("network with public weights", model, PUBLIC)
    return data_root() / "weights" / PUBLIC[model]


def public_source(model: str) -> str:
    """Return what ``fetch`` calls the public weights of a network."""
    return f"{model.partition('_')[0]}_weights"


def results_folder(profile: str) -> Path:
    """Return the folder of all that was made on this machine in a profile."""
    return RESULTS / profile


def run_folder(profile: str, model: str, training: str, seed: int) -> Path:
    """Return the folder in which a training run keeps its files, unless it is told another."""
    return results_folder(profile) / "runs" / f"{model}_{training}_seed{seed}"


def shipped_file(profile: str, model: str, training: str) -> Path:
    """Return where the shipped weights of a training are, if they were shipped at all."""
    return FOLDER / profile / f"{model}_{training}.safetensors"


def shipped_weights(profile: str, model: str, training: str = "ce") -> Path:
    """Return the file of shipped weights: ``<profile>/<model>_<training>.safetensors``.

    Where none were shipped, public ones that were fetched, if the profile has any; else those of a run of
    seed 0 on this machine; it says so, since it may be any run.

    Raises:
        ValueError: if there are none; the message says which to fetch, or names those that were shipped.
    """
    shipped = shipped_file(profile, model, training)
    trained = run_folder(profile, model, training, seed=0) / shipped.name
    # the last output of ESPNetv2, background, was trained as a class
    is_public = training == "ce" or (training == "void" and model.startswith("espnetv2"))
    is_public = is_public and profile in PUBLIC_PROFILES and model in PUBLIC
    for path in (shipped, *([public_file(model)] if is_public else ())):
        if path.is_file():
            return path
    if trained.is_file():
        print(
            f"{shipped.stem} was not shipped for {profile}; taking this machine's {trained}", file=sys.stderr
        )
        return trained
    if is_public:
        cure = f"{COMMAND} fetch {public_source(model)} fetches them"
        raise ValueError(f"no public weights of {model} at {public_file(model)}: {cure}")
    files = sorted(FOLDER.glob(f"{profile}/*.safetensors")) or sorted(FOLDER.glob("*/*.safetensors"))
    known = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in files]
    error = unknown_name("shipped weights", f"{profile}/{model}_{training}", known)
    trains = profile != "photos"
    made = f"; {COMMAND} train --profile {profile} --model {model} --training {training} makes them"
    raise ValueError(f"{error}{made if trains else ''}")
