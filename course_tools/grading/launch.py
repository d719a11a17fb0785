"""Start the runner for some cells, and bring back what it found."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from course_lib.lesson.checks.recording import RECORD
from course_lib.runtime import PROJECT_ROOT
from course_tools.grading.limits import Limits

MARGIN = 90  # seconds that starting and ending may take beside the limit
LONGEST_MESSAGE = 400


def run_cells(cells: list[dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Run cells in a process of their own; see ``runner.run`` for what comes and goes.

    Raises:
        RuntimeError: if the runner itself failed; the message says how.
    """
    job = {
        "cells": cells,
        "record_type": RECORD,
        "limits": asdict(limits),
        "visible": visible() if sandbox else None,
    }
    command = [sys.executable, "-m", "course_tools.grading.worker"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(job),
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            timeout=limits.seconds + MARGIN,
        )
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise RuntimeError("it did not end although its time was over") from None
    except ValueError:
        raise RuntimeError(f"it could not be run ({done.stderr.strip()[-LONGEST_MESSAGE:]})") from None
    return found | {"stops": {int(position): reason for position, reason in found["stops"].items()}}


def visible() -> list[str]:
    """Return the folders a submission can read besides the system's: Python, the library, the mini data."""
    wanted = [
        Path(sys.base_prefix),
        Path(sys.prefix),
        *(PROJECT_ROOT / name for name in ("course_lib", "data/mini")),
    ]
    present = [path.resolve() for path in wanted if path.is_dir()]
    return [str(path) for path in dict.fromkeys(present) if not path.is_relative_to("/usr")]
