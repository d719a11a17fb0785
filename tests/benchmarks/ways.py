"""The obvious way to evaluate, as most re-implementations do it, and ours; each in a process of its own."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import psutil
import torch
from PIL import Image
from sklearn.metrics import average_precision_score, roc_curve

from course_lib import data, evaluation, models, runtime

SIZE = (512, 1024)
TABLES = runtime.PROJECT_ROOT / "results" / "benchmarks"


def _msp(logits):
    return 1 - logits[:, :19].softmax(1).amax(1)


def _max_logit(logits):
    return -logits[:, :19].amax(1)


def _max_entropy(logits):
    probability = logits[:, :19].softmax(1)
    return -(probability * torch.log(probability + 1e-12)).sum(1) / np.log(19)


SCORES = {"msp": _msp, "max_logit": _max_logit, "max_entropy": _max_entropy}


class Repeated(data.BenchmarkImages):
    """The first images of a benchmark, as often as needed, under new names."""

    def __init__(self, name, count):
        super().__init__(name)
        self.count, self.real = count, len(self.images)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return super().__getitem__(index % self.real)._replace(name=str(index))


def obvious(network, benchmarks, settings):
    """One pass per score; everything is kept, concatenated and sorted twice."""
    height, width = SIZE
    found = {}
    for images in benchmarks:
        for name, score in SCORES.items():
            kept, masks = [], []
            for index in range(len(images)):
                sample = images[index]
                mask = Image.fromarray(sample.target.numpy()).resize((width, height), Image.NEAREST)
                picture = np.array(sample.image.resize((width, height), Image.BILINEAR))
                with torch.no_grad():
                    logits = network(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255)
                if (np.array(mask) == 1).any():
                    kept.append(score(logits)[0].numpy())
                    masks.append(np.array(mask))
            scores, truth = (np.concatenate([a.ravel() for a in arrays]) for arrays in (kept, masks))
            scores, truth = scores[truth != 255], truth[truth != 255]
            fpr, tpr, _ = roc_curve(truth, scores)
            found[images.name, name] = (
                100 * average_precision_score(truth, scores),
                100 * fpr[np.searchsorted(tpr, 0.95)],
            )
    return found


def ours(network, benchmarks, settings):
    """One pass for all scores, counted as they come."""
    rows = evaluation.evaluate(network, benchmarks, settings, progress=False)
    return {(row["benchmark"], row["score"]): (row["auprc"], row["fpr95"]) for row in rows}


def _measure(way, weights, benchmarks, speed, threads, scores):
    """Return results, seconds, and megabytes at the peak above the loaded model."""
    torch.set_num_threads(threads)
    network, _ = models.load("enet", weights)
    network.eval()
    opened = [Repeated(*b) if isinstance(b, tuple) else data.BenchmarkImages(b) for b in benchmarks]
    settings = evaluation.Settings(scores, protocol="peer", resamples=0, speed=speed)
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    found = way(network, opened, settings)
    return found, time.perf_counter() - started, 1000 * runtime.peak_memory() - before / 1e6


def measured(way, weights, benchmarks, speed="fast", scores=tuple(SCORES)):
    """Measure a way to evaluate in a fresh process."""
    return in_a_process(_measure, way, weights, benchmarks, speed, os.cpu_count(), scores)


def in_a_process(function, *arguments):
    """Call a function in a fresh process, whose memory nobody has used."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def write(name, rows):
    """Write and print a table."""
    TABLES.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows)
    frame.to_csv(TABLES / f"{name}.csv", index=False)
    print("\n" + frame.to_string(index=False))
    return frame
