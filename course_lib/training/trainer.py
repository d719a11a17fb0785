"""One optimiser step, and all that it depends on and changes."""

import math
import warnings
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR

from course_lib.inference import PRECISIONS
from course_lib.labels import IGNORE, OUTLIER
from course_lib.losses import SEE_OUTLIERS, find_term, weight_sum
from course_lib.models import Network
from course_lib.training import processes
from course_lib.training.settings import TrainingSettings

STATEFUL = ("network", "optimizer", "schedule", "scaler")


class Diverged(RuntimeError):
    """A loss or a gradient is NaN, infinite or absurdly large; the weights were not changed by it."""


class AllLogits(nn.Sequential):
    """Holds a network, to call its ``all_logits``: torch shares the work of modules alone."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to logits (N, C, H, W) of each head."""
        return self[0].all_logits(images)


class Trainer:
    """A network in training, with optimiser, schedule and what it has reached; ``state`` is all of it.

    Under torchrun the processes share each batch: the network is the same in all of them after each step.

    Attributes:
        network: the network.
        done: how many steps were taken.
        history: one row per finished epoch.
        sums: of each loss term over the steps of the epoch in hand, and the number of its ``batches``.
        seconds: that the epoch in hand has taken.
    """

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        weights: Tensor,
        steps: int,
        known_classes: Sequence[int] | None = None,
        margins: tuple[float, float] | None = None,
    ) -> None:
        """Move the network to its device and make the optimiser.

        Args:
            network: any network; changed in place.
            settings: of the run.
            weights: of each class in the loss.
            steps: of the whole run, for the learning rate's schedule.
            known_classes: those in the training data; by default all.
            margins: of ``energy_hinge``, if a term of the loss needs them.
        """
        self.settings, self.device, self.done = settings, torch.device(settings.device), 0
        self.known_classes = known_classes
        # a device has a generator of its own for dropout; a CPU has none, and there is only one Apple GPU
        self._dropout = None if self.device.type == "cpu" else torch.get_device_module(self.device)
        self._which = (self.device,) if self.device.type == "cuda" else ()
        # the fastest for convolutions on CPUs and CUDA; wrong gradients on Apple's GPUs (pytorch #175189)
        fast = self.device.type in ("cpu", "cuda")
        self.memory_format = torch.channels_last if fast else torch.contiguous_format
        network = network.to(self.device, memory_format=self.memory_format)
        several = processes.count() > 1
        if several and self.device.type == "cuda":  # elsewhere each process normalises by its own images
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self.network, self.heads = network.train(), AllLogits(network)
        self.weights = weights.to(self.device)
        recipe = settings.recipe
        rate = settings.learning_rate
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not (settings.decoder_only and network.is_encoder(name)))
        trained_before = settings.encoder is not None or settings.start is not None
        groups = recipe.parameter_groups(network, rate, encoder_is_trained=trained_before)
        self.optimizer = recipe.optimizer(groups, lr=rate, weight_decay=recipe.weight_decay)
        if several:
            for name in network.idle_names:  # else torch would wait for their gradients
                network.get_submodule(name).requires_grad_(False)
            self.heads = DistributedDataParallel(self.heads)  # also copies weights and buffers of the first
        self.schedule = LambdaLR(self.optimizer, lambda step: recipe.schedule(step, steps))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=settings.precision == "fp16")
        self.terms = {name: find_term(name, known_classes, margins) for name in settings.terms}
        self.history: list[dict] = []
        self.sums: dict[str, float] = {}
        self.seconds = 0.0

    def step(self, images: Tensor, targets: Tensor) -> dict[str, float]:
        """Learn from one batch, or from this process's share of it.

        Args:
            images: float32 (N, 3, H, W) in [0, 1].
            targets: train ids, 255 where void, ``OUTLIER`` where something strange is, int64 (N, H, W).

        Returns:
            The value of each loss term times its weight, summed over all heads of the network, for the whole
            batch.

        Raises:
            Diverged: before any weight is changed.
            MemoryError: if the batch does not fit; the message says what may help.
        """
        self.optimizer.zero_grad()
        if self.settings.start:
            hold_still(self.network, self.settings.decoder_only)
        try:
            values = self._backward(images, targets)
            self._check(values)
            self.scaler.step(self.optimizer)
        except RuntimeError as error:
            said = ("out of memory", "not enough memory", "can't allocate memory")  # by CUDA and the systems
            if not any(phrase in str(error).lower() for phrase in said):
                raise
            parts, (count, _, height, width) = self.settings.accumulate, images.shape
            cure = f"add --accumulate {min(2 * parts, count)} or " if parts < count else ""
            raise MemoryError(
                f"a batch of {count} images of {height} x {width} in {parts} part(s) does not fit into the "
                f"memory of {self.device}: {cure}choose a smaller --size"
            ) from None
        self.scaler.update()
        with warnings.catch_warnings():  # fp16 may skip the very first step, which the schedule finds odd
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
            self.schedule.step()
        self.done += 1
        for name, value in (values | {"batches": 1}).items():
            self.sums[name] = self.sums.get(name, 0) + value
        return values

    def losses(self) -> dict[str, float]:
        """Return the mean loss of the epoch so far and, where there are several terms, that of each."""
        terms = {f"loss_{name}": self.sums[name] / self.sums["batches"] for name in self.terms}
        return {"loss": sum(terms.values())} | (terms if len(terms) > 1 else {})

    def row(self, epoch: int, images: int) -> dict[str, float]:
        """Return the row of the history for an epoch of so many images, before anything is measured."""
        return {
            "epoch": epoch,
            "step": self.done,
            **self.losses(),
            "learning_rate": self.schedule.get_last_lr()[0],  # of the next step
            "seconds": round(self.seconds, 2),
            "images_per_second": round(images / self.seconds, 2),
        }

    def _backward(self, images: Tensor, targets: Tensor) -> dict[str, float]:
        """Add up the gradients of all parts; the denominator of the loss is that of the whole batch."""
        targets, number = targets.to(self.device, non_blocking=True), self.settings.accumulate
        parts = list(zip(images.chunk(number), targets.chunk(number), strict=True))
        weight = sum(weight_sum(target, self.weights) for _, target in parts)
        denominator = processes.total(weight).clamp(min=1e-12)
        values = torch.zeros(len(self.terms), device=self.device)
        for done, (pictures, target) in enumerate(parts, start=1):
            alone = processes.count() > 1 and done < len(parts)
            with self.heads.no_sync() if alone else nullcontext():  # gradients travel once per step
                terms = self.loss_terms(self.all_logits(pictures), target) / denominator
                # times the processes, over which the gradients are averaged
                self.scaler.scale(terms.sum() * processes.count()).backward()
            values += terms.detach()
        return dict(zip(self.terms, processes.total(values).tolist(), strict=True))

    def all_logits(self, images: Tensor) -> list[Tensor]:
        """Run the network in the chosen precision; the logits of all heads are float32."""
        images = images.to(self.device, memory_format=self.memory_format, non_blocking=True)
        half = PRECISIONS[self.settings.precision]
        with torch.autocast(self.device.type, half, enabled=half is not None):
            heads = self.heads(images)
        return [logits.float() for logits in heads]

    def loss_terms(self, heads: Sequence[Tensor], targets: Tensor) -> Tensor:
        """Return each loss term times its weight, summed over pixels and heads; ``weight_sum`` divides it.

        Args:
            heads: logits float32 (N, C, H, W), one or several.
            targets: as for ``step``, on the same device.
        """
        ordinary = targets.masked_fill(targets == OUTLIER, IGNORE)
        seen = {name: targets if name in SEE_OUTLIERS else ordinary for name in self.terms}
        return torch.stack(
            [
                self.settings.terms[name] * sum(term(logits, seen[name], self.weights) for logits in heads)
                for name, term in self.terms.items()
            ]
        )

    def _check(self, values: dict[str, float]) -> None:
        """Raise unless all loss terms and the gradient are finite and sane."""
        for name, value in values.items():
            # none is so large per pixel, even of a network that knows nothing; so written, NaN is caught too
            if not abs(value) < 1000:
                raise Diverged(f"loss term {name} is {value:g}")
        if self.scaler.is_enabled():  # it looks for infinities itself, and skips the step
            if self.scaler.get_scale() < 1e-3:  # after dozens of steps that it skipped
                raise Diverged(f"the gradient of {' + '.join(values)} overflows fp16 at every step")
        else:
            gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
            norm = nn.utils.get_total_norm(gradients).item()
            if not math.isfinite(norm):
                raise Diverged(f"the gradient of {' + '.join(values)} is {norm:g}")

    def state(self) -> dict:
        """Return everything that the next step, or the next row of the history, depends on."""
        return {
            **{name: getattr(self, name).state_dict() for name in STATEFUL},
            "step": self.done,
            "history": self.history,
            "sums": self.sums,
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
            "random_device": self._dropout.get_rng_state(*self._which) if self._dropout else None,
        }

    def restore(self, state: dict) -> None:
        """Continue from what ``state`` returned, bit for bit with one process on the same machine."""
        for name in STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        self.done, self.seconds = state["step"], state["seconds"]
        self.history, self.sums = state["history"], state["sums"]
        torch.set_rng_state(state["random"])
        if self._dropout and state["random_device"] is not None:
            self._dropout.set_rng_state(state["random_device"], *self._which)


def hold_still(network: Network, encoder: bool) -> None:
    """Put batch normalisation, and at will the whole encoder, in evaluation mode: their statistics stay.

    Args:
        network: in training mode otherwise.
        encoder: whether its encoder is meant, too.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) or (encoder and network.is_encoder(name)):
            module.eval()
