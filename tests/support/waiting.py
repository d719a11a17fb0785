"""Wait for what other processes do, and kill them when they have done it."""

import threading
import time
from collections.abc import Callable

WITHIN, LONG = 60, 400  # seconds, on a busy machine


def wait_until(is_so: Callable[[], object], within: float = WITHIN) -> None:
    """Return as soon as something is true; fail if it takes too long."""
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() - started < within
        time.sleep(0.05)


def once(is_so: Callable[[], object], then: Callable[[], object]) -> threading.Thread:
    """Start to wait beside the test; do something as soon as it is true. Join the result in the end."""

    def wait() -> None:
        wait_until(is_so, LONG)
        then()

    waiting = threading.Thread(target=wait)
    waiting.start()
    return waiting
