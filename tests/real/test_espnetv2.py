"""ESPNetv2 with its public weights equals the public implementation, and scores benchmarks as it did."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from course_lib import models
from course_lib.runtime import sha256_of
from course_tools.__main__ import main
from course_tools.downloads.sources import find_source

SIZES = {"0.5": 80_342, "1.0": 234_010, "1.5": 468_362, "2.0": 789_242}
for_each_variant = pytest.mark.parametrize("variant", SIZES)

# measured with the public code: default protocol, 512 x 1024
PUBLIC = {
    "2.0": {
        ("RoadAnomaly21", "msp"): (26.80, 63.7),
        ("RoadAnomaly21", "max_logit"): (25.45, 61.2),
        ("RoadAnomaly21", "max_entropy"): (26.77, 62.9),
        ("RoadAnomaly21", "void"): (24.19, 70.9),
        ("RoadObsticle21", "msp"): (16.23, 12.0),
        ("RoadObsticle21", "max_logit"): (5.22, 20.4),
        ("RoadObsticle21", "max_entropy"): (13.73, 12.1),
        ("RoadObsticle21", "void"): (4.31, 22.9),
        ("FS_LostFound_full", "msp"): (4.07, 80.6),
        ("FS_LostFound_full", "max_logit"): (4.31, 73.3),
        ("FS_LostFound_full", "max_entropy"): (4.92, 80.5),
        ("fs_static", "msp"): (8.39, 32.0),
        ("fs_static", "max_logit"): (11.55, 28.6),
        ("fs_static", "max_entropy"): (10.17, 31.4),
        ("RoadAnomaly", "msp"): (18.01, 71.2),
        ("RoadAnomaly", "max_logit"): (21.00, 61.5),
        ("RoadAnomaly", "max_entropy"): (19.04, 70.8),
    },
    "0.5": {
        ("RoadAnomaly21", "msp"): (23.48, 76.8),
        ("RoadAnomaly21", "max_logit"): (21.54, 75.4),
        ("RoadAnomaly21", "void"): (20.22, 79.2),
        ("RoadObsticle21", "msp"): (4.76, 31.2),
        ("RoadObsticle21", "max_logit"): (3.08, 38.8),
        ("RoadObsticle21", "void"): (3.50, 38.0),
    },
}


@pytest.fixture(scope="module")
def goldens(weights):
    folder = weights.parent / "models"
    facts = json.loads((folder / "espnetv2.json").read_text(encoding="utf-8"))["variants"]
    return facts, np.load(folder / "espnetv2_goldens.npz")


@for_each_variant
def test_names_shapes_and_digests_are_those_of_the_public_weights(goldens, weights, variant):
    facts = goldens[0][variant]
    network = models.build(f"espnetv2_{variant}", 20)
    found = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert found == {name: shape for name, shape, _ in facts["entries"]}
    assert sum(p.numel() for p in network.parameters()) == SIZES[variant] == facts["parameters"]
    remote = next(one for one in find_source("espnetv2_weights").files if one.name == facts["file"])
    path = weights / remote.name
    assert (f"sha256:{sha256_of(path)}", path.stat().st_size) == (remote.digest, remote.bytes)


@for_each_variant
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_logits_and_argmax_equal_the_goldens(goldens, weights, variant, dtype):
    facts, arrays = goldens
    network, metadata = models.load(f"espnetv2_{variant}", weights / facts[variant]["file"])
    assert (metadata.num_classes, metadata.known_classes) == (20, list(range(19)))
    network.to(dtype)
    if dtype == torch.float64:  # what was normalised with has to have all its digits, too
        network.mean, network.std = (
            torch.tensor(values, dtype=dtype).view(3, 1, 1)
            for values in (models.espnetv2.MEAN, models.espnetv2.STD)
        )
    tolerance = {"rtol": 1e-6, "atol": 1e-5} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 5e-3}
    for size, key, part in (("small", "small", slice(None)), ("medium", "medium_sub3", slice(1, None, 3))):
        image = torch.from_numpy(arrays[f"input_u8_{size}"])[None].to(dtype) / 255
        with torch.inference_mode():
            logits = network(image)[0]
        columns = part if size == "small" else slice(2, None, 3)
        expected = torch.from_numpy(arrays[f"logits_s{variant}_{key}"]).to(dtype)
        torch.testing.assert_close(logits[:, part, columns], expected, **tolerance)
        same = logits.argmax(0).numpy() == arrays[f"argmax_s{variant}_{size}"]
        assert same.mean() > (0.9999 if dtype == torch.float64 else 0.998)


@pytest.mark.parametrize("variant", PUBLIC)
def test_benchmarks_are_scored_as_with_the_public_code(benchmarks, weights, tmp_path, variant):
    expected, path = PUBLIC[variant], tmp_path / "table.csv"
    names = list(dict.fromkeys(benchmark for benchmark, _ in expected))
    scores = ["msp", "max_logit", "max_entropy", "void"]
    command = ["evaluate", "--model", f"espnetv2_{variant}", "--benchmarks", *names, "--speed", "fast"]
    file = weights / f"espnetv2_s_{variant}_city_1024x512.pth"
    options = ["--weights", str(file), "--score", *scores, "--output", str(path), "--device", "cpu"]
    assert main([*command, *options, "--bootstrap", "0"]) == 0  # intervals are no claim of this test
    table = pd.read_csv(path).set_index(["benchmark", "score"])
    print(table[["auprc", "fpr95"]].round(2).to_string())
    assert {tuple(size) for size in table[["height", "width"]].to_numpy()} == {(512, 1024)}
    for key, (auprc, fpr95) in expected.items():
        assert table.loc[key, "auprc"] == pytest.approx(auprc, abs=0.02), key
        assert table.loc[key, "fpr95"] == pytest.approx(fpr95, abs=0.1), key
