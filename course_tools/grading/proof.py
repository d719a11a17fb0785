"""Prove, before a submission is run, that the sandbox holds: every wall is tried, every limit is passed."""

import dataclasses
import os
import socket
import tempfile
from pathlib import Path

import psutil

import course_lib
import course_tools
from course_lib.runtime import PROJECT_ROOT
from course_tools.grading.launch import run_cells
from course_tools.grading.sandbox import (
    HOW_TO_INSTALL,
    MEGABYTE,
    Limits,
    clear_leftovers,
    missing_programs,
)

UNPROTECTED = "Nothing was graded. To run submissions unprotected, as yourself: --no-sandbox"
MARK = f"5711.{os.getpid()}"  # seconds: how the process is found that should not be left
WALLS = {
    "the network is out of reach": """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
except OSError:
    print("holds")
""",
    "the solutions cannot be read": """
import os
print("holds" if not os.path.exists({solutions!r}) else "open")
""",
    "of the course, only what lessons import can be read": """
import os
import course_lib, road_scenes
try:
    import course_tools.grading
except ImportError:
    print("holds" if not os.path.exists({grader!r} + "/grading") else "open")
""",
    "other files cannot be read": """
try:
    open({secret!r}).read()
except OSError:
    print("holds")
""",
    "nothing can be written outside": """
import os
scratch = os.stat("/tmp").st_dev
beside = [folder for folder, *_ in os.walk("/tmp") if os.stat(folder).st_dev != scratch]
opened = []
for folder in ("/", "/usr", "/dev", {library!r}, {grader!r}, *beside):
    try:
        opened.append(open(folder + "/x", "w"))
    except OSError:
        pass
print("open" if opened else "holds")
""",
    "the grader's variables cannot be read": """
import glob, os
there = b"".join(open(p, "rb").read() for p in glob.glob("/proc/[0-9]*/environ") if os.access(p, os.R_OK))
print("holds" if b"HOME=/tmp/home" in there and len(os.environ) < 20 and b"COURSE" not in there else "open")
""",
    "a large file is refused": """
try:
    with open("/tmp/large", "wb") as file:
        file.write(bytes({file_bytes} + 1))
except OSError:
    print("holds")
""",
    "many files are refused": """
import os
try:
    for n in range(2 + {disk_bytes} // {file_bytes}):
        with open(f"/tmp/{{n}}", "wb") as file:
            file.write(bytes({file_bytes}))
except OSError:
    print("holds")
""",
    "memory that nobody counts is refused": """
import os, ctypes
if ctypes.CDLL(None).shmget(0, 4096, 0o1600) == -1:
    try:
        os.memfd_create("x")
    except OSError:
        print("holds")
""",
    "no process is left": """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep({mark})"], start_new_session=True)
print("holds")
""",
    "many processes are refused": """
import os, time
try:
    for n in range({processes} + 1):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
except OSError:
    print("holds")
""",
}
STOPS = {
    "too long by the clock": ("import time; time.sleep(60)", "took more than"),
    "too long by the processor": ("while True: pass", "ended its kernel"),
    "too much memory": (
        "kept = [bytearray(1 << 20) for n in range(4000)]\nimport time; time.sleep(9)",
        "memory",
    ),
    "too much memory that processes share": (
        "import mmap\nkept = mmap.mmap(-1, 500 << 20)\n"
        "for at in range(0, len(kept), 4096): kept[at] = 1\nimport time; time.sleep(9)",
        "memory",
    ),
    "too many files": (
        "for n in range(30_000): open(f'/tmp/{n}', 'w').close()\nimport time; time.sleep(9)",
        "files",
    ),
    "too much output": (
        "for n in range(300):\n    print('x' * 10000, flush=True)\nimport time; time.sleep(9)",
        "showed more",
    ),
}


def prove(limits: Limits) -> list[str]:
    """Try to break out of the sandbox in every way that it should prevent.

    Returns:
        What held, one line each.

    Raises:
        RuntimeError: if no sandbox can be had here, or something was not prevented; the message says what.
    """
    if missing := missing_programs():
        raise RuntimeError(f"no sandbox: {', '.join(missing)} not found; {HOW_TO_INSTALL}. {UNPROTECTED}")
    import matplotlib.font_manager  # noqa: F401, makes the list of fonts, which every kernel is given

    clear_leftovers()
    try:
        held = [*_walls(limits), *_stops()]
    except RuntimeError as error:
        likely = "bubblewrap is installed; in many containers it may not make the namespaces that it needs"
        raise RuntimeError(f"no sandbox: {error}. {likely}. {UNPROTECTED}") from None
    if open_doors := [name for name, holds in held if not holds]:
        raise RuntimeError(f"the sandbox does not hold here: {', '.join(open_doors)}. {UNPROTECTED}")
    return [name for name, _ in held]


def _walls(limits: Limits) -> list[tuple[str, bool]]:
    """Return what cannot be done inside, and whether that is so."""
    listener = socket.create_server(("127.0.0.1", 0))  # a connection that nobody takes would prove nothing
    with listener as server, tempfile.NamedTemporaryFile("w", dir=Path.home()) as secret:
        values = {
            "port": server.getsockname()[1],
            "solutions": str(PROJECT_ROOT / "solutions"),
            "library": str(Path(course_lib.__file__).parent),
            "grader": str(Path(course_tools.__file__).parent),
            "secret": secret.name,
            "mark": MARK,
            **dataclasses.asdict(limits),
        }
        cells = [_cell(code.format(**values)) for code in WALLS.values()]
        found = run_cells(cells, limits, sandbox=True)
    held = {}
    for name, outputs in zip(WALLS, found["outputs"], strict=True):
        said = [output.get("text", "") for output in outputs if output["output_type"] == "stream"]
        held[name] = "".join(said) == "holds\n"
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    if any(f"time.sleep({MARK})" in " ".join(command) for command in commands):
        held["no process is left"] = False
    return list(held.items())


def _stops() -> list[tuple[str, bool]]:
    """Return what is stopped, and whether that is so; each takes a kernel of its own."""
    limits = Limits(cell_seconds=8, cpu_seconds=2, memory=300 * MEGABYTE, output_bytes=MEGABYTE)
    found = run_cells([_cell(code) for code, _ in STOPS.values()], limits, sandbox=True)["stops"]
    return [
        (f"{name} is stopped", reason in found[at]) for at, (name, (_, reason)) in enumerate(STOPS.items())
    ]


def _cell(source: str) -> dict[str, str]:
    """Return a cell for the worker that belongs to no exercise."""
    return {"source": source, "probe": "", "exercise": "", "instead": ""}
