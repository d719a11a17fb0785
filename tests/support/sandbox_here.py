"""Whether this machine has a sandbox, which on CI it must; it is proved once. And what is running."""

import functools
import os

import psutil
import pytest

from course_tools.grading import proof
from course_tools.grading.batch import Graders
from course_tools.grading.sandbox import missing_programs

MISSING = [] if os.name == "posix" and not missing_programs() else ["bubblewrap"]
if os.environ.get("CI") and MISSING:
    raise pytest.UsageError("on CI a missing bubblewrap is a failure, not a skip")

needs_sandbox = pytest.mark.skipif(bool(MISSING), reason="bubblewrap is not installed")

proved = functools.cache(proof.prove)  # 20 seconds; test_grade_command proves it wall by wall
prove_elsewhere = Graders.prove
Graders.prove = lambda self: prove_elsewhere(self) if self.client else proved(self.limits)


def running(*marks):
    """Return the command lines of all processes in which one of the marks stands."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(mark in line for mark in marks)]
