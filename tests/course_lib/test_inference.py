"""A faster network gives the same answers, step by step, and says how far off it is where it cannot."""

import copy
import functools
import importlib.util

import closed_form
import pytest
import torch
from small_detectors import Halving

from course_lib import data, inference, models
from course_lib.inference.fast import CudaGraphs
from course_lib.inference.graph import fold_batch_norms, traced_features, work_in_place

NAMES = [*models.PAPER_NETWORKS, "espnetv2_0.5", "efficientnet_lite0"]
CASES = [(name, head) for name in NAMES for head in models.HEADS]
FOLDED = {
    "erfnet": (36, 3),
    "enet": (87, 1),
    "bisenetv2": (53, 1),
    "espnetv2_0.5": (47, 20),
    "efficientnet_lite0": (60, 0),
}
"""Normalisations that a convolution takes in, and those behind a concatenation or a mean, which stay."""
ONE_STEP = [
    inference.Optimizations(fold=True),
    inference.Optimizations(in_place=True),
    inference.Optimizations(channels_last=True),
    inference.Optimizations(inference_mode=True),
]


def filled(name, head="linear", outputs=20):
    """A network in which every weight and every running statistic matters."""
    network = models.build(name, outputs, head)
    closed_form.fill(network, closed_form.GAIN[name])
    if head == "isomax":
        torch.nn.init.ones_(network.classifier.distance_scale)
    return network


def pictures(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(("name", "head"), CASES)
def test_fast_gives_the_same_logits_but_for_rounding_for_any_batch_and_size(name, head):
    network = filled(name, head).eval()
    fast, exact = inference.accelerate(network), copy.deepcopy(network).double()
    # of two equal maxima ENet remembers one place or the other: rare, and then the logits there differ
    share = 0.999 if name == "enet" else 1
    for images in (pictures(1, 3, 64, 128), pictures(2, 3, 50, 91)):
        assert inference.agreement(network, fast, [images]).argmax > 0.999
        with torch.no_grad():
            truth = exact(images.double())
            by_rounding, by_fast = (distance(some(images), truth, share) for some in (network, fast))
        assert by_fast < 4 * by_rounding < 4e-5
    assert fast.num_classes == 20 and fast.head_kind == head


def distance(logits, truth, share):
    """Return the error that a share of the logits keeps below, relative to the largest logit."""
    errors = ((logits - truth) / truth.abs().amax()).abs().flatten()
    return errors.kthvalue(int(share * len(errors))).values


def test_a_dead_channel_leaves_no_numbers_too_small_for_full_precision():
    network = filled("erfnet").eval()
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.weight[:2], norm.bias[:2] = 1.2e-38, 0
    for tensor in inference.accelerate(network).state_dict().values():
        assert not ((tensor != 0) & (tensor.abs() < 1.1e-38)).any()


@pytest.mark.parametrize("speed", ["plain", "fast"])
@pytest.mark.parametrize(("name", "head"), CASES)
def test_strips_put_together_are_the_logits(name, head, speed):
    network = inference.accelerate(filled(name, head), speed)
    for size in ((64, 96), (50, 91), (33, 32)):
        images = pictures(2, 3, *size)
        with torch.inference_mode():
            whole, strips = network(images), list(network.logits_in_strips(images, network.size_multiple))
        assert [strip.shape[2] for strip in strips[:-1]] == [network.size_multiple] * (len(strips) - 1)
        torch.testing.assert_close(torch.cat(strips, dim=2), whole)


@pytest.mark.parametrize("steps", ONE_STEP, ids=str)
def test_each_step_alone_changes_nothing(steps):
    network = filled("erfnet").eval()
    found = inference.agreement(network, inference.accelerate(network, steps), [pictures(2, 3, 64, 128)])
    assert found.argmax == 1 and found.largest_difference < 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_most_normalisations_vanish_and_the_network_stays_as_it_is(name):
    network = filled(name).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fast = inference.accelerate(network)
    left = sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in fast.modules())
    whole = traced_features(network.eval())
    assert (fold_batch_norms(whole), left) == FOLDED[name]
    assert not any(isinstance(layer, torch.nn.Dropout2d) for layer in fast.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(("name", "count"), [("bisenetv2", 40), ("efficientnet_lite0", 53)])
def test_working_in_place_spares_the_images_and_what_is_read_twice(name, count):
    network = filled(name).eval()
    graph = traced_features(network)
    assert work_in_place(graph, pictures(1, 3, 64, 64)) == count
    images = pictures(1, 3, 64, 128)
    kept = images.clone()
    first, again = graph(images), graph(images)
    assert torch.equal(first, again) and torch.equal(images, kept)
    assert torch.allclose(first, network.features(images), atol=1e-5)


def test_a_fast_network_cannot_be_trained_and_keeps_no_graph():
    fast = inference.accelerate(filled("enet")).train()
    logits = fast(pictures(1, 3, 16, 16))
    assert not fast.training and logits.is_inference() and not logits.requires_grad
    assert not any(parameter.requires_grad for parameter in fast.parameters())


def test_plain_is_the_network_itself():
    network = models.build("enet").train()
    assert inference.accelerate(network, "plain") is network and not network.training


def test_images_are_checked_as_ever():
    with pytest.raises(ValueError, match="divide by 255"):
        inference.accelerate(models.build("enet"))(torch.full((1, 3, 16, 16), 255.0))


def test_half_precision_agrees_on_nearly_all_pixels():
    network, _ = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    found = inference.agreement(network.eval(), inference.accelerate(network, "bf16"), [scene()])
    assert 0.98 < found.argmax <= 1 and found.largest_difference > 1e-3


def test_compiled_runs_what_was_folded(monkeypatch):
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: real(function, backend="eager"))
    network = filled("erfnet").eval()
    found = inference.agreement(network, inference.accelerate(network, "compiled"), [pictures(1, 3, 32, 32)])
    assert found.largest_difference < 1e-4


def test_cuda_graphs_need_cuda():
    with pytest.raises(ValueError, match="CUDA graphs need a network on a CUDA device, this one is on cpu"):
        inference.accelerate(models.build("enet"), "cuda_graph")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("name", NAMES)
def test_a_cuda_graph_replays_the_network(name):
    network = filled(name).eval().cuda()
    recorded = inference.accelerate(network, "cuda_graph")
    for seed in (1, 2):
        images = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(seed)).cuda()
        assert inference.agreement(network, recorded, [images]).argmax > 0.999


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: inference.find_optimizations("fsat"), "unknown speed 'fsat'; .* did you mean fast"),
        (lambda: inference.Optimizations(precision="int8"), "unknown precision 'int8'; known are fp32"),
        (lambda: inference.agreement(models.build("enet"), models.build("enet"), []), "need one batch"),
    ],
)
def test_wrong_use_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def scene():
    """Two validation images of the generated scenes, as the network takes them."""
    samples = data.SEGMENTATION_SETS["mini"]("val")
    pictures_of = [data.to_tensor(data.resize_image(samples[i].image, (128, 256))) for i in (0, 1)]
    return torch.stack(pictures_of)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Networks by name with their files, each written once: to export takes seconds, of ESPNetv2 a minute."""

    @functools.cache
    def of(name):
        network, path = filled(name).eval(), tmp_path_factory.mktemp(name) / "network.onnx"
        inference.export_onnx(network, path)
        return network, path

    return of


@pytest.mark.parametrize("name", NAMES)
def test_one_onnx_file_takes_any_batch_and_size(name, exported, capfd):
    network, path = exported(name)
    assert [file.name for file in path.parent.iterdir()] == ["network.onnx"]
    opened = inference.OnnxNetwork(path, network.size_multiple)
    for images in (pictures(1, 3, 64, 96), pictures(3, 3, 50, 91)):
        assert inference.agreement(network, opened, [images]).argmax > 0.999
        assert opened(images).shape == (len(images), 20, *images.shape[-2:])
    assert opened.num_classes == 20 and capfd.readouterr().err == ""


def test_8_bits_are_smaller_and_nearly_agree(tmp_path, capfd):
    network, _ = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
    samples = data.SEGMENTATION_SETS["mini"]("train")
    batches = [data.to_tensor(data.resize_image(samples[i].image, (128, 256)))[None] for i in range(4)]
    inference.quantise(network.eval(), tmp_path / "int8.onnx", batches)
    opened = inference.OnnxNetwork(tmp_path / "int8.onnx", network.size_multiple)
    found = inference.agreement(network, opened, [scene()])
    assert 0.97 < found.argmax < 1
    assert (tmp_path / "int8.onnx").stat().st_size < 0.35 * 4 * 2_066_836
    assert capfd.readouterr().err == ""


def test_openvino_gives_the_same_logits_for_every_size_and_refuses_what_it_has_not(exported, monkeypatch):
    network, path = exported("efficientnet_lite0")
    opened = inference.OpenVinoNetwork(path, network.size_multiple)
    assert opened.num_classes == 20
    for size in ((64, 96), (40, 70)):
        images = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            torch.testing.assert_close(opened(images), network(images), rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="unknown precision 'f8'"):
        inference.OpenVinoNetwork(path, network.size_multiple, "f8")
    opened.settings["INFERENCE_PRECISION_HINT"], opened.shape = "bf16", None
    if opened.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES").count("BF16") == 0:
        with pytest.raises(ValueError, match="no bf16 on this processor"):
            opened(images)
    monkeypatch.setattr("course_lib.inference.openvino.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="-m pip install openvino"):
        inference.OpenVinoNetwork(path, network.size_multiple)


def test_without_its_packages_onnx_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("course_lib.inference.onnx.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"ONNX needs .*: \S+ -m pip install onnx onnxscript onnxruntime"):
        inference.export_onnx(models.build("enet"), tmp_path / "network.onnx")


class Recording:
    """A CUDA graph without CUDA: it doubles what it is given."""

    def __init__(self, shape, dtype):
        self.given, self.result = torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)

    def replay(self):
        torch.mul(self.given, 2, out=self.result)


def test_few_recordings_are_kept_and_the_one_used_longest_ago_goes(monkeypatch):
    made = []

    def record(graphs, shape, dtype, device):
        made.append((shape[-1], dtype))
        one = Recording(shape, dtype)
        return one, one.given, one.result

    monkeypatch.setattr(CudaGraphs, "record", record)
    graphs = CudaGraphs(lambda images: images)
    for width in (1, 2, 3, 4, 1, 5, 1, 2):  # 5 takes the place of 2, and 2 that of 3
        images = torch.rand(1, 3, 1, width)
        first = graphs(images)
        second = graphs(images + 1)
        assert torch.equal(first, images * 2) and torch.equal(second, (images + 1) * 2)
    assert [width for width, _ in made] == [1, 2, 3, 4, 5, 2]
    graphs(torch.rand(1, 3, 1, 2).double())
    assert made[-1] == (2, torch.float64)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "need one batch of training images or more to measure ranges on, got none"),
        ([torch.full((1, 3, 32, 32), 255.0)], "need images in .0, 1., got values from 255 to 255; divide by"),
        ([torch.zeros(1, 3, 32, 32, dtype=torch.uint8)], "need float images in .0, 1., got torch.uint8"),
        ([torch.zeros(3, 32, 32)], r"need RGB images of shape \(N, 3, H, W\), got \(3, 32, 32\)"),
        (
            [torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), torch.nan)],
            "need images in .0, 1., got val",
        ),
    ],
)
def test_images_to_quantise_with_are_checked_as_a_networks(batches, message, tmp_path, capfd):
    with pytest.raises(ValueError, match=message):
        inference.quantise(Halving().eval(), tmp_path / "int8.onnx", batches)
    assert not list(tmp_path.iterdir()) and capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["enet", "efficientnet_lite0"])
def test_images_of_any_size_and_float_type_quantise(name, exported, tmp_path):
    (network, file), path = exported(name), tmp_path / "int8.onnx"
    batches = iter([pictures(1, 3, 50, 91), pictures(2, 3, 33, 17).half()])
    inference.quantise_file(file, path, batches, network.size_multiple)
    opened = inference.OnnxNetwork(path, network.size_multiple)
    assert opened(pictures(1, 3, 50, 91)).shape == (1, 20, 50, 91)
    assert opened(pictures(1, 3, 16, 16).half()).dtype == torch.float32
