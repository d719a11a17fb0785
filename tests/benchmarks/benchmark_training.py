"""Training against a plain loop, in one run: pytest tests/benchmarks/benchmark_training.py

The plain loop does what most tutorials do: it decodes each image when it is needed, with the default memory
format, and no check, no checkpoint, no resumable order. Also all networks and precisions, where a step's time
goes, and what void training costs with each network, in a process of its own.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from course_lib import data, models, profiling, runtime, training
from course_lib.labels import VOID
from course_lib.losses import class_weights
from course_lib.training.samples import Batches, TrainingImages, loader

STEPS, WARM_UP = 30, 3
SETTINGS = training.settings_for("mini", "erfnet", torch.device("cpu"))


class Plain(Dataset):
    """Decode, resize, flip and shift when asked."""

    def __init__(self):
        self.samples = data.SEGMENTATION_SETS["mini"]("train")
        self.augment = data.Augmentation(SETTINGS.size)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        sample = self.samples[index]
        return self.augment(*data.resized_pair(sample.image, sample.target, SETTINGS.size))


def plain_steps():
    """Yield after each step of the plain loop."""
    network = models.build("erfnet").train()
    optimizer = torch.optim.Adam(network.parameters(), lr=SETTINGS.learning_rate, weight_decay=1e-4)
    weights = class_weights(torch.full((19,), 1 / 19), 1.10)
    for images, targets in DataLoader(Plain(), SETTINGS.batch, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(network(images), targets, weights, ignore_index=255).backward()
        optimizer.step()
        yield


def our_steps(model="erfnet", precision="fp32"):
    """Yield after each step of the course's loop, with void as a class."""
    device = torch.device("cpu")
    settings = training.settings_for("mini", model, device, training="void", precision=precision)
    samples = data.SEGMENTATION_SETS["mini"]("train")
    images = TrainingImages(samples, settings.size, settings.seed, settings.num_classes)
    run = training.Trainer(models.build(model, VOID + 1), settings, torch.ones(VOID + 1), 1000)
    for batch in loader(images, Batches(len(images), settings.batch, 1, 0), workers=0, pinned=False):
        run.step(*batch)
        yield


def many_steps(steps):
    for _ in range(STEPS):
        next(steps)


WAYS = {"plain": plain_steps} | {
    f"ours, {model}, {precision}": partial(our_steps, model, precision)
    for model in models.PAPER_NETWORKS
    for precision in ("fp32", "bf16")
}


@pytest.mark.parametrize("way", WAYS)
def test_steps_of_four_images(benchmark, way):
    steps = WAYS[way]()
    for _ in range(WARM_UP):
        next(steps)
    benchmark.pedantic(many_steps, args=(steps,), rounds=2)
    benchmark.extra_info["images_per_second"] = STEPS * SETTINGS.batch / benchmark.stats.stats.min


def test_where_the_time_of_a_step_goes(capsys):
    images = TrainingImages(data.SEGMENTATION_SETS["mini"]("train"), SETTINGS.size, 0)
    run = training.Trainer(models.build("erfnet"), SETTINGS, torch.ones(19), 1000)
    batches = loader(images, Batches(len(images), SETTINGS.batch, 1, 0), workers=0, pinned=False)
    seconds = dict.fromkeys(("prepare images", "forward", "loss and backward", "check and optimiser"), 0.0)

    def timed(name, action):
        started = time.perf_counter()
        result = action()
        seconds[name] += time.perf_counter() - started
        return result

    iterator = iter(batches)
    for _ in range(STEPS):
        pictures, target = timed("prepare images", lambda: next(iterator))
        (logits,) = timed("forward", lambda p=pictures: run.all_logits(p))
        loss = run.terms["ce"](logits, target, run.weights) / target.numel()
        timed("loss and backward", loss.backward)
        timed("check and optimiser", lambda: (run._check({"ce": 1.0}), run.optimizer.step()))
        run.optimizer.zero_grad()
    total = sum(seconds.values())
    with capsys.disabled():
        for name, spent in seconds.items():
            print(f"\n{name:<20} {1000 * spent / STEPS:7.1f} ms a step {100 * spent / total:5.1f} %", end="")


def void_training(model):
    """Return what a few steps of void training cost in this process."""
    before = runtime.peak_memory()
    steps = our_steps(model)
    for _ in range(WARM_UP):
        next(steps)
    started = time.perf_counter()
    many_steps(steps)
    seconds = (time.perf_counter() - started) / (STEPS * SETTINGS.batch)
    costs = profiling.cost(models.build(model, VOID + 1), SETTINGS.size)
    return seconds, costs.parameters, costs.training_megabytes, runtime.peak_memory(), before


def test_void_training_of_each_network(capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    with capsys.disabled():
        print(f"\n{'network':10} s/image  parameters  MB kept/image  GB at peak  GB before")
        for model in models.PAPER_NETWORKS:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as process:
                seconds, parameters, kept, peak, before = process.submit(void_training, model).result()
            print(f"{model:10} {seconds:7.3f}  {parameters:10,}  {kept:13.1f}  {peak:10.2f}  {before:9.2f}")
