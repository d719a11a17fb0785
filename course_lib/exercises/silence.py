"""Keep standard error empty, whoever writes to it."""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator

STDERR = 2  # its number, for those who do not write through Python


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drop warnings and everything written to standard error: by Python, by C code, by child processes."""
    kept, nowhere = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)
