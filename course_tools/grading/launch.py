"""Start the worker for some cells, say what they can read, and bring back what it found."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from subprocess import PIPE
from typing import Any

import course_lib
import course_tools
import road_scenes
from course_lib.lesson.checks.recording import RECORD
from course_lib.runtime import PROJECT_ROOT
from course_tools.grading.sandbox import Limits, View

WORKERS: set[subprocess.Popen] = set()
"""Those that run now."""


class WorkerDied(RuntimeError):
    """The process that handles a submission ended without a result, which may be nobody's fault."""


def run_cells(cells: list[dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Run cells in a process of their own; see ``worker.run`` for what comes and goes.

    Raises:
        WorkerDied: if the worker ended without a result; the message holds its last words.
        RuntimeError: if it did not end.
    """
    view = asdict(what_is_seen()) if sandbox else None
    job = {"cells": cells, "record_type": RECORD, "limits": asdict(limits), "view": view}
    command = [sys.executable, "-m", "course_tools.grading.worker"]
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT_ROOT, **pipes) as worker:
        WORKERS.add(worker)
        try:
            # starting and ending may take 90 seconds beside the limit
            output, errors = worker.communicate(json.dumps(job), limits.seconds + 90)
            found = json.loads(output)
        except subprocess.TimeoutExpired:
            raise RuntimeError("it did not end although its time was over") from None
        except ValueError:
            raise WorkerDied(f"it could not be run ({errors.strip()[-400:]})") from None
        finally:
            worker.kill()
            WORKERS.discard(worker)
    return found | {"stops": {int(position): reason for position, reason in found["stops"].items()}}


def what_is_seen() -> View:
    """Return what a submission sees: Python, what lessons import, the mini data; not what grades it."""
    library, scenes, grader = (
        Path(package.__file__).resolve().parent for package in (course_lib, road_scenes, course_tools)
    )
    data = (PROJECT_ROOT / "data" / "mini").resolve()
    wanted = [Path(sys.base_prefix), Path(sys.prefix), library, scenes, data]
    present = dict.fromkeys(path.resolve() for path in wanted if path.is_dir())
    # installed without --editable, the grader lies between the packages that can be read
    is_inside = any(grader.is_relative_to(folder) for folder in [*present, "/usr"])
    # where Python looks without being told
    installed = "site-packages", "dist-packages"
    homes = [home for home in (library.parent, scenes.parent) if home.name not in installed]
    return View(
        folders=[str(path) for path in present if not path.is_relative_to("/usr")],
        covered=[str(grader)] if is_inside else [],
        packages=list(dict.fromkeys(map(str, homes))),
        data=str(data) if data.is_dir() else "",
    )
