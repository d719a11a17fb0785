"""Real images and other people's weights: never shipped, used where they are at hand.

``COURSE_DATA`` is the folder of the data sets, ``COURSE_REFERENCE`` one with ``weights/`` and ``peers/``.
"""

import os
from pathlib import Path

import pytest

from course_lib.runtime import PROJECT_ROOT


def folder(variable, needed):
    """Return the folder that an environment variable names; skip without it, fail if it is wrong."""
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set: no real data at hand")
    path = PROJECT_ROOT / os.environ[variable]
    assert (path / needed).is_dir(), f"{variable} is {path}, which has no {needed}"
    return path


@pytest.fixture(scope="session")
def benchmarks() -> Path:
    """The folder of the real benchmarks."""
    return folder("COURSE_DATA", "benchmarks") / "benchmarks"


@pytest.fixture(scope="session")
def camvid() -> Path:
    """The folder of CamVid."""
    return folder("COURSE_DATA", "CamVid") / "CamVid"


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of public weights."""
    return folder("COURSE_REFERENCE", "weights") / "weights"


@pytest.fixture(scope="session")
def peers() -> Path:
    """The folder of what public weights gave on one real image."""
    return folder("COURSE_REFERENCE", "peers") / "peers"
