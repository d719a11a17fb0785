"""Whether this machine has a sandbox; on CI it must."""

import os

import pytest

from course_lib.grading.sandbox import missing_programs

MISSING = [] if os.name == "posix" and not missing_programs() else ["bubblewrap"]
if os.environ.get("CI") and MISSING:
    raise pytest.UsageError("on CI a missing bubblewrap is a failure, not a skip")

needs_sandbox = pytest.mark.skipif(bool(MISSING), reason="bubblewrap is not installed")
