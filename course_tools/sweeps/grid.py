"""A file that describes many training runs: what they share, and a grid of what differs."""

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from course_lib import models
from course_lib.runtime import PROJECT_ROOT, unknown_name
from course_lib.training import TrainingSettings, settings_for

NAMES = sorted({field.name for field in fields(TrainingSettings)} - {"device", "workers"})
"""The settings of a run that a file may give."""


@dataclass(frozen=True)
class Planned:
    """One training run of a sweep."""

    chosen: Mapping[str, Any]
    """What the grid chose for it, by the name of the setting."""
    settings: TrainingSettings

    @property
    def name(self) -> str:
        """Of its folder, such as ``term_weights=1,2_seed=0``."""
        return _named(self.chosen)

    @property
    def group(self) -> str:
        """The name without the seed: what repetitions share."""
        return _named(_repeated(self.chosen)) or self.settings.training

    @property
    def columns(self) -> dict[str, str]:
        """What the grid chose, as tables show it."""
        return {name: _shown(value) for name, value in self.chosen.items()}


@dataclass(frozen=True)
class Sweep:
    """A grid of training runs."""

    name: str
    profile: str
    runs: tuple[Planned, ...]
    baseline: str
    """The group that the others are compared with."""

    @property
    def folder(self) -> Path:
        """Where it keeps everything: a folder per run, and tables."""
        return models.results_folder(self.profile) / "sweeps" / self.name


def read_sweep(path: Path, device: torch.device) -> Sweep:
    """Read and check a file of runs before any of them starts.

    Args:
        path: TOML with a table ``[all]`` of settings of every run, a table ``[grid]`` (or several
            ``[[grid]]``) of lists, of which every combination is run, and at will ``[baseline]``, the choice
            that the others are compared with; by default the first. Names are those in ``NAMES``.
        device: that runs are computed on; it decides between the profile's numbers.

    Raises:
        FileNotFoundError: if there is no such file, or not the encoder that it names.
        ValueError: if it is no such file, a name is unknown, a package is missing, or a run is impossible or
            stands twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist: name a TOML file with [all] and [grid]") from None
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as TOML: {error}") from None
    for name, table in content.items():
        known = ("all", "grid", "baseline")
        if name not in known:
            raise unknown_name("table", name, known)
        if not isinstance(table, dict) and not (name == "grid" and isinstance(table, list)):
            raise ValueError(f"{path}: {name} must be a table, [{name}], got {table!r}")
    grids = content.get("grid", [])
    grids = [grids] if isinstance(grids, dict) else grids
    if not grids or not all(grids):
        raise ValueError(f"{path} has no [grid]: a table of lists, such as seed = [0, 1, 2]")
    for name, values in (item for grid in grids for item in grid.items()):
        if name == "profile":
            raise ValueError(f"{path}: put profile into [all]; runs on different data cannot be compared")
        if not isinstance(values, list) or not values:
            raise ValueError(f"{path}: {name} in [grid] must be a list of values, got {values!r}")
    runs = tuple(
        _planned(path, content.get("all", {}), dict(zip(grid, values, strict=True)), device)
        for grid in grids
        for values in itertools.product(*grid.values())
    )
    for first, second in itertools.combinations(runs, 2):
        if first.name == second.name:
            raise ValueError(f"{path}: the grid gives {first.name} twice")
        if first.settings == second.settings:
            raise ValueError(f"{path}: {first.name} and {second.name} are the same run")
    wanted = _repeated(content.get("baseline", runs[0].chosen))
    baseline = [run.group for run in runs if _repeated(run.chosen) == wanted]
    if not baseline:
        groups = "; ".join(dict.fromkeys(run.group for run in runs))
        raise ValueError(f"{path}: no run is the baseline {_named(wanted)}; there are {groups}")
    return Sweep(path.stem, runs[0].settings.profile, runs, baseline[0])


def _planned(path: Path, shared: Mapping[str, Any], chosen: dict[str, Any], device: torch.device) -> Planned:
    """Return one run with checked settings."""
    given = {"profile": "mini", "model": "erfnet"} | shared | chosen
    for name, value in given.items():
        if name not in NAMES:
            raise unknown_name(f"setting in {path}", name, NAMES)
        if isinstance(value, list):
            given[name] = tuple(value)
    try:
        if given.get("encoder") == models.IMAGENET:
            models.imagenet_encoder(given["model"])  # is it there?
        for name in ("encoder", "start"):
            if given.get(name, models.IMAGENET) != models.IMAGENET:
                file = PROJECT_ROOT / Path(given[name]).expanduser()  # relative paths count from there
                if not file.is_file():
                    raise FileNotFoundError(f"{path}: {name} {file} does not exist")
                given[name] = str(file)
        # dask's processes are daemons, which may not start others to prepare images
        return Planned(chosen, settings_for(device=device, workers=0, **given))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}, {_named(chosen)}: {error}") from None


def _repeated(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return a choice without the seed: runs that differ in it alone are repetitions of one another."""
    return {name: value for name, value in chosen.items() if name != "seed"}


def _named(chosen: Mapping[str, Any]) -> str:
    """Return a name for a choice that is a name of a folder on every system."""
    return "_".join(f"{name}={_shown(value)}" for name, value in chosen.items())


def _shown(value: Any) -> str:
    """Return a value as names and tables show it."""
    if isinstance(value, list):
        return ",".join(map(_shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    return Path(value).stem if isinstance(value, str) else str(value)
