#!/usr/bin/env python3
"""python3 start.py COMMAND ...: set up the course in .venv beside it, once, then run a command there.

Standard library only. Every line must parse on old Pythons, so that the message about the version is shown.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "course.stamp")  # what was installed; written last, so that a cut is noticed
OLDEST = (3, 11)
# settings of the user that would send an installation elsewhere, or another Python's modules into ours
UNWANTED = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "__PYVENV_LAUNCHER__",
)


def main(arguments):
    """Set up if needed, run the command, return its exit status."""
    if sys.version_info < OLDEST:
        return fail(
            "Python %d.%d or newer is needed, this is %s." % (OLDEST[0], OLDEST[1], sys.version.split()[0]),
            "Install it from python.org or with your system's packages, then: python3.11 start.py "
            + " ".join(arguments),
        )
    from course_tools.commands import name_of  # from this folder; needs nothing that is to be installed

    name_of(arguments, prog="start.py")  # ends here for --help or an unknown command
    python = conda_python()
    if python is None:
        python = venv_python()
        if not up_to_date(python):
            status = set_up(python)
            if status:
                return status
    # Ctrl-C reaches the command too, which ends itself; an exception here would kill it before it has
    signal.signal(signal.SIGINT, lambda *_: None)
    # subprocess, not os.execv: on Windows execv returns to the shell at once and loses the exit status
    return subprocess.call([python, "-m", "course_tools", *arguments], env=clean_environment())


def fail(problem, cure):
    """Say what is wrong and what to do; return the exit status."""
    sys.stderr.write("%s\n%s\n" % (problem, cure))
    return 1


def conda_python():
    """Return this Python if it runs in an active conda environment that holds the course, else None."""
    if not os.environ.get("CONDA_PREFIX") or not same_folder(sys.prefix, os.environ["CONDA_PREFIX"]):
        return None
    # -P: the course must be installed there, not merely lie in this folder
    probe = [sys.executable, "-P", "-c", "import course_lib, course_tools, jupyterlab, nbval, pytest"]
    silent = subprocess.DEVNULL
    return sys.executable if subprocess.call(probe, cwd=ROOT, stdout=silent, stderr=silent) == 0 else None


def same_folder(first, second):
    """Tell whether two paths are one folder."""
    return os.path.realpath(first) == os.path.realpath(second)


def venv_python():
    """Return the Python of our own environment, which may not exist yet."""
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, *parts)


def fingerprint():
    """Return what the installation depends on: this Python, pyproject.toml, and where the folder is."""
    digest = hashlib.sha256((sys.version + "\n" + VENV + "\n").encode())
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


def up_to_date(python):
    """Tell whether the course is installed as pyproject.toml wants it."""
    if not os.path.exists(STAMP) or not works(python):
        return False
    with open(STAMP) as file:
        return file.read() == fingerprint()


def works(python):
    """Tell whether an environment can install packages."""
    if not os.path.exists(python):
        return False
    silent = subprocess.DEVNULL
    return subprocess.call([python, "-m", "pip", "--version"], stdout=silent, stderr=silent) == 0


def set_up(python):
    """Make the environment and install the course into it; return an exit status."""
    print("Setting up the course in .venv (once; 2 to 8 minutes and 6 GB) ...", flush=True)
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if not works(python) and not make_environment(python):
        return fail(
            "Could not make a virtual environment with %s." % sys.executable,
            "On Debian or Ubuntu: sudo apt install python3-venv python3-pip. "
            "With conda: conda env create -f environment.yml.",
        )
    install = [python, "-m", "pip", "install", "--disable-pip-version-check", "--editable", ".[dev]"]
    if not sys.stdout.isatty():
        install.append("--quiet")  # progress bars are for people
    status = subprocess.call(install, cwd=ROOT, env=clean_environment())
    if status:
        return fail("The installation failed.", "See the lines above; run the same command again to go on.")
    with open(STAMP, "w") as file:
        file.write(fingerprint())
    return 0


def make_environment(python):
    """Make .venv anew; tell whether it worked."""
    silent = subprocess.DEVNULL
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "venv", VENV], stdout=silent) == 0 and works(python):
        return True
    # Debian without python3-venv has no ensurepip; a pip outside (22.3 or newer) can help out
    shutil.rmtree(VENV, ignore_errors=True)
    outside_pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"]
    made = subprocess.call([sys.executable, "-m", "venv", "--without-pip", VENV], stdout=silent) == 0
    return made and subprocess.call(outside_pip) == 0 and works(python)


def clean_environment():
    """Return the environment variables without those that would disturb."""
    environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    environment["PYTHONUTF8"] = "1"
    environment.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # threads of torch that wait leave the core to others
    return environment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
