"""Runs to compare, without networks: scores drawn at random for the same anomalies."""

import numpy as np
import torch

from course_lib import evaluation, models
from course_lib.metrics import StreamingMetrics

KEY = ("RoadAnomaly21", "msp", 1.0)
SETTINGS = evaluation.Settings(resamples=100, seed=1, size=(16, 24))


def scored(separation, seed, images=6):
    """Return images with the same anomalies for every seed, but scores of another network."""
    masks, noise = np.random.default_rng(0), np.random.default_rng(seed)
    for _ in range(images):
        is_anomaly = masks.random(400) < masks.uniform(0.05, 0.3)
        scores = noise.normal(0, 1, 400) + separation * is_anomaly
        yield torch.from_numpy(scores), torch.from_numpy(is_anomaly)


def run(training="ce", seed=0, separation=1.0, images=6, **about):
    streamed = StreamingMetrics()
    for i, (scores, is_anomaly) in enumerate(scored(separation, seed, images)):
        streamed.update(scores, is_anomaly.to(torch.uint8), f"{i}")
    row = evaluation.row_of(KEY[0], KEY[1:], SETTINGS, streamed)
    metadata = models.Metadata(model="erfnet", training=training, seed=seed, **({"epochs": 20} | about))
    weights, miou = f"{training}_{seed}.safetensors", (0.6 + 0.01 * seed, 19)
    return evaluation.network_result([row], metadata, weights, miou)
