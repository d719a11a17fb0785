"""The networks equal the public implementations, and their weights survive the disk."""

import json
from pathlib import Path

import closed_form
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib import models
from course_lib.labels import IGNORE

GOLDENS = Path(__file__).parents[1] / "goldens"
FLOAT32_ATOL = {"erfnet": 1e-4, "enet": 1e-3, "bisenetv2": 5e-3}
for_each_network = pytest.mark.parametrize("name", models.PAPER_NETWORKS)
for_every_kind = pytest.mark.parametrize(
    "name", [*models.PAPER_NETWORKS, "espnetv2_0.5", "efficientnet_lite0"]
)
DROPOUT = (torch.nn.Dropout, torch.nn.Dropout2d)
for_each_size = pytest.mark.parametrize("size", ["small", "medium"])
for_each_dtype = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])


def facts_of(name):
    return json.loads((GOLDENS / f"{name}.json").read_text())


def arrays_of(name):
    return np.load(GOLDENS / f"{name}_goldens.npz")


def filled(name, dtype):
    network = models.build(name, num_classes=20)
    closed_form.fill(network, closed_form.GAIN[name])
    return network.to(dtype)


def image_and_labels(name, size, dtype):
    arrays = arrays_of(name)
    image = torch.from_numpy(arrays[f"input_u8_{size}"])[None].float() / 255  # rounded to float32 first
    return image.to(dtype), torch.from_numpy(arrays[f"labels_{size}"])[None].long()


def undo_normalisation(network, images):
    """Return images for which BiSeNetV2, which normalises inside, gives the goldens of a bare network.

    In float32 the way there and back would round twice, so the normalisation is switched off instead.
    """
    if not hasattr(network, "std"):
        return images
    if images.dtype == torch.float64:
        return images * network.std + network.mean
    network.mean.zero_(), network.std.fill_(1)
    return images


def logits_tolerance(name, dtype):
    return (
        {"rtol": 1e-6, "atol": 1e-5} if dtype == torch.float64 else {"rtol": 1e-4, "atol": FLOAT32_ATOL[name]}
    )


@for_each_network
@pytest.mark.parametrize("num_classes", [19, 20])
def test_names_shapes_and_dtypes_are_those_of_the_public_weights(name, num_classes):
    expected = facts_of(name)["variants"][f"nc{num_classes}"]
    network = models.build(name, num_classes)
    found = [[key, list(t.shape), str(t.dtype)[6:]] for key, t in network.state_dict().items()]
    assert found == expected["entries"]
    assert sum(p.numel() for p in network.parameters()) == expected["n_parameters"]


@for_each_network
def test_the_closed_form_fill_is_the_one_behind_the_goldens(name):
    expected = facts_of(name)["fill_fingerprint"]
    tensors = [t.double() for t in filled(name, torch.float32).state_dict().values()]
    assert sum(t.abs().sum().item() for t in tensors) == pytest.approx(expected["sum_abs_all"], rel=1e-9)


@for_each_network
@for_each_size
@for_each_dtype
def test_logits_and_argmax_equal_the_goldens(name, size, dtype):
    image, _ = image_and_labels(name, size, dtype)
    network = filled(name, dtype).eval()
    with torch.inference_mode():
        logits = network(undo_normalisation(network, image))[0]
    arrays = arrays_of(name)
    expected = arrays["logits_small"] if size == "small" else arrays["logits_medium_sub3"]
    found = logits if size == "small" else logits[:, 1::3, 2::3]
    tolerance = logits_tolerance(name, dtype)
    torch.testing.assert_close(found, torch.from_numpy(expected).to(dtype), **tolerance)
    differing = (logits.argmax(0).numpy() != arrays[f"argmax_{size}"]).mean()
    assert differing <= (0 if dtype == torch.float64 else 0.002)


@for_each_size
@for_each_dtype
def test_logits_of_the_erfnet_encoder_equal_the_goldens(size, dtype):
    image, _ = image_and_labels("erfnet", size, dtype)
    with torch.inference_mode():
        encoder = filled("erfnet", dtype).eval().encoder
        found = encoder.output_conv(encoder(image))[0]
    expected = torch.from_numpy(arrays_of("erfnet")[f"encoder_logits_{size}"]).to(dtype)
    torch.testing.assert_close(found, expected, **logits_tolerance("erfnet", dtype))


@for_each_network
@for_each_size
@for_each_dtype
def test_loss_and_every_gradient_equal_the_goldens(name, size, dtype):
    expected = facts_of(name)[size]["ce_main"]
    network = filled(name, dtype).eval()
    image, labels = image_and_labels(name, size, dtype)
    loss = F.cross_entropy(network(undo_normalisation(network, image)), labels, ignore_index=IGNORE)
    loss.backward()
    exact = dtype == torch.float64
    assert loss.item() == pytest.approx(
        expected["loss"], rel=1e-6 if exact else 1e-5, abs=1e-9 if exact else 0
    )
    absolute = 1e-9 if exact else 3e-4 * expected["grad_l2_total"]
    found = {k: p.grad.norm().item() for k, p in network.named_parameters() if p.grad is not None}
    assert found == pytest.approx(expected["grad_l2"], rel=1e-6 if exact else 1e-3, abs=absolute)
    for key, entries in expected["headline"].items():
        gradient = network.get_parameter(key).grad.flatten()
        assert gradient[:5].tolist() == pytest.approx(
            entries["first5"], rel=1e-6 if exact else 1e-3, abs=absolute
        )


@for_each_network
@for_each_dtype
def test_training_mode_logits_and_running_statistics_equal_the_goldens(name, dtype):
    expected = facts_of(name)["train_mode_no_dropout"]
    network = filled(name, dtype).train()
    for module in network.modules():
        if isinstance(module, DROPOUT):
            module.p = 0.0
    image, labels = image_and_labels(name, "small", torch.float32)
    images = torch.cat([image, 1 - image.flip(-1)]).to(dtype)
    with torch.no_grad():
        logits = network(undo_normalisation(network, images))
    loss = F.cross_entropy(logits, torch.cat([labels, labels.flip(-2)]), ignore_index=IGNORE)
    exact = dtype == torch.float64
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-6 if exact else 1e-5)
    golden = torch.from_numpy(arrays_of(name)["train_logits_small_sub3"]).to(dtype)
    tolerance = {"rtol": 1e-6, "atol": 1e-5} if exact else {"rtol": 1e-3, "atol": 5e-3}
    torch.testing.assert_close(logits[..., 1::3, 2::3], golden, **tolerance)
    for key, statistics in expected["buffers_after"].items():
        found = network.get_buffer(key).norm().item()
        assert found == pytest.approx(statistics["l2"], rel=1e-6 if exact else 1e-4)


@for_each_network
def test_dropout_rates_are_the_published_ones(name):
    network = models.build(name)
    found = {k: m.p for k, m in network.named_modules() if isinstance(m, DROPOUT)}
    assert found == {k: p for k, (_, p) in facts_of(name)["facts"]["dropout"].items()}


@for_every_kind
@pytest.mark.parametrize("size", [(45, 61), (180, 240), (720, 1280)])
def test_any_size_works(name, size):
    network = models.build(name).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, *size)).shape == (1, 19, *size)


@for_each_network
def test_padding_repeats_the_border_and_leaves_fitting_sizes_alone(name):
    network = models.build(name).eval()
    image = torch.rand(1, 3, 45, 61)
    below, right = (19, 3) if name == "bisenetv2" else (3, 3)
    by_hand = torch.cat([image, image[:, :, -1:].expand(-1, -1, below, -1)], dim=2)
    by_hand = torch.cat([by_hand, by_hand[..., -1:].expand(-1, -1, -1, right)], dim=3)
    with torch.inference_mode():
        torch.testing.assert_close(network(image), network(by_hand)[..., :45, :61])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(1, 3, 8, 8) * 255, "divide by 255"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "need float images in \\[0, 1\\], got torch.uint8"),
        (torch.full((1, 3, 8, 8), float("nan")), "got values from nan"),
        (torch.rand(3, 8, 8), "shape \\(N, 3, H, W\\), got \\(3, 8, 8\\)"),
        (torch.rand(1, 4, 8, 8), "got \\(1, 4, 8, 8\\)"),
        (torch.rand(1, 3, 0, 8), "got \\(1, 3, 0, 8\\)"),
    ],
)
def test_images_of_another_range_type_or_shape_raise(images, message):
    with pytest.raises(ValueError, match=message):
        models.build("enet").eval()(images)


def test_unknown_networks_and_numbers_of_classes_raise():
    with pytest.raises(ValueError, match="unknown network 'segnet'; known are erfnet, enet, bisenetv2"):
        models.build("segnet")
    with pytest.raises(ValueError, match="19 outputs, or 20 with void; got 12"):
        models.build("enet", num_classes=12)


@for_every_kind
def test_a_void_output_is_added_beside_unchanged_classes(name):
    network = models.build(name).eval()
    wider = models.with_void_output(network).eval()
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, found = network(images), wider(images)
    assert found.shape[1] == 20 and torch.allclose(found[:, :19], expected, atol=1e-5)
    assert not found[:, 19].eq(0).all()


def test_the_logits_of_espnetv2_are_enlarged_corner_on_corner():
    network, image = models.build("espnetv2_0.5").eval(), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        coarse, found = network.head_logits(image)[0], network(image)
    assert coarse.shape == (1, 19, 32, 48)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        torch.testing.assert_close(found[0, :, *corner], coarse[0, :, *corner])


def test_averages_as_products_are_those_of_torch():
    for side, smaller in ((64, 32), (65, 7), (100, 10), (5, 5), (96, 64)):
        column = torch.rand(1, 1, side, 1)
        expected = F.adaptive_avg_pool2d(column, (smaller, 1))
        torch.testing.assert_close(models.espnetv2._averages(side, smaller) @ column, expected)


def test_a_second_void_output_is_refused():
    with pytest.raises(ValueError, match="need a network with 19 outputs, got one with 20"):
        models.with_void_output(models.build("enet", 20))


def test_erfnet_shrinks_to_an_eighth_and_grows_back():
    shapes = models.layer_shapes(models.build("erfnet"), (64, 128))
    assert [s.height for s in shapes] == [32] + 6 * [16] + 9 * [8] + 3 * [16] + 3 * [32] + [64]
    assert shapes[0] == ("encoder.initial_block", "Downsampler", 16, 32, 64)
    assert shapes[-1][:3] == ("decoder.output_conv", "ConvTranspose2d", 19)
    assert sum(s.kind == "NonBottleneck1D" for s in shapes) == 17


@for_every_kind
def test_looking_changes_nothing(name):
    network = models.build(name).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert models.layer_shapes(network, (64, 64))[-1].channels == 19
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
