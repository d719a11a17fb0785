"""One optimiser step, and all that it changes."""

import math
import warnings
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from course_lib.losses import find_term, weight_sum
from course_lib.models import Network
from course_lib.training import parallel, ranks
from course_lib.training.memory import advice, free, guess, is_out_of_memory
from course_lib.training.samples import mixed
from course_lib.training.settings import PRECISIONS, TrainingSettings

EXPLODED = 1000.0
"""No loss of this course is larger per pixel, even of a network that knows nothing."""


SMALLEST_SCALE = 1e-3
"""Of fp16 losses; a scaler that has come down to this has skipped dozens of steps."""


class Diverged(ranks.SharedFate, RuntimeError):
    """A loss or a gradient is NaN, infinite or absurdly large; the weights were not changed by it."""


class TrainingRun:
    """A network with its optimiser, its schedule and its place in the run."""

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        weights: Tensor,
        steps: int,
        known_classes: Sequence[int] | None = None,
    ) -> None:
        """Move the network to its device and make the optimiser.

        Args:
            network: any network; changed in place.
            settings: of the run.
            weights: of each class in the loss.
            steps: of the whole run, for the learning rate's schedule.
            known_classes: those in the training data; by default all.
        """
        self.settings = settings
        self.device = torch.device(settings.device)
        # the fastest for convolutions on CPUs and CUDA; wrong gradients on Apple's GPUs (pytorch #175189)
        fast = self.device.type in ("cpu", "cuda")
        self.memory_format = torch.channels_last if fast else torch.contiguous_format
        network = parallel.share_statistics(network.to(self.device, memory_format=self.memory_format))
        self.network = network.train()
        self.heads = parallel.shared(self.network)
        self.weights = weights.to(self.device)
        recipe = settings.recipe
        self.optimizer = recipe.optimizer(
            recipe.parameter_groups(network), lr=settings.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = LambdaLR(self.optimizer, lambda step: recipe.rate_factor(step, steps))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=settings.precision == "fp16")
        self.terms = {name: find_term(name, known_classes) for name in settings.terms}
        self.done = 0

    def step(self, images: Tensor, targets: Tensor) -> dict[str, float]:
        """Learn from one batch, or from this process's share of it.

        Args:
            images: float32 (N, 3, H, W) in [0, 1].
            targets: train ids, 255 where void, int64 (N, H, W).

        Returns:
            The value of each loss term times its weight, summed over all heads of the network, for the whole
            batch.

        Raises:
            Diverged: before any weight is changed.
            MemoryError: if the batch does not fit; the message says what would.
        """
        values = self._attempt(images, targets)
        if values is None:  # outside of any except block, so that what the failed batch held is freed
            raise MemoryError(self._advice(images, targets))
        with warnings.catch_warnings():  # fp16 may skip the very first step, which the schedule finds odd
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
            self.schedule.step()
        self.done += 1
        return values

    def _attempt(self, images: Tensor, targets: Tensor) -> dict[str, float] | None:
        """Take the step; return the value of each loss term, or None if memory ran out."""
        self.optimizer.zero_grad()
        parts = self.settings.accumulate
        try:
            values = self._backward(images.chunk(parts), targets.chunk(parts))
            self._check(values)
            self.scaler.step(self.optimizer)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None
        self.scaler.update()
        return values

    def _backward(self, images: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> dict[str, float]:
        """Add up the gradients of all parts; the denominator of the loss is that of the whole batch."""
        targets = tuple(part.to(self.device, non_blocking=True) for part in targets)
        denominator = ranks.total(sum(weight_sum(part, self.weights) for part in targets)).clamp(min=1e-12)
        values = torch.zeros(len(self.terms), device=self.device)
        for part, (pictures, target) in enumerate(zip(images, targets, strict=True), start=1):
            exchange = nullcontext() if part == len(images) else parallel.unshared(self.heads)
            with exchange:
                terms = self._terms(pictures, target) / denominator
                # times the processes, over which the gradients are averaged
                self.scaler.scale(terms.sum() * ranks.count()).backward()
            values += terms.detach()
        return dict(zip(self.terms, ranks.total(values).tolist(), strict=True))

    def _terms(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted sum over pixels and heads of each loss term, before the division."""
        heads = self._all_logits(images)
        return torch.stack(
            [
                self.settings.terms[name] * sum(term(logits, targets, self.weights) for logits in heads)
                for name, term in self.terms.items()
            ]
        )

    def loss_sums(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the whole loss over the valid pixels, and that of their weights.

        Args:
            logits: of the network, float32 (N, C, H, W), on any device.
            targets: int64 (N, H, W), as for ``step``.

        Returns:
            float64 (2,), on the CPU; add up those of many images, then divide the first by the second.
        """
        logits, targets = logits.to(self.device), targets.to(self.device)
        with torch.no_grad():
            loss = sum(
                self.settings.terms[name] * term(logits, targets, self.weights)
                for name, term in self.terms.items()
            )
            return torch.stack([loss, weight_sum(targets, self.weights)]).double().cpu()

    def _all_logits(self, images: Tensor) -> list[Tensor]:
        """Run the network in the chosen precision; the logits of all heads are float32."""
        images = images.to(self.device, memory_format=self.memory_format, non_blocking=True)
        dtype = PRECISIONS[self.settings.precision]
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            heads = self.heads(images)
        return [logits.float() for logits in heads]

    def _check(self, values: dict[str, float]) -> None:
        """Raise unless all loss terms and the gradient are finite and sane."""
        for name, value in values.items():
            if not abs(value) < EXPLODED:  # so written, NaN is caught too
                raise Diverged(f"loss term {name} is {value:g}")
        if self.scaler.is_enabled():  # it looks for infinities itself, and skips the step
            if self.scaler.get_scale() < SMALLEST_SCALE:
                raise Diverged(f"the gradient of {' + '.join(values)} overflows fp16 at every step")
        else:
            gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
            norm = nn.utils.get_total_norm(gradients).item()
            if not math.isfinite(norm):
                raise Diverged(f"the gradient of {' + '.join(values)} is {norm:g}")

    def _advice(self, images: Tensor, targets: Tensor) -> str:
        """Find out in how many parts the batch would fit."""

        def attempt(number: int) -> None:
            try:
                self._backward((images[:number],), (targets[:number],))
            finally:
                self.optimizer.zero_grad()
                free(self.device)

        self.optimizer.zero_grad()
        free(self.device)
        if ranks.count() > 1:  # the others wait elsewhere and cannot take part in attempts
            return guess(images.shape, self.device, self.settings.accumulate)
        return advice(images.shape, self.device, attempt)

    def state(self) -> dict:
        """Return everything that the next step depends on, the dropout of other processes included."""
        random = {"random": torch.get_rng_state(), "random_device": self._device_random()}
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.done,
            **random,
            "random_of_others": ranks.gathered(random)[1:],
        }

    def restore(self, state: dict) -> None:
        """Continue from what ``state`` returned, bit for bit on the same machine with as many processes.

        With another number of them dropout is drawn anew, from the seed and the step.
        """
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.done = state["step"]
        saved = [state, *state.get("random_of_others", [])]
        if len(saved) == ranks.count():
            self._restore_random(saved[ranks.number()])
        else:
            self.draw_anew()

    def draw_anew(self) -> None:
        """Begin another sequence of random numbers, which depends on seed, rank and step alone."""
        torch.manual_seed(mixed(self.settings.seed, ranks.number(), self.done))

    def _restore_random(self, saved: dict) -> None:
        """Continue the sequence of random numbers that a state of this process holds."""
        torch.set_rng_state(saved["random"])
        if self.device.type != "cpu" and saved["random_device"] is not None:
            module = torch.get_device_module(self.device)
            module.set_rng_state(saved["random_device"], *self._which())

    def _device_random(self) -> Tensor | None:
        """Return the state of the device's own generator, which draws the dropout; a CPU has none."""
        if self.device.type == "cpu":
            return None
        return torch.get_device_module(self.device).get_rng_state(*self._which())

    def _which(self) -> tuple[torch.device, ...]:
        """Return the argument by which torch finds the generator; there is only one Apple GPU."""
        return (self.device,) if self.device.type == "cuda" else ()
