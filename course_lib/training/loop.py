"""The training loop: it learns, measures, logs and saves, and survives what may happen to it."""

from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from course_lib import models, runtime
from course_lib.labels import CLASS_NAMES, IGNORE, NUM_CLASSES, VOID
from course_lib.training import ranks
from course_lib.training.checkpoint import save_state
from course_lib.training.interrupts import Interrupted, Request, catch_interrupts
from course_lib.training.logs import IOU, Log
from course_lib.training.progress import Progress
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

    Under torchrun, inside ``ranks.joined``, all processes call this and share every batch. Only the first one
    reads and writes the folder; all return the same.

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
    if settings.batch < ranks.count():
        raise ValueError(
            f"a batch of {settings.batch} cannot be shared by {ranks.count()} processes: choose a larger "
            "--batch or fewer processes"
        )
    if ranks.is_first():
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0) if ranks.is_first() else nullcontext():
            return _Training(settings, folder, resume, command).finish()
    except Timeout:
        raise ValueError(
            f"another process trains in {folder}; wait for it or choose another --output"
        ) from None


class _Training:
    """The pieces of one run, and what has been reached so far."""

    def __init__(self, settings: TrainingSettings, folder: Path, resume: bool, command: str) -> None:
        """Open everything that can fail before the first step."""
        self.settings, self.folder, self.checkpoint = settings, folder, folder / CHECKPOINT
        state = ranks.from_first(lambda: previous_state(folder, settings, resume))
        self.saved = state is not None
        self.command = state["command"] if state else command
        self.encoder = _encoder(settings, state)
        self.validation = settings.samples("val")
        samples = settings.samples("train")
        self.images = TrainingImages(samples, settings.size, settings.seed, settings.num_classes)
        ranks.check_same(_facts(settings, len(self.images), len(self.validation)))
        self.class_counts = self.images.class_counts()
        self.known = _known_classes(self.class_counts)
        if state:
            check_same_data(state, self.class_counts, len(self.images))
        self.per_epoch = len(Batches(len(self.images), settings.batch, 1, settings.seed))
        self.run = self._start(self.per_epoch * settings.epochs)
        self.progress = Progress(self.run.terms, state)
        if state:
            self.run.restore(state)
        elif not ranks.is_first():
            self.run.draw_anew()  # else all would drop the same features

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
        self.batches = Batches(len(self.images), settings.batch, settings.epochs, settings.seed, start)
        data = loader(self.images, self.batches, settings.workers, pinned=self.run.device.type == "cuda")
        bar = tqdm(
            total=start + len(self.batches),
            initial=start,
            desc=settings.model,
            unit="batch",
            smoothing=0.05,
            **ranks.only_first_shows(),
        )
        log = closing(Log(self.folder, self.progress.history)) if ranks.is_first() else nullcontext()
        with log as self.log, catch_interrupts() as request, bar:
            self._describe(bar)
            for images, targets in data:
                self._learn(images, targets)
                self._after_step(request)
                self._describe(bar)
                bar.update()
        return Trained(self._export(), self.progress.history)

    def _learn(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        """Take one step; if the run diverges, say where."""
        step = self.run.done
        epoch, batch = step // self.per_epoch + 1, step % self.per_epoch + 1
        targets[self.batches.own_images_in(step) :] = IGNORE
        try:
            values = self.run.step(images, targets)
        except Diverged as error:
            kept = f"the last good checkpoint is {self.checkpoint}" if self.saved else "before any checkpoint"
            raise Diverged(
                f"{error} in epoch {epoch}, batch {batch} of {self.per_epoch}; training stopped, {kept}; "
                "start anew with a smaller --learning-rate and another --output"
            ) from None
        self.progress.add(values, self.batches.images_in(step))

    def _after_step(self, request: Request) -> None:
        """Measure and log at the end of an epoch; save when it is time; stop if any process is asked to."""
        step, asked = self.run.done, ranks.largest(request.number)
        if step % self.per_epoch == 0:
            self._end_epoch()
        elif step % self.settings.checkpoint_every == 0 or asked:
            self._save()
        if asked:
            raise Interrupted(
                f"stopped after step {step} of {self.per_epoch * self.settings.epochs}, saved in "
                f"{self.checkpoint}; add --resume to go on",
                asked,
            )

    def _end_epoch(self) -> None:
        """Add a row to the history, and save it with the state."""
        row = self.progress.row(self.run.done, self.run.schedule.get_last_lr()[0])
        if row["epoch"] % self.settings.validate_every == 0 or row["epoch"] == self.settings.epochs:
            row |= validate(self.run, self.validation, self.known)
        self.progress.end_epoch(row)
        self._save()
        if self.log:
            self.log.write(self.progress.history)

    def _save(self) -> None:
        """Save the state of everything."""
        state = self.run.state()  # to which all processes contribute
        self.saved = True
        if not ranks.is_first():
            return
        about = {
            "settings": asdict(self.settings),
            "command": self.command,
            "encoder": self.encoder.source,
            "images": len(self.images),
            "class_counts": self.class_counts,
        }
        save_state(self.checkpoint, state | about | self.progress.state())

    def _describe(self, bar: tqdm) -> None:
        """Say in the progress bar, which adds the time left, how far the run is."""
        shown = self.progress.shown(self.settings.epochs, self.run.schedule.get_last_lr()[0])
        bar.set_postfix(shown, refresh=False)  # a dictionary keeps its order

    def _export(self) -> Path:
        """Write the weights in half precision, as they are shipped."""
        settings, last = self.settings, self.progress.history[-1]
        path = self.folder / f"{settings.model}_{settings.training}.safetensors"
        if not ranks.is_first():
            return path
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
        models.save_checkpoint(self.run.network, path, metadata, dtype=torch.float16)
        return path


def _encoder(settings: TrainingSettings, state: dict | None) -> models.Encoder:
    """Return what the encoder begins with: nothing of its own unless a new run is given a file."""
    if state or settings.encoder is None:
        return models.Encoder({}, state.get("encoder", {}) if state else {})
    return models.read_encoder(settings.model, settings.encoder, settings.num_classes)


def _facts(settings: TrainingSettings, images: int, validation_images: int) -> dict:
    """Return what must be the same in all processes that work together."""
    chosen = {name: value for name, value in asdict(settings).items() if name not in ("device", "workers")}
    return chosen | {"training images": images, "validation images": validation_images}


def _known_classes(counts: torch.Tensor) -> list[int]:
    """Return the train ids that occur, void not counted; raise a ValueError if they cannot be learnt."""
    known = counts[:NUM_CLASSES].nonzero().flatten().tolist()
    if len(known) < 2:
        raise ValueError(f"training needs two classes, found {len(known)}; are these the right masks?")
    if len(counts) > VOID and not counts[VOID]:
        raise ValueError("no training pixel is void, so void cannot be learnt; are these the right masks?")
    return known
