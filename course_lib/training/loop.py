"""The training loop: it learns, measures, logs and saves, and survives what may happen to it."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from course_lib import models, runtime
from course_lib.labels import CLASS_NAMES, NUM_CLASSES, VOID
from course_lib.training.checkpoint import save_state
from course_lib.training.interrupts import Interrupted, Request, catch_interrupts
from course_lib.training.logs import IOU, LOSS, Log
from course_lib.training.resume import CHECKPOINT, check_same_data, previous_state
from course_lib.training.run import Diverged, TrainingRun
from course_lib.training.samples import Batches, TrainingImages, loader
from course_lib.training.settings import TrainingSettings
from course_lib.training.validation import validate


class Trained(NamedTuple):
    """What a finished run leaves."""

    weights: Path
    """fp16 safetensors with metadata."""
    history: list[dict]
    """One row per epoch, as in ``log.csv``."""


def train(settings: TrainingSettings, folder: Path, resume: bool = False, command: str = "") -> Trained:
    """Train a network from the beginning, or go on with an interrupted run.

    Args:
        settings: of the run.
        folder: gets ``last.pt`` (the state), ``log.csv``, ``tensorboard/`` and the finished weights.
        resume: go on from ``last.pt``; without one, start from the beginning.
        command: the command line, for the metadata of the weights.

    Raises:
        ValueError: if a setting does not fit the data or the interrupted run, or the folder holds another.
        FileNotFoundError: if the data set, or the file of the encoder, is missing.
        OSError: if the disk is full; the previous checkpoint is kept.
        Diverged: if a loss is NaN or explodes; the last good checkpoint is kept.
        MemoryError: if a batch does not fit; the message says what would.
        Interrupted: after Ctrl-C or SIGTERM; the state is saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            return _Training(settings, folder, resume, command).finish()
    except Timeout:
        raise ValueError(
            f"another process trains in {folder}; wait for it or choose another --output"
        ) from None


class _Training:
    """The pieces of one run, and what has been reached so far."""

    def __init__(self, settings: TrainingSettings, folder: Path, resume: bool, command: str) -> None:
        """Open everything that can fail before the first step."""
        self.settings, self.folder = settings, folder
        state = previous_state(folder, settings, resume)
        self.command = state["command"] if state else command
        self.encoder = _encoder(settings, state)
        self.validation = settings.samples("val")
        samples = settings.samples("train")
        self.images = TrainingImages(samples, settings.size, settings.seed, settings.num_classes)
        self.class_counts = self.images.class_counts()
        self.known = _known_classes(self.class_counts)
        if state:
            check_same_data(state, self.class_counts, len(self.images))
        self.per_epoch = len(Batches(len(self.images), settings.batch, 1, settings.seed))
        self.run = self._start(self.per_epoch * settings.epochs)
        self.history: list[dict] = state["history"] if state else []
        self.sums: dict[str, float] = state["sums"] if state else {}
        self.started = time.monotonic() - (state["seconds"] if state else 0)
        if state:
            self.run.restore(state)

    def _start(self, steps: int) -> TrainingRun:
        """Return a run at its beginning."""
        runtime.seed_everything(self.settings.seed)
        # else cuDNN may choose other algorithms after a resume, or add in another order
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        network = models.build(self.settings.model, self.settings.num_classes, self.settings.head)
        network.load_state_dict(self.encoder.tensors, strict=False)
        weights = self.settings.recipe.weighting(self.class_counts / self.class_counts.sum())
        return TrainingRun(network, self.settings, weights, steps, self.known)

    def finish(self) -> Trained:
        """Take all steps that are left, and write the weights."""
        settings, start = self.settings, self.run.done
        batches = Batches(len(self.images), settings.batch, settings.epochs, settings.seed, start)
        data = loader(self.images, batches, settings.workers, pinned=self.run.device.type == "cuda")
        log = Log(self.folder, self.history)
        bar = tqdm(
            total=start + len(batches), initial=start, desc=settings.model, unit="batch", smoothing=0.05
        )
        try:
            with catch_interrupts() as request, bar:
                self._describe(bar)
                for images, targets in data:
                    self._learn(images, targets)
                    self._after_step(log, request)
                    self._describe(bar)
                    bar.update()
        finally:
            log.close()
        return Trained(self._export(), self.history)

    def _learn(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        """Take one step; if the run diverges, say where."""
        epoch, batch = self.run.done // self.per_epoch + 1, self.run.done % self.per_epoch + 1
        try:
            values = self.run.step(images, targets)
        except Diverged as error:
            kept = self.folder / CHECKPOINT
            raise Diverged(
                f"{error} in epoch {epoch}, batch {batch} of {self.per_epoch}; training stopped, "
                + (f"the last good checkpoint is {kept}" if kept.exists() else "before any checkpoint")
                + "; start anew with a smaller --learning-rate"
            ) from None
        for name, value in (values | {"images": len(images), "batches": 1}).items():
            self.sums[name] = self.sums.get(name, 0) + value

    def _after_step(self, log: Log, request: Request) -> None:
        """Measure and log at the end of an epoch; save when it is time; stop if asked to."""
        step = self.run.done
        if step % self.per_epoch == 0:
            self._end_epoch(log)
        elif step % self.settings.checkpoint_every == 0 or request.number:
            self._save()
        if request.number:
            raise Interrupted(
                f"stopped after step {step} of {self.per_epoch * self.settings.epochs}, saved in "
                f"{self.folder / CHECKPOINT}; add --resume to go on",
                request.number,
            )

    def _end_epoch(self, log: Log) -> None:
        """Add a row to the history, and save it with the state."""
        seconds = time.monotonic() - self.started
        row = {
            "epoch": len(self.history) + 1,
            "step": self.run.done,
            **self._losses(),
            "learning_rate": self.run.schedule.get_last_lr()[0],
            "seconds": round(seconds, 2),
            "images_per_second": round(self.sums["images"] / seconds, 2),
        }
        if row["epoch"] % self.settings.validate_every == 0 or row["epoch"] == self.settings.epochs:
            row |= validate(self.run, self.validation, self.known)
        self.history.append(row)
        self.sums, self.started = {}, time.monotonic()
        self._save()
        log.write(self.history)

    def _losses(self) -> dict[str, float]:
        """Return the mean loss of the epoch so far and, where there are several terms, that of each."""
        terms = {LOSS + name: self.sums[name] / self.sums["batches"] for name in self.run.terms}
        return {"loss": sum(terms.values())} | (terms if len(terms) > 1 else {})

    def _save(self) -> None:
        """Save the state of everything."""
        progress = {
            "settings": asdict(self.settings),
            "command": self.command,
            "encoder": self.encoder.source,
            "images": len(self.images),
            "class_counts": self.class_counts,
            "history": self.history,
            "sums": self.sums,
            "seconds": time.monotonic() - self.started,
        }
        save_state(self.folder / CHECKPOINT, self.run.state() | progress)

    def _describe(self, bar: tqdm) -> None:
        """Show losses, mean IoU and learning rate in the progress bar, which adds the time left."""
        measured = [row["miou"] for row in self.history if "miou" in row]
        newest = self._losses() if self.sums else (self.history[-1] if self.history else {})
        losses = {name: value for name, value in newest.items() if name.startswith("loss")}
        shown = {"epoch": f"{min(len(self.history) + 1, self.settings.epochs)}/{self.settings.epochs}"}
        shown |= {name.removeprefix(LOSS): f"{value:.3f}" for name, value in losses.items()}
        shown |= {"mIoU": f"{measured[-1]:.3f}" if measured else "-"}
        shown |= {"lr": f"{self.run.schedule.get_last_lr()[0]:.1e}"}
        bar.set_postfix(shown, refresh=False)  # a dictionary keeps its order

    def _export(self) -> Path:
        """Write the weights in half precision, as they are shipped."""
        settings, last = self.settings, self.history[-1]
        names = {"miou": last["miou"]} | {f"iou {n}": last[IOU + n] for n in CLASS_NAMES if IOU + n in last}
        metadata = models.Metadata(
            model=settings.model,
            known_classes=self.known,
            training=settings.training,
            term_weights=settings.terms,
            encoder=self.encoder.source,
            profile=settings.profile,
            size=list(settings.size),
            seed=settings.seed,
            epochs=settings.epochs,
            metrics={name: round(value, 4) for name, value in names.items()},
            command=self.command,
        )
        path = self.folder / f"{settings.model}_{settings.training}.safetensors"
        models.save_checkpoint(self.run.network, path, metadata, dtype=torch.float16)
        return path


def _encoder(settings: TrainingSettings, state: dict | None) -> models.Encoder:
    """Return what the encoder begins with: nothing of its own unless a new run is given a file."""
    if state or settings.encoder is None:
        return models.Encoder({}, state.get("encoder", {}) if state else {})
    return models.read_encoder(settings.model, settings.encoder, settings.num_classes)


def _known_classes(counts: torch.Tensor) -> list[int]:
    """Return the train ids that occur, void not counted; raise a ValueError if they cannot be learnt."""
    known = counts[:NUM_CLASSES].nonzero().flatten().tolist()
    if len(known) < 2:
        raise ValueError(f"training needs two classes, found {len(known)}; are these the right masks?")
    if len(counts) > VOID and not counts[VOID]:
        raise ValueError("no training pixel is void, so void cannot be learnt; are these the right masks?")
    return known
