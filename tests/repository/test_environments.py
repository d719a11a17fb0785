"""conda, Binder, Colab and pip get the course from one list of packages, that of pyproject.toml."""

import re
import subprocess
import sys
import tomllib

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from small_data import ROOT

from course_tools import release

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES = ("environment.yml", "binder/environment.yml")
SOURCE = ROOT / "solutions" / "template.ipynb"
ADDRESS = "https://example.org/course.git"


def dependencies(name):
    """Return the plain packages of a conda file, and the lines that it hands to pip."""
    listed = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["dependencies"]
    for_pip = [line for entry in listed if isinstance(entry, dict) for line in entry["pip"]]
    return [entry for entry in listed if isinstance(entry, str)], for_pip


def extras_in(text):
    """Return the extras that an installation of this folder asks for."""
    (asked,) = re.findall(r'(?:-e|--editable) "?\.\[([\w,]+)\]', text)
    return asked.split(",")


@pytest.mark.parametrize("name", FILES)
def test_a_conda_file_lists_python_and_pip_and_nothing_twice(name):
    plain, _ = dependencies(name)
    (python,) = [entry.partition("=")[2] for entry in plain if entry.startswith("python")]
    assert sorted(entry.partition("=")[0] for entry in plain) == ["pip", "python"]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.0")


def test_conda_and_binder_install_extras_that_exist():
    _, (line,) = dependencies("environment.yml")
    assert dependencies("binder/environment.yml")[1] == []
    post_build = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    assert extras_in(line) == ["dev"] and extras_in(post_build) == ["lab", "grading"]
    assert {"dev", "lab", "grading"} <= PROJECT["optional-dependencies"].keys()


def test_binder_runs_files_that_exist():
    path = ROOT / "binder" / "postBuild"
    assert path.stat().st_mode & 0o100, "Binder executes it"
    scripts = re.findall(r"python (\S+\.py)", path.read_text(encoding="utf-8"))
    assert scripts and all((ROOT / script).is_file() for script in scripts)


@pytest.mark.parametrize(("package", "there"), [("torch", "2.6"), ("ipywidgets", "7.7.1")])
def test_what_a_hosted_notebook_needs_as_it_is_is_not_replaced(package, there):
    """Pip keeps what satisfies a requirement, so ours must be open above."""
    (ours,) = [line for line in map(Requirement, PROJECT["dependencies"]) if line.name == package]
    assert {specifier.operator for specifier in ours.specifier} == {">="} and ours.specifier.contains(there)


def test_a_wheel_takes_along_all_three_packages_and_every_data_file_in_them():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert tool["packages"]["find"]["include"] == ["course_lib*", "course_tools*", "road_scenes*"]
    assert not [path for path in DATA_FILES if not any(path.match(glob) for glob in _globs(tool))]
    for name in ("course_lib", "course_tools", "road_scenes"):
        folders = {path.parent for path in (ROOT / name).rglob("*.py")}
        assert all((folder / "__init__.py").is_file() for folder in folders), "else setuptools leaves it out"


DATA_FILES = [
    path.relative_to(ROOT)
    for name in ("course_lib", "course_tools", "road_scenes")
    for path in (ROOT / name).rglob("*.*")
    if path.is_file() and path.suffix not in (".py", ".pyc")
]


def _globs(tool):
    """Return the patterns of data files, from the root."""
    return [f"{name}/{glob}" for name, globs in tool["package-data"].items() for glob in globs]


@pytest.fixture
def calls(monkeypatch):
    """What the set-up cell starts, in a Python without the course."""
    started = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: started.append((command, options)))
    monkeypatch.setitem(sys.modules, "course_lib", None)
    return started


def set_up_cell(address):
    """Return the first code cell of a released lesson."""
    released = nbformat.reads(release.student_version(SOURCE, address), as_version=4)
    return next(cell.source for cell in released.cells if cell.cell_type == "code")


def test_a_lesson_alone_installs_the_course_from_the_repository(calls):
    exec(set_up_cell(ADDRESS), {})
    command = [sys.executable, "-m", "pip", "install", "--quiet", f"git+{ADDRESS}"]
    assert calls == [(command, {"check": True})]


def test_a_lesson_alone_says_what_to_do_while_the_repository_has_no_address(calls):
    with pytest.raises(ModuleNotFoundError, match=r"start\.py lab.* On Colab .*%pip install NAME\.zip"):
        exec(set_up_cell(""), {})
    assert calls == []


def test_a_lesson_beside_the_course_installs_nothing(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was started"))
    exec(set_up_cell(ADDRESS), {})


def test_the_address_of_the_repository_stands_in_pyproject_alone(tmp_path):
    text = '[project]\nname = "x"\n[project.urls]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert release.repository(tmp_path) == ""
    (tmp_path / "pyproject.toml").write_text(f'{text}Repository = "{ADDRESS}"\n')
    assert release.repository(tmp_path) == ADDRESS
    assert f"git+{release.repository()}" in set_up_cell(None) or release.repository() == ""


@pytest.mark.parametrize(
    ("folder", "alone"), [("site-packages", True), ("dist-packages", True), ("a", False)]
)
def test_the_root_is_the_current_folder_only_for_a_library_that_came_alone(tmp_path, folder, alone):
    """In the sandbox of grading the library lies in its place, and nothing else of the project is seen."""
    copy = tmp_path / folder / "course_lib"
    copy.mkdir(parents=True)
    for name in ("__init__.py", "runtime.py"):
        (copy / name).write_bytes((ROOT / "course_lib" / name).read_bytes())
    code = "from course_lib import runtime; print(runtime.PROJECT_ROOT, runtime.LIBRARY, sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(copy.parent), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{tmp_path if alone else copy.parent}|{copy}"
