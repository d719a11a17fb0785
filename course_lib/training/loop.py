"""The training loop: it learns, measures, logs and saves, and survives what may happen to it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from course_lib import evaluation, models, runtime
from course_lib.data import Sample
from course_lib.labels import CLASS_NAMES, IGNORE, NUM_CLASSES, VOID, void_as_class
from course_lib.losses import weight_sum
from course_lib.metrics import Confusion
from course_lib.models import Network
from course_lib.scores import energy
from course_lib.training import processes
from course_lib.training.files import CHECKPOINT, nobody_else_in, previous_state, save_state, write_log
from course_lib.training.recipes import TRAININGS
from course_lib.training.samples import Batches, TrainingImages, loader, mixed
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
        ValueError: if a setting does not fit the data or the interrupted run, the folder holds another, or
            the package of the encoder is missing or not the right one.
        FileNotFoundError: if the data set, or the file of the encoder, is missing.
        OSError: if the disk is full; the previous checkpoint is kept.
        Diverged: if a loss or a gradient is NaN, infinite or too large; the last good checkpoint is kept.
        MemoryError: if a batch does not fit; the message says what may help.
        Interrupted: after Ctrl-C or SIGTERM; the state is saved.
    """
    from torch.utils.tensorboard import SummaryWriter  # here: a second to load, for this alone

    if settings.batch < processes.count():
        raise ValueError(
            f"a batch of {settings.batch} cannot be shared by {processes.count()} processes: choose a larger "
            "--batch or fewer processes"
        )
    runtime.reuse_memory()
    first, checkpoint = processes.rank() == 0, folder / CHECKPOINT
    with nobody_else_in(folder) if first else nullcontext():
        state = processes.from_first(lambda: previous_state(folder, settings, resume))
        trainer, images, validation, about = _beginning(settings, state, command)
        batches = Batches(len(images), settings.batch, settings.epochs, settings.seed, start=trainer.done)
        data = iter(loader(images, batches, settings.workers, pinned=trainer.device.type == "cuda"))
        per_epoch, steps = batches.per_epoch, batches.per_epoch * settings.epochs

        def save() -> None:
            if first:
                save_state(checkpoint, trainer.state() | about)

        shown = {"desc": settings.model, "unit": "batch", "smoothing": 0.05} | processes.only_first_shows()
        forget = {"purge_step": max(1, len(trainer.history))}  # what came later in an interrupted run
        with (
            SummaryWriter(folder / "tensorboard", **forget) if first else nullcontext() as events,
            processes.catch_interrupts() as request,
            tqdm(total=steps, initial=trainer.done, **shown) as bar,
        ):
            if first and trainer.history:  # a kill may have come between the checkpoint and its row
                write_log(folder, trainer.history, events)
            for epoch in range(len(trainer.history) + 1, settings.epochs + 1):
                end = epoch * per_epoch
                try:
                    asked = train_one_epoch(trainer, data, end, save, request, bar)
                except Diverged as error:
                    kept = f"the last good checkpoint is {checkpoint}"
                    raise Diverged(
                        f"{error} in epoch {epoch}, batch {trainer.done % per_epoch + 1} of {per_epoch}; "
                        f"training stopped, {kept if checkpoint.exists() else 'before any checkpoint'}; "
                        "start anew with a smaller --learning-rate and another --output"
                    ) from None
                if trainer.done == end:
                    row = trainer.row(epoch, len(images))
                    if first and (epoch % settings.validate_every == 0 or epoch == settings.epochs):
                        row |= validate(trainer, validation)
                    trainer.history.append(row)
                    trainer.sums, trainer.seconds = {}, 0.0
                save()
                if first and trainer.done == end:
                    write_log(folder, trainer.history, events)
                if asked:
                    raise processes.Interrupted(
                        f"stopped after step {trainer.done} of {steps}, saved in {checkpoint}; "
                        "add --resume to go on",
                        asked,
                    )
        path = folder / settings.weights_name
        if first:
            _export(trainer, path, about)
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
    began = time.monotonic() - trainer.seconds
    shown = {"epoch": f"{len(trainer.history) + 1}/{trainer.settings.epochs}"}
    if mean_ious := [row["miou"] for row in trainer.history if "miou" in row]:
        shown["mIoU"] = mean_ious[-1]
    for images, targets in islice(data, end - trainer.done):
        trainer.step(images, targets)
        trainer.seconds = time.monotonic() - began
        shown |= trainer.losses() | {"lr": trainer.schedule.get_last_lr()[0]}
        bar.set_postfix(shown, refresh=False)
        bar.update()
        if asked := processes.asked_to_stop(request):
            return asked
        if trainer.done % trainer.settings.checkpoint_every == 0 and trainer.done < end:
            save()
    return 0


def validate(trainer: Trainer, samples: Sequence[Sample]) -> dict[str, float]:
    """Measure loss, mean IoU and the IoU of each class, all at the size of the targets.

    Args:
        trainer: its network, loss and settings. Pixels of classes that it does not know have no part in the
            loss: an output that was never trained can only be wrong.
        samples: images with targets of train ids and 255.

    Returns:
        ``validation_loss`` (of the network's own logits, without auxiliary heads; lower is better), ``miou``
        and one ``iou_...`` per class (fractions; higher is better).
    """
    known = tuple(trainer.known_classes)
    settings = evaluation.Settings(size=trainer.settings.size, known_classes=known, device=trainer.device)
    learnable = torch.tensor([*known, IGNORE])
    counts, loss, weight = Confusion(), 0.0, 0.0
    for one in evaluation.segmented(trainer.network, samples, settings, progress=False):
        target = one.sample.target.long()
        counts.update(one.predicted, target)
        # IGNORE stays left out; void is the 20th class by now, where void is learnt
        learnt = void_as_class(target) if trainer.settings.num_classes > VOID else target
        learnt = learnt.masked_fill(~torch.isin(target, learnable), IGNORE)[None].to(trainer.device)
        with torch.no_grad():
            loss += trainer.loss_terms([one.logits[None].to(trainer.device)], learnt).sum().item()
        weight += weight_sum(learnt, trainer.weights).item()
    ious = {f"iou_{name}": value for name, value in counts.iou().items()}
    return {"validation_loss": loss / max(weight, 1e-12), "miou": counts.mean_iou()} | ious


def _beginning(
    settings: TrainingSettings, state: dict | None, command: str
) -> tuple[Trainer, TrainingImages, Sequence[Sample], dict]:
    """Return trainer, images to learn from and to measure on, and what is saved beside its state."""
    encoder, margins = models.Encoder({}, state.get("encoder", {}) if state else {}), None
    if settings.encoder and not state:  # a run that goes on has its weights in the state
        if settings.encoder == models.IMAGENET:
            encoder = models.imagenet_encoder(settings.model)
        else:
            encoder = models.read_encoder(settings.model, settings.encoder, settings.num_classes)
    elif settings.start and not state:
        encoder = models.read_network(settings.model, settings.start, settings.num_classes, settings.head)
    validation, samples = settings.samples("val"), settings.samples("train")
    with_outliers = TRAININGS[settings.training].with_outliers
    images = TrainingImages(samples, settings.size, settings.seed, settings.num_classes, with_outliers)
    counts = images.class_counts()
    known = counts[:NUM_CLASSES].nonzero().flatten().tolist()
    if len(known) < 2:
        raise ValueError(f"training needs two classes, found {len(known)}; are these the right masks?")
    if len(counts) > VOID and not counts[VOID]:
        raise ValueError("no training pixel is void, so void cannot be learnt; are these the right masks?")
    if state and (state["images"] != len(images) or not state["class_counts"].equal(counts)):
        raise ValueError(
            f"the training data has changed since this run began ({state['images']} images then, "
            f"{len(images)} now, or other labels): bring it back, or start anew with another --output"
        )

    runtime.seed_everything(settings.seed)
    # else cuDNN may choose other algorithms after a resume, or add in another order
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    network = models.build(settings.model, settings.num_classes, settings.head)
    network.load_state_dict(encoder.tensors, strict=False)
    steps = len(Batches(len(images), settings.batch, settings.epochs, settings.seed))
    if "energy" in settings.terms:
        margins = state["margins"] if state else energy_margins(network, images, known)
    weights = settings.recipe.weighting(counts / counts.sum())
    trainer = Trainer(network, settings, weights, steps, known, margins)
    if state:
        trainer.restore(state)
    if processes.rank():  # the processes after the first drop other features than it does
        torch.manual_seed(mixed(settings.seed, processes.rank(), trainer.done))
    about = {"settings": asdict(settings), "command": state["command"] if state else command}
    about |= {"encoder": encoder.source, "images": len(images), "class_counts": counts, "margins": margins}
    return trainer, images, validation, about


@torch.no_grad()
def energy_margins(network: Network, images: TrainingImages, known_classes: list[int]) -> tuple[float, float]:
    """Return the energies that half and 99 % of the pixels of some training images do not exceed.

    Args:
        network: trained, on the CPU.
        images: of the run; at most 64 of them are looked at, without anything pasted in.
        known_classes: the channels that take part.
    """
    found = []
    was_training = network.training
    network.eval()
    for index in range(0, len(images), -(-len(images) // 64)):
        image, target = images.resized(index)
        energies = energy(network(image[None].float() / 255), known_classes)[0]
        found.append(energies[target < NUM_CLASSES][::7])  # neighbours are alike
    network.train(was_training)
    median, high = torch.cat(found).quantile(torch.tensor([0.5, 0.99])).tolist()
    return median, high


def _export(trainer: Trainer, path: Path, about: dict) -> None:
    """Write the weights in half precision, as they are shipped."""
    settings, last = trainer.settings, trainer.history[-1]
    ious = {f"iou {name}": last[f"iou_{name}"] for name in CLASS_NAMES if f"iou_{name}" in last}
    measured = {"miou": last["miou"]} | ious
    metadata = models.Metadata(
        model=settings.model,
        known_classes=list(trainer.known_classes),
        training=settings.training,
        term_weights=settings.terms,
        encoder=about["encoder"],
        profile=settings.profile,
        size=list(settings.size),
        seed=settings.seed,
        epochs=settings.epochs,
        metrics={name: round(value, 4) for name, value in measured.items()},
        command=about["command"],
    )
    models.save_checkpoint(trainer.network, path, metadata, dtype=torch.float16)
