"""The readers on the real layouts, and a real network on a real image."""

import json

import numpy as np
import pytest
import torch

from course_lib import data, evaluation, models
from course_lib.labels import CLASS_NAMES

# share of anomalous pixels among the valid ones, in percent; where the set is complete, the paper's Table 3
PREVALENCE = {"RoadAnomaly21": 14.81, "RoadObsticle21": 0.67, "fs_static": 1.37, "RoadAnomaly": 10.90}


@pytest.mark.parametrize("name", data.find_profile("camvid").benchmarks)
def test_every_image_of_every_benchmark_is_read(name, benchmarks):
    images = data.BenchmarkImages(name, root=benchmarks)
    counts = torch.zeros(256, dtype=torch.int64)
    for sample in images:
        counts += torch.bincount(sample.target.flatten(), minlength=256)
        assert sample.image.mode == "RGB"
    assert counts[1] > 0 and 0 < len(images) <= data.BENCHMARKS[name].official_images
    if name in PREVALENCE:
        assert 100 * counts[1] / counts[:2].sum() == pytest.approx(PREVALENCE[name], abs=0.005)


@pytest.mark.parametrize(("split", "images"), [("train", 367), ("val", 101)])
def test_camvid_has_its_eleven_classes(split, images, camvid):
    samples = data.CamVid(split, root=camvid)
    seen = torch.zeros(256, dtype=torch.int64)
    for sample in samples:
        assert sample.target.shape == (360, 480)
        seen += torch.bincount(sample.target.flatten(), minlength=256)
    known = {CLASS_NAMES[i] for i in range(19) if seen[i]}
    assert len(samples) == images and len(known) == 11
    assert {"road", "sky", "car"} <= known and "rider" not in known


@pytest.mark.parametrize("name", ["enet_cityscapes_void20_peer", "enet_cityscapes_ce_peer"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_real_weights_give_the_golden_logits_on_a_real_image(name, dtype, benchmarks, weights, peers):
    network, _ = models.load("enet", weights / f"{name}.pth")
    sample = data.BenchmarkImages("RoadAnomaly21", root=benchmarks)[0]
    resized = data.resize_image(sample.image, (512, 1024))
    expected = json.loads((peers / "enet_peer.json").read_text())["image"]["resized_uint8_sum_per_channel"]
    assert np.asarray(resized).sum(axis=(0, 1)).tolist() == expected
    with torch.inference_mode():
        logits = network.to(dtype)(data.to_tensor(resized)[None].to(dtype))[0]
    goldens = np.load(peers / "enet_peer_logits.npz")
    allowed = 1e-4 if dtype == torch.float64 else 1e-3  # pooling near-ties flip in float32
    for part, rows, columns in (("phase0", 0, 0), ("rows5_cols10", 5, 10)):
        golden = torch.from_numpy(goldens[f"{name}_logits_sub16_{part}"])
        off = (logits[:, rows::16, columns::16] - golden).abs().amax(dim=0) > allowed
        assert off.double().mean() <= (0 if dtype == torch.float64 else 0.01)
    same = logits.argmax(0)[::4, ::4].numpy() == goldens[f"{name}_argmax_sub4"]
    assert same.mean() >= 0.999


def test_a_real_network_segments_camvid(camvid, weights):
    network, _ = models.load("enet", weights / "enet_cityscapes_ce_peer.pth")
    samples = [data.CamVid("val", root=camvid)[i] for i in range(0, 101, 10)]
    iou = evaluation.confusion(network, samples, evaluation.Settings(size=(360, 480)), progress=False).iou()
    assert iou["road"] > 0.7 and iou["sky"] > 0.5 and iou["car"] > 0.3
