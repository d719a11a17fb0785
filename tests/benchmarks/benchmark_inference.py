"""Fast against plain inference, in turns: pytest -s tests/benchmarks/benchmark_inference.py

Also what each way changes: classes on generated scenes, AuPRC on a generated benchmark; how time and memory
grow with the pixels; and what waiting threads cost beside another program. Written to results/benchmarks/.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ways import write

from course_lib import data, evaluation, inference, models, profiling

SIZE, PAIRS = (512, 1024), 20
SHIPPED = {"erfnet": "ce", "enet": "void", "bisenetv2": "void", "efficientnet_lite0": "ce"}
SPEEDS = ("fast", "bf16", "onnx", "int8", "openvino", "openvino_bf16")


def scenes(split, count, size):
    samples = data.SEGMENTATION_SETS["mini"](split)
    return [data.to_tensor(data.resize_image(samples[i].image, size))[None] for i in range(count)]


def made(network, speed, size, folder):
    """Return the network at a speed."""
    if speed in inference.SPEEDS:
        return inference.accelerate(network, speed)
    path = folder / f"{speed}.onnx"
    if speed == "int8":
        inference.quantise(network, path, scenes("train", 16, size))
    else:
        inference.export_onnx(network, path)
    if speed in ("onnx", "int8"):
        return inference.OnnxNetwork(path, network.size_multiple)
    precision = "bf16" if speed == "openvino_bf16" else "f32"
    return inference.OpenVinoNetwork(path, network.size_multiple, precision)


def auprc(network, metadata):
    settings = evaluation.Settings(
        ("msp", "max_logit"), size=metadata.size, known_classes=metadata.known_classes, resamples=0
    )
    rows = evaluation.evaluate(
        network, [data.BenchmarkImages("mini_RoadObsticle21")], settings, progress=False
    )
    return np.array([row["auprc"] for row in rows])


@pytest.mark.parametrize("model", [*SHIPPED, "espnetv2_2.0"])
def test_fast_against_plain(model, tmp_path):
    if model in SHIPPED:
        weights = models.shipped_weights("mini", model, SHIPPED[model])
    elif "COURSE_REFERENCE" in os.environ:  # public weights
        weights = Path(os.environ["COURSE_REFERENCE"]) / "weights" / models.public_file(model).name
    else:
        pytest.skip("COURSE_REFERENCE is not set")
    network, metadata = models.load(model, weights)
    network.eval()
    images, validation = profiling.example_images(network, SIZE), scenes("val", 8, metadata.size)
    before, rows = auprc(network, metadata), []
    for speed in SPEEDS:
        try:
            large = made(network, speed, SIZE, tmp_path)
            large(images)
        except ValueError as error:  # OpenVINO has no bf16 on some processors
            print(f"{model}, {speed}: {error}")
            continue
        small = large if speed != "int8" else made(network, speed, metadata.size, tmp_path)
        found = inference.agreement(network, small, validation)
        with torch.no_grad():
            times = profiling.paired_speedup(
                lambda: network(images), lambda n=large: n(images), images.device, PAIRS
            )
        rows.append(
            {
                "model": model,
                "speed": speed,
                "times": times,
                "same_class": 100 * found.argmax,
                "largest_difference": found.largest_difference,
                "auprc_change": np.abs(auprc(small, metadata) - before).max(),
            }
        )
    write(f"inference_{model}", rows)


@pytest.mark.parametrize("speed", ["plain", "fast"])
def test_growth_with_the_pixels(speed):
    rows = []
    for model in models.NETWORKS:
        subject = profiling.Subject(model, models.build(model))
        for size in ((128, 256), (256, 512), (512, 1024)):
            rows.append(profiling.profile(subject, size, speed) | {"megapixels": size[0] * size[1] / 1e6})
    frame = pd.DataFrame(rows)[["model", "speed", "megapixels", "milliseconds", "peak_megabytes"]]
    write(f"pixels_{speed}", frame)
    for model, part in frame.groupby("model"):
        slopes = [np.polyfit(part["megapixels"], part[c], 1)[0] for c in ("milliseconds", "peak_megabytes")]
        print(f"{model}: {slopes[0]:.0f} ms and {slopes[1]:.0f} MB for one more megapixel")


WAITING = """
import os, json, sys, time
import course_lib
if sys.argv[1] == "default":  # before torch is imported
    os.environ.pop("OMP_WAIT_POLICY")
import torch
from course_lib import models, profiling
torch.set_num_threads(2)
network = models.build("erfnet").eval()
images = profiling.example_images(network, (128, 256))
taken = []
with torch.inference_mode():
    began = time.perf_counter()
    while len(taken) < 40 and time.perf_counter() - began < 60:
        start = time.perf_counter()
        network(images)
        taken.append(1000 * (time.perf_counter() - start))
print(json.dumps(sorted(taken[3:])[len(taken[3:]) // 2]))
"""
"""Prints the median milliseconds of ERFNet at 128 x 256 with two threads."""


@pytest.mark.parametrize("other_programs", [0, 1, 2])
def test_threads_that_wait(other_programs):
    rows = []
    for turn in range(3):
        for policy in ("default", "passive"):
            others = [
                subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(other_programs)
            ]
            time.sleep(1)
            try:
                command = [sys.executable, "-c", WAITING, policy]
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    check=True,
                    env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
                )
            finally:
                for other in others:
                    other.kill()
            rows.append({"policy": policy, "turn": turn, "ms": json.loads(done.stdout)})
    frame = pd.DataFrame(rows).pivot(index="policy", columns="turn", values="ms").reset_index()
    write(f"waiting_beside_{other_programs}", frame)
