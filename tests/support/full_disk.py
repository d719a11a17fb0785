"""A disk that is full: no file can become larger than some size."""

import contextlib

import pytest


@contextlib.contextmanager
def files_of_at_most(size):
    """Let writing fail behind so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
