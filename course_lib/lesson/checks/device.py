"""A device whose time can be trusted: to check code that measures time."""

from collections.abc import Sequence


class SimulatedDevice:
    """Works on its own, like a GPU: ``run`` puts work into a queue, and only ``wait`` lets it be done."""

    def __init__(self, costs: Sequence[float], waiting: float = 0.0, starting: float = 0.25) -> None:
        """Start at time 0.

        Args:
            costs: how long each run takes, one after the other; the last one stands for all later ones.
            waiting: how much work is in the queue already.
            starting: how long it takes to put a run into the queue.
        """
        self.time, self.queue = 0.0, waiting
        self.costs, self.starting = list(costs), starting
        self.runs = 0

    def run(self) -> None:
        """Put one run into the queue and return at once."""
        self.time += self.starting
        self.queue += self.costs[min(self.runs, len(self.costs) - 1)]
        self.runs += 1

    def wait(self) -> None:
        """Return when the queue is empty."""
        self.time, self.queue = self.time + self.queue, 0.0

    def clock(self) -> float:
        """Return the time."""
        return self.time
