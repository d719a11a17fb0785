"""What a run writes while it goes: a CSV and TensorBoard events, one row per epoch."""

import csv
import io
from pathlib import Path

from course_lib.labels import CLASS_NAMES
from course_lib.runtime import write_atomically

IOU = "iou_"
"""Before a class name: the column of its intersection over union, a fraction."""

LOSS = "loss_"
"""Before a term's name: the column of its part in the loss, where there are several terms."""

VALIDATION_LOSS = "validation_loss"
"""The column of the loss on the validation images."""

COLUMNS = (
    "epoch", "step", "loss", "learning_rate", "seconds", "images_per_second", VALIDATION_LOSS, "miou",
)  # fmt: skip


class Log:
    """The history of a run, rewritten whole after each epoch: a resumed run leaves no row twice."""

    def __init__(self, folder: Path, history: list[dict]) -> None:
        """Continue after ``history``; TensorBoard forgets what came later in an interrupted run."""
        from torch.utils.tensorboard import SummaryWriter  # here: a second to load, for this alone

        self.path = folder / "log.csv"
        self.events = SummaryWriter(folder / "tensorboard", purge_step=max(1, len(history)))
        if history:  # a kill may have come between the checkpoint and its row
            self.write(history)

    def write(self, history: list[dict]) -> None:
        """Write all rows to the CSV and the newest to TensorBoard.

        Raises:
            OSError: if the disk is full.
        """
        text = io.StringIO()
        columns = [*COLUMNS, *(IOU + name for name in CLASS_NAMES)]
        extra = [name for name in history[-1] if name not in columns]
        writer = csv.DictWriter(text, [*columns[: len(COLUMNS)], *extra, *columns[len(COLUMNS) :]])
        writer.writeheader()
        writer.writerows(history)
        write_atomically(self.path, text.getvalue().encode())
        self._write_events(history[-1])

    def _write_events(self, row: dict) -> None:
        """Write one row to TensorBoard."""
        try:
            for name, value in row.items():
                if name not in ("epoch", "step"):
                    self.events.add_scalar(name.replace(IOU, "iou/"), value, row["epoch"])
            self.events.flush()
        except OSError as error:
            where = self.events.log_dir
            raise OSError(
                f"could not write events into {where} ({error.strerror}); free some space"
            ) from None

    def close(self) -> None:
        """Finish the TensorBoard file."""
        self.events.close()
