"""Imports point downwards, between the packages and inside them, and there are no circles."""

import ast
import subprocess
import sys

import pytest
from small_data import ROOT

PACKAGES = ("road_scenes", "course_lib", "course_tools")
"""From the bottom up."""

FLOORS = {
    "road_scenes": (),  # a handful of files; no circles suffice
    "course_lib": (
        {"labels", "runtime"},
        {"data", "models", "losses", "scores", "metrics"},
        {"inference"},
        {"detectors"},
        {"deployment"},
        {"evaluation", "profiling"},
        {"calibration", "training"},
        {"lesson"},
    ),
    "course_lib.lesson": ({"notebooks", "figures"}, {"tables", "checks"}, {"widgets"}),
    "course_tools": (
        {"zips"},
        {"cluster", "result_store", "downloads"},
        {"demo"},
        {"dataset_check", "sweeps", "release", "submission", "pages"},
        {"grading", "reproduce", "ladder"},
        {"commands"},
        {"__main__"},
    ),
}
"""What a package holds, from the bottom up; things on one floor know nothing of each other."""

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def dotted(path):
    """Return the name of a module, of a package's __init__ that of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {dotted(path) for path in FILES}


def imports_of(path):
    """Return the modules of ours that a file imports, by name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES
            found |= inside or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in PACKAGES} & MODULES


def floor_of(name):
    """Return the package and the number of the floor of a module inside each package that has floors."""
    places = {}
    for package, floors in FLOORS.items():
        if floors and name.startswith(package + "."):
            part = name.removeprefix(package + ".").split(".")[0]
            (places[package],) = [(number, part) for number, floor in enumerate(floors) if part in floor]
    return places


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_imports_point_downwards(path):
    home, places = dotted(path), floor_of(dotted(path))
    for imported in imports_of(path):
        here, there = home.split(".")[0], imported.split(".")[0]
        assert PACKAGES.index(there) <= PACKAGES.index(here), f"{home} must not import {imported}"
        for package, (number, part) in floor_of(imported).items():
            if package in places and places[package][1] != part:
                assert number < places[package][0], f"{home} must not import {imported}"


def test_there_are_no_circles():
    graph = {dotted(path): imports_of(path) for path in FILES}
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"circle: {' -> '.join([*open_, name])}"
        if name not in done:
            open_.append(name)
            for imported in graph[name]:
                visit(imported)
            open_.pop()
            done.add(name)

    for name in graph:
        visit(name)


def test_lessons_import_from_course_lib_alone():
    for path in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        assert "course_tools" not in path.read_text(encoding="utf-8").replace("course_tools/", ""), path
        assert "road_scenes" not in path.read_text(encoding="utf-8"), path


def test_what_takes_seconds_to_load_waits_until_it_is_needed():
    """A command that only explains itself, and every worker and kernel, would pay for it."""
    slow = (
        "seaborn",
        "torchvision",
        "scipy.optimize",
        "scipy.stats",
        "torch.utils.tensorboard",
        "distributed",
    )
    code = f"import sys, course_tools.commands.train; print(set({slow}) & sys.modules.keys())"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (process.stdout, process.stderr) == ("set()\n", "")
