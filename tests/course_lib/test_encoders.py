"""Rows of a table begin with the same encoder: what is taken from the file, what is remembered of it."""

import hashlib

import pytest
import torch
from small_data import street_settings, write_street
from torch import nn

from course_lib import models, training
from course_lib.training.files import load_state

WITH_ENCODER = ("erfnet", "enet", "efficientnet_lite0")


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")
    return data_root


def trained_network(name, head="linear", num_classes=19):
    """Return a network whose running statistics are not those of a new one."""
    torch.manual_seed(7)
    network = models.build(name, num_classes, head)
    torch.manual_seed(8)
    network(torch.rand(2, 3, 16, 24))
    return network


@pytest.fixture
def files(tmp_path):
    paths = {name: tmp_path / f"{name}_ce.safetensors" for name in (*WITH_ENCODER, "bisenetv2")}
    for name, path in paths.items():
        models.save_checkpoint(trained_network(name), path, models.Metadata(model=name))
    return paths


def split(name, state):
    """Return the tensors of the encoder, and all others."""
    network = models.build(name)
    inside = {key: value for key, value in state.items() if network.is_encoder(key)}
    return inside, {key: value for key, value in state.items() if key not in inside}


@pytest.mark.parametrize("name", WITH_ENCODER)
def test_the_encoder_is_what_shrinks_the_image(name):
    network = models.build(name)
    modules = [network.get_submodule(part) for part in network.encoder_names]
    assert not any(isinstance(m, nn.ConvTranspose2d) for module in modules for m in module.modules())
    later = [part for part, _ in network.named_children() if part not in network.encoder_names]
    upwards = {"erfnet": "decoder", "enet": "upsample4_0", "efficientnet_lite0": "decoder"}[name]
    assert later[0] == upwards and network.classifier_name.split(".")[0] in later


@pytest.mark.parametrize("name", WITH_ENCODER)
@pytest.mark.parametrize("kind", ["ce", "eiml_fl"])
def test_a_run_begins_with_the_encoder_of_the_file_and_a_new_decoder(
    street, files, tmp_path, monkeypatch, name, kind
):
    begun = []
    monkeypatch.setattr(
        training.Trainer,
        "__init__",
        lambda run, network, *rest: begun.append(network.state_dict()) or (_ for _ in ()).throw(Done),
    )
    for encoder in (None, str(files[name])):
        with pytest.raises(Done):
            training.train(street_settings(name, training=kind, encoder=encoder), tmp_path / "run")
    (new, new_rest), (found, rest) = (split(name, state) for state in begun)
    expected, _ = split(name, trained_network(name).state_dict())
    assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)
    assert not all(torch.equal(found[key], new[key]) for key in found)
    assert rest.keys() == new_rest.keys() and all(torch.equal(rest[key], new_rest[key]) for key in rest)


class Done(Exception):
    """The run has begun; that is all the test wants."""


def test_file_and_hash_are_remembered_and_a_resumed_run_does_not_need_the_file(street, files, tmp_path):
    path, folder = files["erfnet"], tmp_path / "run"
    source = {"file": "erfnet_ce.safetensors", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    settings = street_settings(training="eiml", encoder=str(path), epochs=1)
    trained = training.train(settings, folder)
    assert models.load("erfnet", trained.weights)[1].encoder == source
    before = load_state(folder / "last.pt")
    assert before["encoder"] == source
    path.unlink()
    trained.weights.unlink()
    trained = training.train(settings, folder, resume=True)
    assert models.load("erfnet", trained.weights)[1].encoder == source
    with pytest.raises(
        ValueError, match=r"of another run, with encoder .*erfnet_ce.safetensors instead of None"
    ):
        training.train(street_settings(training="eiml", epochs=1), folder, resume=True)


def test_the_head_in_the_file_does_not_matter_and_public_files_serve_too(tmp_path):
    isomax, public = tmp_path / "x.safetensors", tmp_path / "public.pth"
    models.save_checkpoint(trained_network("erfnet", "isomax"), isomax, models.Metadata(model="erfnet"))
    torch.save(trained_network("erfnet").state_dict(), public)
    first, second = (models.read_encoder("erfnet", path, 19).tensors for path in (isomax, public))
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
    assert all(key.startswith("encoder.") for key in first)


def test_files_and_networks_without_a_fitting_encoder_are_refused(files, tmp_path):
    public = tmp_path / "public.pth"
    torch.save(models.build("enet").state_dict(), public)
    void = tmp_path / "void.safetensors"
    models.save_checkpoint(trained_network("erfnet", num_classes=20), void, models.Metadata(model="erfnet"))
    cases = [
        ("bisenetv2", files["bisenetv2"], "bisenetv2 has no encoder apart from the rest"),
        ("erfnet", files["enet"], "holds weights of enet, not erfnet"),
        ("erfnet", public, "they are weights of enet: choose that network"),
        ("erfnet", void, r"encoder.output_conv.bias has shape \(20,\), expected \(19,\)"),
    ]
    for name, path, message in cases:
        with pytest.raises(ValueError, match=message):
            models.read_encoder(name, path, 19)
    with pytest.raises(FileNotFoundError, match=r"no weights at .*absent.safetensors, which is no file"):
        models.read_encoder("erfnet", tmp_path / "absent.safetensors", 19)


def test_a_file_that_is_refused_is_refused_before_any_image_is_read(tmp_path, data_root):
    settings = street_settings(encoder=str(tmp_path / "absent.safetensors"))
    with pytest.raises(FileNotFoundError, match="no weights at"):
        training.train(settings, tmp_path / "run")
