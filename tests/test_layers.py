"""A module imports only from the floors below its own, and there are no circles."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = (
    {"labels", "runtime", "cluster"},
    {"notebooks"},
    {"scenes"},
    {"data", "models", "losses", "scores", "metrics", "fetching"},
    {"inference", "inventory"},
    {"evaluation", "profiling"},
    {"calibration", "training"},
    {"plots"},
    {"reports", "exercises"},
    {"widgets", "release", "handing_in", "lessons", "sweeps"},
    {"grading", "reproduce"},
    {"commands"},
    {"__main__"},
)
FLOOR_OF = {name: number for number, floor in enumerate(FLOORS) for name in floor}
FILES = sorted(path for path in (ROOT / "course_lib").rglob("*.py") if path.name != "__init__.py")
INIT_FILES = sorted((ROOT / "course_lib").rglob("*/__init__.py"))
MODULES = {".".join(path.relative_to(ROOT / "course_lib").with_suffix("").parts) for path in FILES}


def dotted(path):
    """Return the name of a module below course_lib: course_lib/models/enet.py is models.enet."""
    parts = path.relative_to(ROOT / "course_lib").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def course_imports(path):
    """Return the modules below course_lib that a file imports, by name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            if node.module == "course_lib":
                found |= {alias.name for alias in node.names}
            elif (node.module or "").startswith("course_lib."):
                package = node.module.removeprefix("course_lib.")
                inside = {f"{package}.{alias.name}" for alias in node.names} & MODULES
                found |= inside or {package}  # a package's own __init__ counts where no submodule is meant
        elif isinstance(node, ast.Import):
            found |= {
                a.name.removeprefix("course_lib.") for a in node.names if a.name.startswith("course_lib.")
            }
    return found


@pytest.mark.parametrize("path", FILES + INIT_FILES, ids=dotted)
def test_module_imports_only_from_lower_floors(path):
    home = dotted(path).split(".")[0]
    others = {name.split(".")[0] for name in course_imports(path)} - {home}
    too_high = {name for name in others if FLOOR_OF[name] >= FLOOR_OF[home]}
    assert not too_high, f"{dotted(path)} must not import {sorted(too_high)}"


def test_there_are_no_circles_inside_a_package():
    graph = {dotted(path): course_imports(path) for path in FILES + INIT_FILES}
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"circle: {' -> '.join([*open_, name])}"
        if name in graph and name not in done:
            open_.append(name)
            for imported in graph[name]:
                visit(imported)
            open_.pop()
            done.add(name)

    for name in graph:
        visit(name)


def test_no_file_is_two_things():
    long = {
        str(path): len(path.read_text().splitlines())
        for path in ROOT.glob("*/**/*.py")
        if not {".venv", "data", "results"} & set(path.relative_to(ROOT).parts)
    }
    assert {path: lines for path, lines in long.items() if lines > 250} == {}


def test_function_bodies_are_short():
    """The median is about 8 lines; none is above 30."""
    lengths = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body:
                    lengths[f"{dotted(path)}.{node.name}"] = body[-1].end_lineno - body[0].lineno + 1
    assert {name: n for name, n in lengths.items() if n > 30} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 8


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
    code = f"import sys, course_lib.commands.train; print(set({slow}) & sys.modules.keys())"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (process.stdout, process.stderr) == ("set()\n", "")
