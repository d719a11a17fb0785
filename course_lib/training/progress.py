"""What a run has reached so far, in numbers and in words."""

import time
from collections.abc import Iterable
from typing import Any

from course_lib.training.logs import LOSS


class Progress:
    """One row per finished epoch, and sums over the steps of the one in hand."""

    def __init__(self, terms: Iterable[str], state: dict | None) -> None:
        """Begin, or go on.

        Args:
            terms: the names of the loss terms.
            state: of an interrupted run, with what ``state`` returned.
        """
        self.terms = tuple(terms)
        self.history: list[dict] = state["history"] if state else []
        self.sums: dict[str, float] = state["sums"] if state else {}
        self.started = time.monotonic() - (state["seconds"] if state else 0)

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on."""
        return {
            "history": self.history,
            "sums": self.sums,
            "seconds": time.monotonic() - self.started,
        }

    def add(self, values: dict[str, float], images: int) -> None:
        """Add the loss terms of one step, which are means over so many images."""
        for name, value in (values | {"images": images, "batches": 1}).items():
            self.sums[name] = self.sums.get(name, 0) + value

    def losses(self) -> dict[str, float]:
        """Return the mean loss of the epoch so far and, where there are several terms, that of each."""
        terms = {LOSS + name: self.sums[name] / self.sums["batches"] for name in self.terms}
        return {"loss": sum(terms.values())} | (terms if len(terms) > 1 else {})

    def row(self, step: int, rate: float) -> dict[str, float]:
        """Return the row of the epoch that has just been learnt, before anything is measured.

        Args:
            step: how many have been taken.
            rate: the learning rate of the next one.
        """
        seconds = time.monotonic() - self.started
        return {
            "epoch": len(self.history) + 1,
            "step": step,
            **self.losses(),
            "learning_rate": rate,
            "seconds": round(seconds, 2),
            "images_per_second": round(self.sums["images"] / seconds, 2),
        }

    def end_epoch(self, row: dict) -> None:
        """Keep the row, and begin the next epoch."""
        self.history.append(row)
        self.sums, self.started = {}, time.monotonic()

    def shown(self, epochs: int, rate: float) -> dict[str, str]:
        """Return what stands behind the progress bar: epoch, losses, mean IoU and learning rate."""
        measured = [row["miou"] for row in self.history if "miou" in row]
        newest = self.losses() if self.sums else (self.history[-1] if self.history else {})
        losses = {name: value for name, value in newest.items() if name.startswith("loss")}
        shown = {"epoch": f"{min(len(self.history) + 1, epochs)}/{epochs}"}
        shown |= {name.removeprefix(LOSS): f"{value:.3f}" for name, value in losses.items()}
        return shown | {"mIoU": f"{measured[-1]:.3f}" if measured else "-", "lr": f"{rate:.1e}"}
