"""The command that runs Python where it can read the course and no more, write nothing, and reach nobody.

bubblewrap builds the view of the file system and the namespaces, prlimit sets the limits. When root grades,
the kernel becomes the user nobody before the inner view is built: what only root may read is then out of
reach even where it is mounted.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from course_tools.grading.limits import Limits

PROGRAMS = ("bwrap", "prlimit", "setpriv")
NOBODY = 65534
SYSTEM = ("/usr", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")
ALIASES = ("/lib", "/lib64", "/bin", "/sbin")  # links into /usr on today's systems
HOME = "/tmp/home"
PREFIX, OLD = "grading-", 3600  # of the folders of runs; seconds
HOW_TO_INSTALL = (
    "install bubblewrap and util-linux (Debian, Ubuntu: apt-get install bubblewrap util-linux; "
    "Fedora: dnf install bubblewrap util-linux). Elsewhere, grade in a virtual machine with Linux"
)


def missing_programs() -> list[str]:
    """Return what has to be installed before anything can be graded safely."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def sandboxed(arguments: Sequence[str], folder: Path, visible: Sequence[str], limits: Limits) -> list[str]:
    """Return the command line that runs Python in the sandbox.

    Args:
        arguments: of Python.
        folder: of this run; it can be written to if its owner allows it.
        visible: further folders that can be read.
        limits: of each process; those on all of them together are a watchdog's.
    """
    mounts = [*_parents([*SYSTEM, *visible, folder]), *_system(), *_read_only(visible)]
    mounts += ["--bind", str(folder), str(folder)]
    limited = [*_prlimit(limits), sys.executable, *arguments]
    sealed = [*_font_list(folder), "--remount-ro", "/", "--chdir", HOME, *_environment()]
    inner = [*_namespaces(), *_scratch(limits), *mounts, *sealed, "--", *limited]
    if os.geteuid() != 0:
        return inner
    # processes get a namespace here, too, whose end ends them all; a signal would not reach nobody's
    devices = ["--dev-bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"]
    outer = ["bwrap", "--die-with-parent", "--unshare-pid", *devices, *mounts]
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [*outer, "--", *become, *inner]


def unprotected(arguments: Sequence[str], limits: Limits) -> list[str]:
    """Return the command line without a sandbox: limits where the system has them, the rest open."""
    limit = _prlimit(limits) if shutil.which("prlimit") else []
    return [*(part for part in limit if not part.startswith("--nproc")), sys.executable, *arguments]


def _system() -> list[str]:
    """Return the mounts of the system's programs and libraries."""
    options = [part for path in SYSTEM if Path(path).exists() for part in ("--ro-bind", path, path)]
    for alias in map(Path, ALIASES):
        if alias.is_symlink():
            options += ["--symlink", str(alias.readlink()), str(alias)]
        elif alias.is_dir():
            options += ["--ro-bind", str(alias), str(alias)]
    return options


def _parents(paths: Sequence[str | Path]) -> list[str]:
    """Return what makes all folders above some paths, open to be passed through by everybody."""
    above = [parent for path in paths for parent in reversed(Path(path).parents)]
    made = dict.fromkeys(str(parent) for parent in above if parent != Path("/"))
    return [part for parent in made for part in ("--perms", "0755", "--dir", parent)]


def _read_only(paths: Sequence[str]) -> list[str]:
    """Return the mounts of folders that can be read."""
    return [part for path in paths for part in ("--ro-bind", path, path)]


def _namespaces() -> list[str]:
    """Return bubblewrap with everything unshared, and nothing that gives it back."""
    unshared = [f"--unshare-{name}" for name in ("user", "pid", "ipc", "uts", "net", "cgroup-try")]
    identity = ["--uid", "1000", "--gid", "1000", "--hostname", "grader", "--cap-drop", "ALL"]
    return [
        "bwrap",
        "--die-with-parent",
        "--new-session",
        *unshared,
        *identity,
        "--disable-userns",
        "--clearenv",
    ]


def _scratch(limits: Limits) -> list[str]:
    """Return the mounts of what can be written to, in memory and of limited size."""
    size = str(limits.disk_bytes)
    temporary = ["--size", size, "--perms", "1777", "--tmpfs", "/tmp", "--dir", HOME]
    devices = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    return [*devices, "--size", size, "--tmpfs", "/dev/shm", *temporary]


def run_folder(parent: str | None = None) -> Path:
    """Make the folder of one run, with a copy of matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib

    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copyfile(path, folder / path.name)
    folder.chmod(0o755)
    return folder


def clear_leftovers() -> None:
    """Remove the folders of runs that were killed; one that is still used is never this old."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > OLD:
            shutil.rmtree(folder, ignore_errors=True)


def _font_list(folder: Path) -> list[str]:
    """Return the mount of the list of fonts where matplotlib looks for it."""
    found = folder.glob("fontlist-*.json")
    return [part for path in found for part in ("--ro-bind", str(path), f"{HOME}/matplotlib/{path.name}")]


def _environment() -> list[str]:
    """Return the settings of the few variables there are."""
    variables = {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "IPYTHONDIR": f"{HOME}/ipython",
        "MPLCONFIGDIR": f"{HOME}/matplotlib",
        "MPLBACKEND": "agg",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    return [part for name, value in variables.items() for part in ("--setenv", name, value)]


def _prlimit(limits: Limits) -> list[str]:
    """Return prlimit with the limits of each process."""
    chosen = {
        "nproc": limits.processes,
        "as": limits.address_space,
        "cpu": limits.cpu_seconds,
        "fsize": limits.file_bytes,
        "core": 0,
    }
    return ["prlimit", *(f"--{name}={value}" for name, value in chosen.items())]
