"""The training loop: it learns, measures, logs and saves, and survives what may happen to it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock, Timeout
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import evaluation, models, runtime
from course_lib.data import Sample
from course_lib.labels import CLASS_NAMES, IGNORE, NUM_CLASSES, VOID, void_as_class
from course_lib.losses import weight_sum
from course_lib.metrics import Confusion
from course_lib.training import processes
from course_lib.training.files import (
    CHECKPOINT,
    IOU,
    LOSS,
    VALIDATION_LOSS,
    Log,
    check_same_data,
    previous_state,
    save_state,
)
from course_lib.training.samples import Batches, TrainingImages, loader
from course_lib.training.settings import TrainingSettings
from course_lib.training.trainer import Diverged, Trainer


class Trained(NamedTuple):
    """What a finished training leaves."""

    weights: Path
    """fp16 safetensors with metadata."""
    history: list[dict]
    """One row per epoch, as in ``log.csv``."""


def train(settings: TrainingSettings, folder: Path, resume: bool = False, command: str = "") -> Trained:
    """Train a network from the beginning, or go on with an interrupted run.

    Under torchrun, inside ``processes.joined``, all processes call this and share every batch. Only the first
    one reads and writes the folder, measures and returns the whole history.

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
        MemoryError: if a batch does not fit; the message says what may help.
        Interrupted: after Ctrl-C or SIGTERM; the state is saved.
    """
    if settings.batch < processes.count():
        raise ValueError(
            f"a batch of {settings.batch} cannot be shared by {processes.count()} processes: choose a larger "
            "--batch or fewer processes"
        )
    first, checkpoint = processes.rank() == 0, folder / CHECKPOINT
    with _nobody_else_in(folder) if first else nullcontext():
        state = processes.from_first(lambda: previous_state(folder, settings, resume))
        encoder = _encoder(settings, state)
        validation, samples = settings.samples("val"), settings.samples("train")
        images = TrainingImages(samples, settings.size, settings.seed, settings.num_classes)
        class_counts = images.class_counts()
        known = _known_classes(class_counts)
        if state:
            check_same_data(state, class_counts, len(images))

        per_epoch = len(Batches(len(images), settings.batch, epochs=1, seed=settings.seed))
        steps = per_epoch * settings.epochs
        trainer = _trainer(settings, encoder, class_counts, known, steps)
        if state:
            trainer.restore(state)
        trainer.draw_own_dropout()
        about = {
            "settings": asdict(settings),
            "command": state["command"] if state else command,
            "encoder": encoder.source,
            "images": len(images),
            "class_counts": class_counts,
        }

        def save() -> None:
            if first:
                save_state(checkpoint, trainer.state() | about)

        batches = Batches(len(images), settings.batch, settings.epochs, settings.seed, start=trainer.done)
        data = iter(loader(images, batches, settings.workers, pinned=trainer.device.type == "cuda"))
        shown = {"desc": settings.model, "unit": "batch", "smoothing": 0.05} | processes.only_first_shows()
        with (
            closing(Log(folder, trainer.history)) if first else nullcontext() as log,
            processes.catch_interrupts() as request,
            tqdm(total=steps, initial=trainer.done, **shown) as bar,
        ):
            for epoch in range(len(trainer.history) + 1, settings.epochs + 1):
                end = epoch * per_epoch
                try:
                    asked = train_one_epoch(trainer, data, end, save, request, bar)
                except Diverged as error:
                    raise Diverged(_where(error, trainer.done, per_epoch, checkpoint)) from None
                if trainer.done == end:
                    row = _row(trainer, epoch, len(images))
                    if first and (epoch % settings.validate_every == 0 or epoch == settings.epochs):
                        row |= validate(trainer, validation, known)
                    trainer.history.append(row)
                    trainer.sums, trainer.seconds = {}, 0.0
                    _show(bar, trainer)
                save()
                if first and trainer.done == end:
                    log.write(trainer.history)
                if asked:
                    raise processes.Interrupted(
                        f"stopped after step {trainer.done} of {steps}, saved in {checkpoint}; "
                        "add --resume to go on",
                        asked,
                    )
        path = folder / f"{settings.model}_{settings.training}.safetensors"
        if first:
            _export(trainer, path, known, about)
        return Trained(path, trainer.history)


def train_one_epoch(
    trainer: Trainer,
    data: Iterator[tuple[Tensor, Tensor]],
    end: int,
    save: Callable[[], None],
    request: processes.Request,
    bar: tqdm,
) -> int:
    """Learn from the batches of an epoch that are left, and save the state now and then.

    Args:
        trainer: takes the steps.
        data: batches of images and targets, as for ``Trainer.step``.
        end: how many steps are done when the epoch is.
        save: is called after every ``checkpoint_every`` steps within the epoch.
        request: to stop.
        bar: shows how far the run is.

    Returns:
        The number of the signal by which somebody asked to stop, 0 if nobody did.
    """
    began, asked = time.monotonic() - trainer.seconds, 0
    for images, targets in islice(data, end - trainer.done):
        trainer.step(images, targets)
        trainer.seconds = time.monotonic() - began
        _show(bar, trainer)
        bar.update()
        asked = processes.asked_to_stop(request)
        if asked:
            break
        if trainer.done % trainer.settings.checkpoint_every == 0 and trainer.done < end:
            save()
    return asked


def validate(trainer: Trainer, samples: Sequence[Sample], known_classes: Sequence[int]) -> dict[str, float]:
    """Measure loss, mean IoU and the IoU of each class, all at the size of the targets.

    Args:
        trainer: its network, loss and settings.
        samples: images with targets of train ids and 255.
        known_classes: those in the training data. Pixels of other classes have no part in the loss: an output
            that was never trained can only be wrong.

    Returns:
        ``validation_loss`` (of the network's own logits, without auxiliary heads; lower is better), ``miou``
        and one ``iou_...`` per class (fractions; higher is better).
    """
    settings = evaluation.Settings(
        size=trainer.settings.size, known_classes=tuple(known_classes), device=trainer.device
    )
    learnable = torch.tensor([*known_classes, IGNORE])
    counts, loss, weight = Confusion(), 0.0, 0.0
    for one in evaluation.segmented(trainer.network, samples, settings, progress=False):
        target = one.sample.target.long()
        counts.update(one.predicted, target)
        learnt = void_as_class(target) if trainer.settings.num_classes > VOID else target
        learnt = learnt.masked_fill(~torch.isin(target, learnable), IGNORE)[None].to(trainer.device)
        with torch.no_grad():
            loss += trainer.loss_terms([one.logits[None].to(trainer.device)], learnt).sum().item()
        weight += weight_sum(learnt, trainer.weights).item()
    ious = {IOU + name: value for name, value in counts.iou().items()}
    return {VALIDATION_LOSS: loss / max(weight, 1e-12), "miou": counts.mean_iou()} | ious


@contextmanager
def _nobody_else_in(folder: Path) -> Iterator[None]:
    """Keep a folder to this process."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(
            f"another process trains in {folder}; wait for it or choose another --output"
        ) from None


def _encoder(settings: TrainingSettings, state: dict | None) -> models.Encoder:
    """Return what the encoder begins with: nothing of its own unless a new run is given a file."""
    if state or settings.encoder is None:
        return models.Encoder({}, state.get("encoder", {}) if state else {})
    return models.read_encoder(settings.model, settings.encoder, settings.num_classes)


def _known_classes(counts: Tensor) -> list[int]:
    """Return the train ids that occur, void not counted; raise a ValueError if they cannot be learnt."""
    known = counts[:NUM_CLASSES].nonzero().flatten().tolist()
    if len(known) < 2:
        raise ValueError(f"training needs two classes, found {len(known)}; are these the right masks?")
    if len(counts) > VOID and not counts[VOID]:
        raise ValueError("no training pixel is void, so void cannot be learnt; are these the right masks?")
    return known


def _trainer(
    settings: TrainingSettings, encoder: models.Encoder, counts: Tensor, known: Sequence[int], steps: int
) -> Trainer:
    """Return a trainer at the beginning of a run."""
    runtime.seed_everything(settings.seed)
    # else cuDNN may choose other algorithms after a resume, or add in another order
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    network = models.build(settings.model, settings.num_classes, settings.head)
    network.load_state_dict(encoder.tensors, strict=False)
    return Trainer(network, settings, settings.recipe.weighting(counts / counts.sum()), steps, known)


def _show(bar: tqdm, trainer: Trainer) -> None:
    """Say in the progress bar how far the run is: epoch, losses, newest mean IoU and learning rate."""
    history = trainer.history
    newest = trainer.losses() if trainer.sums else (history[-1] if history else {})
    measured = [f"{row['miou']:.3f}" for row in history if "miou" in row]
    epochs = trainer.settings.epochs
    shown = {"epoch": f"{min(len(history) + 1, epochs)}/{epochs}"}
    shown |= {k.removeprefix(LOSS): f"{v:.3f}" for k, v in newest.items() if k.startswith("loss")}
    shown |= {"mIoU": (measured or ["-"])[-1], "lr": f"{trainer.schedule.get_last_lr()[0]:.1e}"}
    bar.set_postfix(shown, refresh=False)  # a dictionary keeps its order


def _row(trainer: Trainer, epoch: int, images: int) -> dict[str, float]:
    """Return the row of the epoch that has just been learnt, before anything is measured."""
    return {
        "epoch": epoch,
        "step": trainer.done,
        **trainer.losses(),
        "learning_rate": trainer.schedule.get_last_lr()[0],  # of the next step
        "seconds": round(trainer.seconds, 2),
        "images_per_second": round(images / trainer.seconds, 2),
    }


def _where(error: Diverged, step: int, per_epoch: int, checkpoint: Path) -> str:
    """Say where a run diverged, and what to do."""
    kept = f"the last good checkpoint is {checkpoint}" if checkpoint.exists() else "before any checkpoint"
    return (
        f"{error} in epoch {step // per_epoch + 1}, batch {step % per_epoch + 1} of {per_epoch}; training "
        f"stopped, {kept}; start anew with a smaller --learning-rate and another --output"
    )


def _export(trainer: Trainer, path: Path, known: Sequence[int], about: dict) -> None:
    """Write the weights in half precision, as they are shipped."""
    settings, last = trainer.settings, trainer.history[-1]
    names = {"miou": last["miou"]} | {f"iou {n}": last[IOU + n] for n in CLASS_NAMES if IOU + n in last}
    metadata = models.Metadata(
        model=settings.model,
        known_classes=list(known),
        training=settings.training,
        term_weights=settings.terms,
        encoder=about["encoder"],
        profile=settings.profile,
        size=list(settings.size),
        seed=settings.seed,
        epochs=settings.epochs,
        metrics={name: round(value, 4) for name, value in names.items()},
        command=about["command"],
    )
    models.save_checkpoint(trainer.network, path, metadata, dtype=torch.float16)
