"""The command that runs Python where it can read the course and no more, write nothing, and reach nobody.

bubblewrap builds the view of the file system and the namespaces, prlimit sets the limits. When root grades,
the kernel becomes a user that nobody else is before the inner view is built: what only root may read is then
out of reach even where it is mounted, and no other user reaches the kernel.
"""

import os
import platform
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
KERNEL_USER = 61_000  # systems give numbers up to 60,577 to people and from 61,184 on to services
HOME = "/tmp/home"
PREFIX = "grading-"  # of the folders of kernels
HOW_TO_INSTALL = (
    "install bubblewrap and util-linux (Debian, Ubuntu: apt-get install bubblewrap util-linux; "
    "Fedora: dnf install bubblewrap util-linux). Elsewhere, grade in a virtual machine with Linux"
)


@dataclass(frozen=True)
class Limits:
    """What a submission may use before it is stopped; the lessons need less than half of each."""

    cell_seconds: float = 20
    """Wall time of one cell."""
    seconds: float = 120
    """Wall time of a submission, all its kernels together."""
    cpu_seconds: int = 120
    """Processor time of one process."""
    memory: int = 3072 * MEGABYTE
    """Bytes of memory, all processes together; looked at ten times a second."""
    address_space: int = 6144 * MEGABYTE
    """Bytes that one process may ask for; torch asks for half of this when it is imported."""
    processes: int = 64
    """Processes and threads together."""
    file_bytes: int = 64 * MEGABYTE
    """Of one file."""
    disk_bytes: int = 256 * MEGABYTE
    """Of all files together; they lie in memory."""
    files: int = 20_000
    """In the folders that can be written to; each takes memory of the system, even if it is empty."""
    output_bytes: int = 4 * MEGABYTE
    """Of everything that the cells show."""
    notebook_bytes: int = 10 * MEGABYTE
    """Of the notebook that was handed in."""
    cells: int = 1_000
    """Of this notebook."""
    cell_characters: int = 40_000
    """Of the text of one cell; what renders or colours it may need time that grows with the square."""


@dataclass(frozen=True)
class View:
    """What a submission sees of the file system besides the system's programs."""

    folders: Sequence[str]
    """That can be read."""
    covered: Sequence[str]
    """Folders inside of them that look empty."""
    packages: Sequence[str]
    """Where Python looks for packages, besides its own places."""
    data: str
    """The folder of the mini data, one of those that can be read; empty if there is none."""


def missing_programs() -> list[str]:
    """Return what has to be installed before anything can be graded safely."""
    return [name for name in ("bwrap", "prlimit", "setpriv") if shutil.which(name) is None]


def sandboxed(
    arguments: Sequence[str], folder: Path, view: View, limits: Limits, call_filter: int
) -> list[str]:
    """Return the command line that runs Python in the sandbox.

    Args:
        arguments: of Python.
        folder: of this kernel; it can be written to if its owner allows it.
        view: what else can be read.
        limits: of each process; those on all of them together are a watchdog's.
        call_filter: the descriptor of the file that holds the filter of system calls.
    """
    size = str(limits.disk_bytes)
    # everything is unshared, and nothing gives it back
    unshared = [f"--unshare-{name}" for name in ("user", "pid", "ipc", "uts", "net", "cgroup-try")]
    identity = ["--uid", "1000", "--gid", "1000", "--hostname", "grader", "--cap-drop", "ALL"]
    sealed = ["--die-with-parent", "--new-session", "--disable-userns", "--clearenv"]
    sealed += ["--seccomp", str(call_filter)]
    # what can be written to lies in memory and is of limited size
    devices = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    memory = ["--size", size, "--tmpfs", "/dev/shm"]
    scratch = ["--size", size, "--perms", "1777", "--tmpfs", "/tmp", "--dir", HOME]
    mounts = _mounts(folder, view)
    # where matplotlib looks for its list of fonts, and an installed library for the data: in this folder
    beside = {f"{HOME}/matplotlib/{path.name}": str(path) for path in folder.glob("fontlist-*.json")}
    beside |= {f"{HOME}/data/mini": view.data} if view.data else {}
    at_home = [part for place, path in beside.items() for part in ("--ro-bind", path, place)]
    variables = {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(view.packages),
        "HOME": HOME,
        "USER": "student",
        "IPYTHONDIR": f"{HOME}/ipython",
        "MPLCONFIGDIR": f"{HOME}/matplotlib",
        "MPLBACKEND": "agg",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    settings = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    inner = ["bwrap", *unshared, *identity, *sealed, *devices, *memory, *scratch, *mounts, *at_home]
    inner += ["--remount-ro", "/", "--chdir", HOME, *settings]
    # a link to its folder leads nowhere in there; that of the program itself tells Python its packages
    python = Path(sys.executable).parent.resolve() / Path(sys.executable).name
    inner += ["--", *_prlimit(limits), str(python), *arguments]
    if os.geteuid() != 0:
        return inner
    # processes get a namespace here, too, whose end ends them all; a signal would not reach another user's
    shared = ["--dev-bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"]
    outer = ["bwrap", "--die-with-parent", "--unshare-pid", *shared, *mounts]
    become = ["setpriv", f"--reuid={KERNEL_USER}", f"--regid={KERNEL_USER}", "--clear-groups"]
    return [*outer, "--", *become, *inner]


def call_filter() -> int:
    """Return the descriptor of a pipe with the filter of system calls, for seccomp.

    It refuses those that make memory which belongs to no process and to no file system of limited size, so
    that nothing would count it: memfd_create, memfd_secret, shmget, msgget, io_uring_setup.
    """
    machines = {
        "x86_64": (0xC000003E, (319, 447, 29, 68, 425)),
        "aarch64": (0xC00000B7, (279, 447, 194, 186, 425)),
    }
    # elsewhere the filter lets everything pass, which the proof of the sandbox will tell
    architecture, refused = machines.get(platform.machine(), (0, ()))
    steps = [(0x20, 0, 0, 4), (0x15, 0, len(refused) + 3, architecture)] if refused else []  # load, compare
    steps += [(0x20, 0, 0, 0), (0x35, len(refused) + 1, 0, 0x4000_0000)]  # x32 has numbers of its own
    steps += [(0x15, len(refused) - at, 0, number) for at, number in enumerate(refused)]
    steps += [(0x06, 0, 0, 0x7FFF_0000), (0x06, 0, 0, 0x0005_0001)]  # allow; refuse as not permitted
    reading, writing = os.pipe()
    os.write(writing, b"".join(struct.pack("=HBBI", *step) for step in steps))
    os.close(writing)
    return reading


def unprotected(arguments: Sequence[str], limits: Limits) -> list[str]:
    """Return the command line without a sandbox: limits where the system has them, the rest open."""
    limit = _prlimit(limits) if shutil.which("prlimit") else []
    return [*(part for part in limit if not part.startswith("--nproc")), sys.executable, *arguments]


def kernel_folder() -> Path:
    """Make the folder of one kernel, with a copy of the list of fonts, which takes matplotlib seconds."""
    import matplotlib

    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copyfile(path, folder / path.name)
    folder.chmod(0o755)
    return folder


def clear_leftovers() -> None:
    """Remove the folders of kernels that were killed; one that is still used is never this old."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.is_dir() and time.time() - folder.stat().st_mtime > 3600:
            shutil.rmtree(folder, ignore_errors=True)


def _mounts(folder: Path, view: View) -> list[str]:
    """Return the mounts of what can be read, and of the folder of this kernel."""
    system = ["/usr", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"]
    readable = [*(path for path in system if Path(path).exists()), *view.folders]
    mounts = []
    # the folders above them are open to be passed through by everybody
    above = [parent for path in [*readable, folder] for parent in reversed(Path(path).parents)]
    for parent in dict.fromkeys(map(str, above)):
        mounts += ["--perms", "0755", "--dir", parent] if parent != "/" else []
    for path in readable:
        mounts += ["--ro-bind", path, path]
    for alias in map(Path, ("/lib", "/lib64", "/bin", "/sbin")):  # links into /usr on today's systems
        if alias.is_symlink():
            mounts += ["--symlink", str(alias.readlink()), str(alias)]
        elif alias.is_dir():
            mounts += ["--ro-bind", str(alias), str(alias)]
    for path in view.covered:
        mounts += ["--tmpfs", path, "--remount-ro", path]
    return [*mounts, "--bind", str(folder), str(folder)]


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
