"""Ctrl-C and SIGTERM end a run after the step in hand, not in the middle of it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from course_lib.training import ranks

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(ranks.SharedFate):
    """A run was asked to stop, and has saved its state."""

    def __init__(self, message: str, number: int) -> None:
        """Keep the message and the number of the signal."""
        super().__init__(message)
        self.number = number


PATIENCE = 2.0
"""Seconds in which a second signal counts as an echo: launchers forward what the terminal sent already."""


class Request:
    """Whether somebody asked to stop; ``number`` is the signal, 0 for none."""

    number = 0

    def receive(self, number: int, frame: object) -> None:
        """Remember the first signal; a later one stops at once, without saving."""
        if not self.number:
            self.number, self.received = number, time.monotonic()
        elif time.monotonic() - self.received > PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def catch_interrupts() -> Iterator[Request]:
    """Turn the first signal into a request to stop; only the main thread can receive signals."""
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    try:
        yield request
    except BaseException:
        if ranks.count() > 1:
            before[signal.SIGTERM] = signal.SIG_IGN  # see ranks.joined
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupts(worker: int) -> None:
    """Let a worker leave signals, which a whole group of processes receives, to the main process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
