"""What the detector of lesson 7 costs beside ERFNet's MSP, in turns.

Call pytest tests/benchmarks/benchmark_detector.py. Random weights and banks do: time and size are the same.
Written to results/benchmarks/.
"""

import statistics
import time

import pytest
import torch
from torch.nn import functional as F
from ways import write

from course_lib import detectors, inference, models, scores

SIZES = ((192, 256), (512, 1024))
SPEEDS = ("plain", "fast", "onnx")
ROUNDS = 7
RECIPE = detectors.RECIPES["neighbours_16_32_and_entropy"]


def detector():
    """Return an untrained detector with two full banks."""
    torch.manual_seed(0)
    network = models.build("efficientnet_lite0").eval()
    nothing = torch.zeros(1, 3, 64, 64)
    _, maps = models.logits_and_scales(network, nothing, RECIPE.strides)
    digest, banks = detectors.digest_of(network), []
    for stride, found in maps.items():
        channels = found.shape[1]
        entries = min(detectors.ENTRIES, detectors.MOST_BYTES // (2 * channels))
        directions = F.normalize(torch.randn(entries, channels), dim=1)
        banks.append(detectors.FeatureBank(directions, stride, digest, "none"))
    metadata = models.Metadata(model="efficientnet_lite0", size=[64, 64])
    return detectors.Detector(RECIPE, network, metadata, banks)


def msp_of(network):
    """Return a function from images to MSP."""
    return lambda images: scores.score("msp", network(images))


def ways(speed, folder):
    """Return what is timed at one speed, by name: images in, a score per pixel out."""
    erfnet, ours = models.build("erfnet").eval(), detector()
    if speed != "onnx":
        return {
            "ERFNet, MSP": msp_of(inference.accelerate(erfnet, speed)),
            "Lite0, MSP": msp_of(inference.accelerate(ours.network, speed)),
            "Lite0, detector": ours.accelerated(speed),
        }
    paths = {name: folder / f"{name}.onnx" for name in ("erfnet", "lite0", "detector")}
    inference.export_onnx(erfnet, paths["erfnet"])
    inference.export_onnx(ours.network, paths["lite0"])
    detectors.export_onnx(ours, paths["detector"])
    session = inference.OnnxNetwork(paths["detector"], 32).session
    return {
        "ERFNet, MSP": msp_of(inference.OnnxNetwork(paths["erfnet"], 8)),
        "Lite0, MSP": msp_of(inference.OnnxNetwork(paths["lite0"], 32)),
        "Lite0, detector": lambda images: session.run(None, {session.get_inputs()[0].name: images.numpy()}),
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_detector_beside_msp_of_erfnet(threads, tmp_path):
    before, rows = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        for size in SIZES:
            images = torch.rand(1, 3, *size)
            for speed in SPEEDS:
                timed, seconds = ways(speed, tmp_path), {}
                with torch.inference_mode():
                    for turn in range(ROUNDS + 2):
                        for name, run in timed.items():
                            began = time.perf_counter()
                            run(images)
                            if turn >= 2:
                                seconds.setdefault(name, []).append(time.perf_counter() - began)
                medians = {name: 1000 * statistics.median(found) for name, found in seconds.items()}
                rows += [
                    {
                        "threads": threads,
                        "size": f"{size[0]} x {size[1]}",
                        "speed": speed,
                        "what": name,
                        "milliseconds": milliseconds,
                        "of_erfnet": milliseconds / medians["ERFNet, MSP"],
                    }
                    for name, milliseconds in medians.items()
                ]
    finally:
        torch.set_num_threads(before)
    write(f"detector_{threads}_threads", rows)


def test_size_of_the_file(tmp_path):
    ours = detector()
    halves = ours.network.half().float()  # as shipped: half precision holds every weight
    digest, file = detectors.digest_of(halves), tmp_path / "detector.safetensors"
    banks = [detectors.FeatureBank(b.directions, b.stride, digest, "none") for b in ours.banks.values()]
    detectors.save_detector(detectors.Detector(RECIPE, halves, ours.metadata, banks), file)
    print(f"the detector as one file: {file.stat().st_size / 1e6:.1f} MB")
