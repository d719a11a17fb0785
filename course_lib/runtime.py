"""Where things are and what this machine is: folders, device, seed, versions."""

import ctypes
import difflib
import errno
import hashlib
import os
import platform
import random
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import psutil
import torch

LIBRARY = Path(__file__).resolve().parent
"""The folder of this package; the shipped weights are in it.

:meta hide-value:
"""

CAME_ALONE = LIBRARY.parent.name in ("site-packages", "dist-packages")  # as on Colab
PROJECT_ROOT = Path.cwd() if CAME_ALONE else LIBRARY.parent
"""The folder that holds pyproject.toml, notebooks/ and data/; the current one if the library came alone.

:meta hide-value:
"""

COMMAND = "course" if CAME_ALONE else "python3 start.py"
"""What stands before the name of a command in messages: without the project there is no start.py."""

REFERENCE_TORCH = "2.14"
"""The version of torch with which everything that is published from now on is made: weights and results."""

OLDEST_PYTHON = (3, 11)

LEAST_FREE_GB = 0.5
"""Of disk; the generated data and a few results fit into it."""

LESSON_GB = 1.5
"""Of memory, at most; the tests of the lessons hold them to it."""

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The errors of a full disk, of a limit on files, of a used-up quota."""


def environment(name: str, default: str) -> str:
    """Return an environment variable without the blanks and quotes that Windows' ``set`` leaves around it."""
    return os.environ.get(name, "").strip().strip("\"'").strip() or default


def data_root() -> Path:
    """Return the folder of the data sets: ``COURSE_DATA`` if set, else ``data`` in the project.

    A relative ``COURSE_DATA`` counts from the project's root, so that notebooks and the command line agree.
    """
    return PROJECT_ROOT / Path(environment("COURSE_DATA", "data")).expanduser()


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that is not among the known ones; it suggests the nearest.

    >>> unknown_name("score", "mps", ["msp", "void"])
    ValueError("unknown score 'mps'; known are msp, void; did you mean msp?")
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return ValueError(f"unknown {kind} {name!r}; known are {', '.join(known)}{guess}")


def choose_device(name: str = "auto") -> torch.device:
    """Return a usable device.

    Args:
        name: ``auto`` (the best that works), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        ValueError: if the device is unknown or absent on this machine.
    """
    if name == "auto":
        found = accelerator()
        name = "cpu" if found is None or unusable(found) else found
    if reason := unusable(name):
        raise ValueError(f"device {name!r} cannot be used here ({reason}); try auto or cpu")
    return torch.device(name)


def accelerator() -> str | None:
    """Return the kind of this machine's GPU, such as ``cuda`` or ``mps``; None if torch sees none."""
    return torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else None


def unusable(device: str) -> str:
    """Return why a device does not compute, in torch's words; empty if it does."""
    try:
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return str(error).splitlines()[0]
    return ""


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a crash, a kill or a full disk at any moment leaves the old one or the new one.

    Raises:
        OSError: if it cannot be written; the old file is then untouched.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else the new name may reach the disk before the content does
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "the previous one is kept" if path.exists() else "nothing was saved"
        cure = "free some space" if error.errno in FULL else "check the folder and who else uses the file"
        raise OSError(f"could not write {path} ({error.strerror}); {kept}: {cure}") from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits; a file of any size is read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def what_instead(path: Path) -> str:
    """Return what a file that cannot be read is instead, if its beginning tells; else nothing."""
    with path.open("rb") as file:
        head = file.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        return "is empty"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, which git lfs pull replaces by the file"
    if head.startswith((b"<!doctype html", b"<html")):
        return "is a web page instead of the file, which has moved or needs a login"
    return ""


def peak_memory(process_id: int | None = None) -> float:
    """Return the most memory that a process has held so far, in gigabytes.

    Args:
        process_id: of another process, of which macOS tells only what it holds now; None is this one.
    """
    status = Path("/proc") / str(process_id or "self") / "status"
    if status.is_file():  # Linux; its getrusage would count the process that started this one, too
        high_water = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(high_water.split()[1]) * 1024 / 1e9
    memory = psutil.Process(process_id).memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return memory.peak_wset / 1e9
    if process_id:
        return memory.rss / 1e9
    import resource  # macOS

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def package_versions() -> dict[str, str]:
    """Return the versions that stand beside every result: of Python and of the packages that matter most."""
    versions = {"python": platform.python_version()}
    for name in ("course-lib", "torch", "torchvision", "numpy", "pandas", "pillow", "safetensors"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def hardware(device: torch.device) -> dict[str, str | int]:
    """Return what a reader needs to judge a timing: system, processor, threads and device."""
    facts: dict[str, str | int] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "torch_threads": torch.get_num_threads(),
        "device": str(device),
    }
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def _processor() -> str:
    """Return what the processor is called; Linux tells that in a file alone."""
    path = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.+)", path.read_text(), re.MULTILINE) if path.is_file() else None
    return named[1] if named else platform.processor() or platform.machine()


@dataclass(frozen=True)
class Environment:
    """What a lesson runs on, shown as a list by notebooks and terminals."""

    facts: tuple[str, ...]
    advice: tuple[str, ...] = ()
    """What may go wrong later, each with its cure."""

    def __repr__(self) -> str:
        """Return one line per fact, then one per piece of advice."""
        return "\n".join([f"✓ {fact}" for fact in self.facts] + [f"! {line}" for line in self.advice])


def check_environment() -> Environment:
    """Look at this machine before a lesson starts; what stops a lesson raises, the rest is returned.

    Raises:
        RuntimeError: if Python is too old.
        OSError: if the disk is so full that the lessons could not write their data.
    """
    if sys.version_info < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        raise RuntimeError(
            f"Python {platform.python_version()} is too old, {needed} or newer is needed: install it from "
            f"python.org, then python{needed} start.py lab"
        )
    free = shutil.disk_usage(PROJECT_ROOT).free / 1e9
    if free < LEAST_FREE_GB:
        raise OSError(
            f"only {free:.1f} GB of disk are free in {PROJECT_ROOT}, the lessons need {LEAST_FREE_GB}: "
            "delete what you can spare, for example the folder results"
        )
    profile = environment("COURSE_PROFILE", "mini")
    data = "generated data, no download" if profile == "mini" else f"data sets in {data_root()}"
    versions = f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}"
    advice = []
    processor = f"lessons compute on the processor (threads: {torch.get_num_threads()})"
    gpu = accelerator()
    if gpu is None:
        processor += "; no GPU is needed"
    elif reason := unusable(gpu):
        processor += "; no GPU is needed"
        advice.append(
            f"torch cannot use the GPU ({reason}): commands take the processor, until its driver is renewed"
        )
    else:
        cure = "; if it lacks an operation: --device cpu" if gpu == "mps" else ""
        processor += f"; commands such as train use the GPU ({gpu}){cure}"
    memory = psutil.virtual_memory().available / 1e9
    if memory < LESSON_GB:
        advice.append(
            f"{memory:.1f} GB of memory are free, a lesson may need {LESSON_GB}: shut other notebooks down"
        )
    if path := _long_path():
        advice.append(path)
    facts = (versions, processor, f"{free:.0f} GB of disk are free", f"profile {profile}: {data}")
    return Environment(facts, tuple(advice))


def _long_path() -> str:
    """Say so if Windows may refuse the longest file names below this folder."""
    length = len(str(PROJECT_ROOT))
    # the longest path that Windows takes by default; the longest below a course with its .venv
    if os.name != "nt" or length + 180 <= 259:
        return ""
    return f"this path of {length} characters is long for Windows: move the course to one like C:\\course"


def reuse_memory() -> None:
    """Let this process keep memory that it freed for the next image, or batch, where the system can.

    By default the GNU C library gives large blocks back at once, and the system hands them out again page by
    page, each filled with zeros: measured on 2 cores, a tenth to a quarter of the processor time of an
    evaluation, and a third of a training's in a worker of dask, which makes the library give back even more.
    """
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3  # as in its malloc.h
        library = ctypes.CDLL(None)
        library.mallopt(mmap_threshold, 32 << 20)  # bytes: the largest block that it can keep
        library.mallopt(trim_threshold, 1 << 30)  # bytes: how much free memory it keeps
