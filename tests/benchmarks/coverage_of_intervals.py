"""How often do 95 % intervals hold the truth? Benchmarks drawn at random, of which the truth is known."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from course_lib.metrics import StreamingMetrics, intervals_of, percentile_interval

PIXELS = 200
TABLE = Path(__file__).resolve().parents[2] / "course_lib" / "lesson" / "tables" / "measured" / "coverage.csv"


def simulated(images, seed, pixels=PIXELS):
    """Return two networks' metrics of the same images, each image with its own share and its own offset.

    The networks see the same anomalies, share a part of their noise, and differ in how well they separate.
    """
    generator = np.random.default_rng(seed)
    networks = StreamingMetrics(), StreamingMetrics()
    for i in range(images):
        is_anomaly = generator.random(pixels) < generator.uniform(0.01, 0.3)
        shared = generator.normal(generator.normal(0, 0.5), 0.7, pixels)
        truth = torch.from_numpy(is_anomaly).to(torch.uint8)
        for metrics, separation in zip(networks, (1.0, 1.3), strict=True):
            scores = (
                shared + generator.normal(generator.normal(0, 0.2), 0.7, pixels) + separation * is_anomaly
            )
            metrics.update(torch.from_numpy(scores).float(), truth, f"{i:06d}")
    return networks


def true_values(images=20_000):
    """Return AuPRC and FPR95 of one network, and how much higher the other's AuPRC is, of many images."""
    first, second = (metrics.compute() for metrics in simulated(images, seed=2**32))
    return {"auprc": first.auprc, "fpr95": first.fpr95, "auprc_difference": second.auprc - first.auprc}


def held(truth, images, seed, resamples):
    """Tell for one benchmark whether each interval holds the truth."""
    first, second = (metrics.resampled(resamples, seed=seed) for metrics in simulated(images, seed))
    found = {
        "auprc": intervals_of(first).auprc,
        "fpr95": intervals_of(first).fpr95,
        "auprc_difference": percentile_interval(second.auprc - first.auprc),
    }
    return {name: low <= truth[name] <= high for name, (low, high) in found.items()}


def coverage(images, repeats, resamples=500, truth=None):
    """Return for each metric how many percent of the intervals held the truth."""
    truth = truth or true_values()
    rows = [held(truth, images, seed, resamples) for seed in tqdm(range(repeats), desc=f"{images} images")]
    return {"images": images, "repeats": repeats} | (100 * pd.DataFrame(rows).mean()).round(1).to_dict()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=f"Write {TABLE.name}, which the lessons show.")
    parser.add_argument("--repeats", type=int, default=1000)
    options, truth = parser.parse_args(), true_values()
    rows = [coverage(images, options.repeats, truth=truth) for images in (10, 30, 100)]
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(pd.DataFrame(rows).to_string(index=False))
