"""Keep a learner's code from writing where nbgrader reads: standard error and the result of the cell."""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator

STDERR = 2  # its number, for those who do not write through Python


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop warnings, log lines, displayed results and whatever anybody writes to standard error."""
    displayhook, logging_level = sys.displayhook, logging.root.manager.disable
    sys.displayhook = lambda value: None
    logging.disable(logging.CRITICAL)
    try:
        with _closed_descriptor(), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.displayhook = displayhook
        logging.disable(logging_level)


@contextlib.contextmanager
def _closed_descriptor() -> Iterator[None]:
    """Send the descriptor of standard error nowhere; a process without one needs nothing."""
    try:
        kept = os.dup(STDERR)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)
