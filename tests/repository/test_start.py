"""start.py sets up once, again when it must, and explains itself where it cannot."""

import ast
import importlib.util
import subprocess
import sys

import pytest
from small_data import ROOT


@pytest.fixture
def start(tmp_path, monkeypatch):
    """start.py as a module that believes to live in an empty folder, and records what it would run."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    for name, path in (
        ("ROOT", tmp_path),
        ("VENV", tmp_path / ".venv"),
        ("STAMP", tmp_path / ".venv" / "stamp"),
    ):
        monkeypatch.setattr(module, name, str(path))
    module.ran, module.failing = [], ()

    def call(command, **options):
        module.ran.append(" ".join(command[1:]))
        if command[1:3] == ["-m", "venv"] and "venv" not in module.failing:
            python = tmp_path / ".venv" / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return int(any(word in module.ran[-1] for word in module.failing))

    monkeypatch.setattr(module.subprocess, "call", call)
    monkeypatch.setattr(module, "venv_python", lambda: str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    return module


def run(start, *arguments):
    start.ran.clear()
    sys_argv, sys.argv = sys.argv, ["start.py", *arguments]
    try:
        return start.main(), [command for command in start.ran if command != "-m pip --version"]
    finally:
        sys.argv = sys_argv


def test_the_first_run_installs_and_the_second_does_not(start):
    status, first = run(start, "test", "-k", "scores")
    assert status == 0 and first[0].startswith("-m venv") and ".[dev]" in first[1]
    task = " ".join(start.TASKS["test"][0][0])
    assert task.startswith("-m pytest --nbval") and first[2] == f"{task} -k scores"
    assert run(start, "test") == (0, [task])


def test_an_environment_made_by_hand_is_kept(start, tmp_path):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    status, commands = run(start, "test")
    assert status == 0 and ".[dev]" in commands[0] and not any("-m venv" in c for c in commands)


@pytest.mark.parametrize(
    "task, last",
    [
        ("lab", "-m jupyterlab --ServerApp.root_dir="),
        ("run", "-m course_lib run"),
        ("site", "-m course_lib site"),
    ],
)
def test_tasks_that_run_lessons_make_the_data_first(start, task, last):
    status, commands = run(start, task, "--more")
    assert status == 0 and commands[-2].endswith("make_mini.py") and commands[-1].startswith(last)
    assert commands[-1].endswith("--more")
    start.failing = ("make_mini",)
    status, commands = run(start, task)
    assert status == 1 and commands[-1].endswith("make_mini.py"), "nothing runs without its data"


def test_a_changed_pyproject_installs_again(start, tmp_path):
    run(start, "test")
    (tmp_path / "pyproject.toml").write_text("[project] # changed\n")
    assert any(".[dev]" in command for command in run(start, "test")[1])


def test_a_failed_installation_is_not_taken_for_a_whole_one(start, capsys):
    start.failing = (".[dev]",)
    assert run(start, "test")[0] == 1
    assert "The installation failed." in capsys.readouterr().err
    start.failing = ()
    assert any(".[dev]" in command for command in run(start, "test")[1])


def test_a_missing_venv_module_names_the_fix(start, capsys):
    start.failing = ("venv",)
    assert run(start, "test")[0] == 1
    assert "sudo apt install python3-venv python3-pip" in capsys.readouterr().err


def test_the_exit_status_of_the_task_is_ours(start):
    start.failing = ("pytest",)
    assert run(start, "test")[0] == 1


def test_an_old_python_is_told_what_to_do(start, monkeypatch, capsys):
    monkeypatch.setattr(start.sys, "version_info", (3, 9, 6))
    assert run(start, "test") == (1, [])
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_it_parses_on_old_pythons():
    source = (ROOT / "start.py").read_text()
    ast.parse(source, feature_version=(3, 7))


def test_an_active_conda_environment_with_the_course_is_used(start, monkeypatch):
    monkeypatch.setenv("CONDA_PREFIX", sys.prefix)
    status, commands = run(start, "test")
    assert (
        status == 0
        and commands[-1].startswith("-m pytest --nbval")
        and not any("venv" in c for c in commands)
    )
    start.failing = ("import course_lib",)
    assert any(command.startswith("-m venv") for command in run(start, "test")[1])


def test_disturbing_settings_are_left_out(start, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_USER", "1")
    environment = start.clean_environment()
    assert "PYTHONPATH" not in environment and "PIP_USER" not in environment and "PATH" in environment


@pytest.mark.parametrize("arguments", [[], ["tset"]])
def test_a_missing_or_unknown_task_gives_status_2(arguments):
    done = subprocess.run(
        [sys.executable, str(ROOT / "start.py"), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 2 and "test" in done.stderr
