"""A file that describes many training runs: what they share, and a grid of what differs."""

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from course_lib import models
from course_lib.runtime import PROJECT_ROOT, unknown_name
from course_lib.training import TrainingSettings, settings_for

KINDS: dict[str, tuple[type, ...]] = {
    "profile": (str,),
    "model": (str,),
    "training": (str,),
    "encoder": (str,),
    "precision": (str,),
    "learning_rate": (float, int),
    "term_weights": (list,),
    "size": (list,),
    **dict.fromkeys(("batch", "epochs", "seed", "accumulate", "validate_every", "checkpoint_every"), (int,)),
}
"""The settings of a run that a file may give, and what each must be."""

WORDS = {str: "a text", float: "a number", int: "a whole number", list: "a list of numbers"}
"""How the message calls each kind."""

TABLES = ("all", "grid", "baseline")

SEED = "seed"
"""Runs that differ in this alone are repetitions of one another."""


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
        return _named(self.repeated) or self.settings.training

    @property
    def repeated(self) -> dict[str, Any]:
        """The choice without the seed."""
        return {name: value for name, value in self.chosen.items() if name != SEED}


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
            that the others are compared with; by default the first. Names are those of ``KINDS``.
        device: that runs are computed on; it decides between the profile's numbers.

    Raises:
        FileNotFoundError: if there is no such file, or not the encoder that it names.
        ValueError: if it is no such file, a name is unknown, or a run is impossible or stands twice.
    """
    content = _read(path)
    shared = content.get("all", {})
    if "profile" in (key for grid in _grids(content) for key in grid):
        raise ValueError(f"{path}: put profile into [all]; runs on different data cannot be compared")
    runs = tuple(_planned(path, shared, chosen, device) for chosen in _choices(path, content))
    names = [run.name for run in runs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path}: the grid gives {', '.join(sorted(twice))} twice")
    for first, second in itertools.combinations(runs, 2):
        if first.settings == second.settings:
            raise ValueError(f"{path}: {first.name} and {second.name} are the same run")
    return Sweep(path.stem, runs[0].settings.profile, runs, _baseline(path, content, runs))


def _read(path: Path) -> dict[str, Any]:
    """Return the tables of a file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist: name a TOML file with [all] and [grid]") from None
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as TOML: {error}") from None
    for name, table in content.items():
        if name not in TABLES:
            raise unknown_name("table", name, TABLES)
        if not isinstance(table, dict) and not (name == "grid" and isinstance(table, list)):
            raise ValueError(f"{path}: {name} must be a table, [{name}], got {table!r}")
    if not _grids(content) or not all(_grids(content)):
        raise ValueError(f"{path} has no [grid]: a table of lists, such as seed = [0, 1, 2]")
    return content


def _baseline(path: Path, content: Mapping[str, Any], runs: tuple[Planned, ...]) -> str:
    """Return the group that the file names as baseline, else the first."""
    wanted = content.get("baseline", runs[0].repeated)
    for run in runs:
        if run.repeated == {name: value for name, value in wanted.items() if name != SEED}:
            return run.group
    groups = "; ".join(dict.fromkeys(run.group for run in runs))
    raise ValueError(f"{path}: no run is the baseline {_named(wanted)}; there are {groups}")


def _grids(content: Mapping[str, Any]) -> list[dict[str, list]]:
    """Return the grids: one table, or several."""
    grids = content.get("grid", [])
    return [grids] if isinstance(grids, dict) else grids


def _choices(path: Path, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every combination of every grid."""
    for grid in _grids(content):
        for name, values in grid.items():
            if not isinstance(values, list) or not values:
                raise ValueError(f"{path}: {name} in [grid] must be a list of values, got {values!r}")
        for values in itertools.product(*grid.values()):
            yield dict(zip(grid, values, strict=True))


def _planned(path: Path, shared: Mapping[str, Any], chosen: dict[str, Any], device: torch.device) -> Planned:
    """Return one run with checked settings."""
    given = {"profile": "mini", "model": "erfnet"} | shared | chosen
    for name, value in given.items():
        _check(path, name, value)
    if "encoder" in given:
        given["encoder"] = str(_existing(path, given["encoder"]))
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    try:
        return Planned(chosen, settings_for(device=device, **given | lists))
    except ValueError as error:
        raise ValueError(f"{path}, {_named(chosen)}: {error}") from None


def _check(path: Path, name: str, value: Any) -> None:
    """Raise a ValueError for a setting that does not exist or has the wrong type."""
    if name not in KINDS:
        raise unknown_name(f"setting in {path}", name, KINDS)
    numbers = value if isinstance(value, list) else []
    if not isinstance(value, KINDS[name]) or isinstance(value, bool) or not all(map(_is_number, numbers)):
        raise ValueError(f"{path}: {name} must be {WORDS[KINDS[name][0]]}, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _existing(path: Path, file: str) -> Path:
    """Return the path of a file; relative ones count from the project's root."""
    found = PROJECT_ROOT / Path(file).expanduser()
    if not found.is_file():
        raise FileNotFoundError(f"{path}: the encoder {found} does not exist")
    return found


def _named(chosen: Mapping[str, Any]) -> str:
    """Return a name for a choice that is a name of a folder on every system."""
    return "_".join(f"{name}={shown(value)}" for name, value in chosen.items())


def shown(value: Any) -> str:
    """Return a value as names and tables show it."""
    if isinstance(value, list):
        return ",".join(map(shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    return Path(value).stem if isinstance(value, str) else str(value)
