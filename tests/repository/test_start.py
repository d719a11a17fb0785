"""start.py sets up once, again when it must, and explains itself where it cannot."""

import ast
import importlib.util
import os
import signal
import subprocess
import sys

import pytest
from small_data import ROOT

from course_tools.commands import COMMANDS


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
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)  # the process of the tests keeps its own
    monkeypatch.setattr(module, "venv_python", lambda: str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    return module


def run(start, *arguments):
    start.ran.clear()
    return start.main(list(arguments)), [command for command in start.ran if command != "-m pip --version"]


def test_the_first_call_installs_and_the_second_does_not(start):
    status, first = run(start, "test", "-k", "scores")
    assert status == 0 and first[0].startswith("-m venv") and ".[dev]" in first[1]
    assert first[2] == "-m course_tools test -k scores"
    assert run(start, "test") == (0, ["-m course_tools test"])


@pytest.mark.parametrize("name", [name for commands in COMMANDS.values() for name in commands])
def test_every_command_is_passed_on_as_it_is(start, name):
    run(start, name)
    assert run(start, name, "--help", "a b") == (0, [f"-m course_tools {name} --help a b"])


def test_an_environment_made_by_hand_is_kept(start, tmp_path):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    status, commands = run(start, "test")
    assert status == 0 and ".[dev]" in commands[0] and not any("-m venv" in c for c in commands)


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


def test_the_exit_status_of_the_command_is_ours(start):
    start.failing = ("course_tools",)
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
    assert status == 0 and commands[-1] == "-m course_tools test"
    assert not any("venv" in command for command in commands)
    start.failing = ("import course_lib",)
    assert any(command.startswith("-m venv") for command in run(start, "test")[1])


def test_disturbing_settings_are_left_out(start, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_USER", "1")
    environment = start.clean_environment()
    assert "PYTHONPATH" not in environment and "PIP_USER" not in environment and "PATH" in environment
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert start.clean_environment()["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.skipif(os.name == "nt", reason="no process groups there")
def test_ctrl_c_leaves_the_command_the_time_to_end(tmp_path):
    """``watch`` finishes its video then."""
    command = tmp_path / "python"  # takes a second
    ending = (
        "signal.signal(signal.SIGINT, lambda *_: (time.sleep(1), print('ended', flush=True), os._exit(7)))"
    )
    command.write_text(
        f"#!{sys.executable}\nimport os, signal, time\n{ending}\nprint('begun', flush=True)\ntime.sleep(60)\n"
    )
    command.chmod(0o700)
    code = f"import sys, start; start.conda_python = lambda: {str(command)!r}; sys.exit(start.main(['lab']))"
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout.readline() == "begun\n"
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate()[0] == "ended\n" and running.returncode == 7


@pytest.mark.parametrize("arguments", [[], ["tset"]])
def test_a_missing_or_unknown_command_is_one_line_and_installs_nothing(arguments, tmp_path):
    done = started(tmp_path, *arguments)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_the_help_lists_all_commands_by_who_needs_them_and_installs_nothing(tmp_path):
    done = started(tmp_path, "--help")
    assert done.returncode == 0 and not (tmp_path / ".venv").exists()
    for who, commands in COMMANDS.items():
        assert f"for {who}:" in done.stdout
        assert all(f"  {name:<12}{does}" in done.stdout for name, does in commands.items())


def started(folder, *arguments):
    """Call start.py in a fresh copy of what it needs, with a Python that has no package at all."""
    (folder / "course_tools" / "commands").mkdir(parents=True)
    for name in ("start.py", "course_tools/__init__.py", "course_tools/commands/__init__.py"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-E", "-s", "-S", str(folder / "start.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)
