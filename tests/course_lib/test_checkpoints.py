"""Weights survive the disk whole, or an error says what is wrong with the file."""

import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from course_lib import models


def same(first, second):
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(states[0][key], states[1][key]) for key in states[0] | states[1])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.build("enet", num_classes=20).eval()


def test_a_checkpoint_comes_back_whole_with_its_metadata(network, tmp_path):
    written = models.Metadata(
        model="enet",
        known_classes=[0, 2, 13],
        training="ce",
        profile="mini",
        size=[128, 256],
        seed=3,
        epochs=2,
        metrics={"miou": 0.5},
        command="train --model enet",
    )
    models.save_checkpoint(network, tmp_path / "enet_ce.safetensors", written)
    loaded, metadata = models.load("enet", tmp_path / "enet_ce.safetensors")
    written.num_classes = 20
    assert metadata == written and same(loaded, network) and not loaded.training
    assert [path.name for path in tmp_path.iterdir()] == ["enet_ce.safetensors"]


def test_a_failed_save_keeps_the_old_checkpoint(network, tmp_path, monkeypatch):
    path = tmp_path / "enet.safetensors"
    models.save_checkpoint(network, path, models.Metadata(model="enet"))
    before = path.read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match=r"No space left on device.; the previous one is kept"):
        models.save_checkpoint(network, path, models.Metadata(model="enet"))
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_weights_too_small_for_full_precision_are_zero_and_the_outputs_stay(tmp_path):
    dead = models.build("erfnet").eval()
    weight = next(dead.parameters())
    with torch.no_grad():
        weight[0], weight[1, 0, 0, 0] = 1e-40, 1.2e-38
    models.save_checkpoint(dead, tmp_path / "erfnet.safetensors", models.Metadata(model="erfnet"))
    loaded, _ = models.load("erfnet", tmp_path / "erfnet.safetensors")
    kept = next(loaded.parameters())
    assert (kept[0] == 0).all() and torch.equal(kept[1:], weight[1:])
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        assert torch.equal(loaded(image), dead(image))


def test_numbers_too_large_for_half_precision_stay_in_single(tmp_path):
    large = models.build("enet", num_classes=20)
    large.initial_block.batch_norm.running_var[3] = 1e5
    models.save_checkpoint(large, tmp_path / "large.safetensors", models.Metadata(), dtype=torch.float16)
    loaded, _ = models.load("enet", tmp_path / "large.safetensors")
    assert torch.equal(
        loaded.initial_block.batch_norm.running_var, large.initial_block.batch_norm.running_var
    )
    half = large.transposed_conv.weight.half().float()
    assert torch.equal(loaded.transposed_conv.weight, half)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    broken = models.build("enet")
    broken.initial_block.batch_norm.running_var[0] = float("inf")
    with pytest.raises(ValueError, match=r"initial_block.batch_norm.running_var holds numbers that are not"):
        models.save_checkpoint(broken, tmp_path / "x.safetensors", models.Metadata(), dtype=torch.float16)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("layout", ["bare", "state_dict", "module", "numpy scalar beside it", "no counters"])
def test_public_layouts_load(network, layout, tmp_path):
    state = dict(network.state_dict())
    if layout == "no counters":
        state = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    content = {
        "state_dict": {"epoch": 3, "state_dict": state},
        "module": {f"module.{key}": value for key, value in state.items()},
        "numpy scalar beside it": {"miou": np.float64(0.5), "state_dict": state},
    }.get(layout, state)
    torch.save(content, tmp_path / "public.pth")
    loaded, metadata = models.load("enet", tmp_path / "public.pth")
    assert same(loaded, network)
    assert (metadata.num_classes, metadata.size, metadata.known_classes) == (20, [512, 1024], list(range(19)))


def test_unlabelled_first_is_rolled_so_that_void_comes_last(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "public.pth")
    rolled, _ = models.load("enet", tmp_path / "public.pth", class_order="unlabelled-first")
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        before, after = network(image), rolled(image)
    torch.testing.assert_close(after[:, 19], before[:, 0])
    torch.testing.assert_close(after[:, :19], before[:, 1:])


def test_an_order_that_nothing_verifies_is_said_on_stderr_and_one_that_is_given_is_not(
    network, tmp_path, capsys
):
    public, ours = tmp_path / "public.pth", tmp_path / "ours.safetensors"
    torch.save(network.state_dict(), public)
    models.save_checkpoint(network, ours, models.Metadata(model="enet"))
    assert same(models.load("enet", public)[0], network)
    assert capsys.readouterr().err.startswith("public.pth: the order of its outputs is not verified")
    models.load("enet", public, class_order="train-id")
    models.load("enet", ours)
    assert capsys.readouterr().err == ""


def test_sizes_of_espnetv2_and_their_files_are_told_apart(tmp_path):
    small, other = tmp_path / "small.pth", tmp_path / "espnetv2_s_0.5_city_512x256.pth"
    torch.save(models.build("espnetv2_0.5", 20).state_dict(), small)
    other.hardlink_to(small)
    with pytest.raises(ValueError, match=r"expected .*they are weights of espnetv2_0.5: choose that network"):
        models.load("espnetv2_2.0", small)
    with pytest.raises(ValueError, match=r"use espnetv2_s_0.5_city_1024x512.pth, which .* fetch espnetv2"):
        models.load("espnetv2_0.5", other)


class Harmful:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def saved(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))
    return path


def test_every_bad_file_gives_one_clear_line(network, tmp_path, capsys):
    state = dict(network.state_dict())
    cases = {
        "no weights at .* which is no file": tmp_path / "absent.pth",
        "no weights at .* which is a folder": tmp_path,
        "not a weights file that is safe to load": saved(Harmful(), tmp_path / "harmful.pth"),
        "holds a list that is no state_dict": tmp_path / "list.pth",
        "1 \\(transposed_conv.weight\\) missing, 0 unmatched; they fit no network": tmp_path / "short.pth",
        "0 missing, 1 \\(extra\\) unmatched; ask for a file of the weights alone": tmp_path / "long.pth",
        "initial_block.main_branch.weight has shape \\(1,\\)": tmp_path / "shape.pth",
        "not a checkpoint of this course": tmp_path / "text.safetensors",
    }
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({k: v for k, v in state.items() if k != "transposed_conv.weight"}, tmp_path / "short.pth")
    torch.save(state | {"extra": torch.zeros(1)}, tmp_path / "long.pth")
    torch.save(state | {"initial_block.main_branch.weight": torch.zeros(1)}, tmp_path / "shape.pth")
    (tmp_path / "text.safetensors").write_text("no weights")
    for message, path in cases.items():
        with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
            models.load_weights(models.build("enet", 20), path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert "never" not in capsys.readouterr().out


def test_a_truncated_file_is_named(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "whole.pth")
    models.save_checkpoint(network, tmp_path / "whole.safetensors", models.Metadata())
    for name in ("whole.pth", "whole.safetensors"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-1000])
        with pytest.raises(ValueError, match=name):
            models.load("enet", path)


def test_a_numpy_scalar_of_an_old_file_loads(network, tmp_path):
    path = tmp_path / "old.pth"
    content = {"miou": np.float64(0.5), "state_dict": dict(network.state_dict())}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray"))
    assert same(models.load("enet", path)[0], network)


@pytest.mark.parametrize("wrong", [{"size": [128]}, {"size": None}, {"known_classes": [0, 99]}])
def test_unsound_metadata_is_named(wrong, network, tmp_path):
    models.save_checkpoint(network, tmp_path / "x.safetensors", models.Metadata(model="enet", **wrong))
    with pytest.raises(ValueError, match=r"x.safetensors says size .* and known classes .*; expected"):
        models.load("enet", tmp_path / "x.safetensors")


def test_weights_given_twice_are_refused(network, tmp_path):
    state = dict(network.state_dict())
    torch.save(state | {f"module.{key}": value for key, value in state.items()}, tmp_path / "twice.pth")
    with pytest.raises(ValueError, match="holds some weights twice"):
        models.load("enet", tmp_path / "twice.pth")


def test_weights_of_another_network_are_refused(network, tmp_path):
    models.save_checkpoint(network, tmp_path / "enet.safetensors", models.Metadata(model="enet"))
    with pytest.raises(ValueError, match="holds weights of enet, not erfnet"):
        models.load("erfnet", tmp_path / "enet.safetensors")


def test_public_weights_of_another_network_are_recognised(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "public.pth")
    with pytest.raises(ValueError, match="they are weights of enet: choose that network"):
        models.load("erfnet", tmp_path / "public.pth")


def test_unknown_class_orders_and_void_first_with_19_outputs_raise(tmp_path):
    network = models.build("enet")
    torch.save(network.state_dict(), tmp_path / "public.pth")
    with pytest.raises(ValueError, match="unknown class order 'alphabetical'"):
        models.load_weights(network, tmp_path / "public.pth", class_order="alphabetical")
    with pytest.raises(ValueError, match="has 19 outputs; unlabelled-first needs 20"):
        models.load_weights(network, tmp_path / "public.pth", class_order="unlabelled-first")


@pytest.mark.parametrize("name", [*models.PAPER_NETWORKS, "espnetv2_0.5", "efficientnet_lite0"])
@pytest.mark.parametrize("num_classes", [19, 20])
def test_prototypes_come_back_from_the_disk(name, num_classes, tmp_path):
    written = models.build(name, num_classes, head="isomax").eval()
    with torch.no_grad():
        written.classifier.distance_scale.fill_(2.5)
    path, image = tmp_path / "x.safetensors", torch.rand(1, 3, 32, 48)
    models.save_checkpoint(written, path, models.Metadata(model=name))
    loaded, metadata = models.load(name, path)
    assert (metadata.head, metadata.num_classes, loaded.head_kind) == ("isomax", num_classes, "isomax")
    assert torch.equal(loaded.classifier.prototypes, written.classifier.prototypes)
    assert loaded.classifier.distance_scale.item() == 2.5
    with torch.inference_mode():
        assert torch.equal(loaded(image), written(image))


@pytest.mark.parametrize(("inside", "wanted"), [("linear", "isomax"), ("isomax", "linear")])
def test_weights_of_another_head_are_refused(inside, wanted, tmp_path):
    path = tmp_path / "x.safetensors"
    models.save_checkpoint(models.build("enet", head=inside), path, models.Metadata(model="enet"))
    message = f"whose head is {inside}, this one's is {wanted}: build it with head='{inside}'"
    with pytest.raises(ValueError, match=message):
        models.load_weights(models.build("enet", head=wanted), path)


def test_public_files_are_linear_and_unknown_heads_are_named(network, tmp_path, monkeypatch):
    torch.save(network.state_dict(), tmp_path / "public.pth")
    with pytest.raises(ValueError, match="whose head is linear, this one's is isomax"):
        models.load_weights(models.build("enet", 20, head="isomax"), tmp_path / "public.pth")
    monkeypatch.setattr(models.Network, "head_kind", "cosine")
    models.save_checkpoint(network, tmp_path / "x.safetensors", models.Metadata(model="enet"))
    with pytest.raises(ValueError, match=r"x.safetensors cannot be used: unknown head 'cosine'; known are"):
        models.load("enet", tmp_path / "x.safetensors")


@pytest.mark.parametrize("prefix", ["_orig_mod.", "model.", "net.", "module._orig_mod.", "model.net."])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_prefixes_of_other_programs_are_taken_away(network, prefix, suffix, tmp_path):
    path = tmp_path / f"public{suffix}"
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items()}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    assert same(models.load("enet", path)[0], network)


@pytest.mark.parametrize("name", ["model_state_dict", "net", "model", "weights"])
def test_the_only_weights_beside_other_things_are_taken(network, name, tmp_path):
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]}
    torch.save({"epoch": 3, name: state, "optimizer": optimizer, "best": 0.5}, tmp_path / "public.pth")
    assert same(models.load("enet", tmp_path / "public.pth")[0], network)


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (lambda state: {"model": state, "ema": state}, "holds several sets of weights: model, ema; save the"),
        (lambda state: {"outer": {"model": state}}, "holds a dict of outer that is no state_dict"),
        (lambda state: {}, "holds a dict that is no state_dict"),
        (
            lambda state: {f"student.{key}": value for key, value in state.items()},
            r"\(student\.initial_block",
        ),
    ],
)
def test_a_wrapper_that_cannot_be_taken_away_is_named(network, wrap, message, tmp_path):
    torch.save(wrap(dict(network.state_dict())), tmp_path / "public.pth")
    with pytest.raises(ValueError, match=message):
        models.load("enet", tmp_path / "public.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "is a pointer of Git LFS, which git lfs pull",
        ),
        (b"\xef\xbb\xbf <HTML lang='en'>", "is a web page instead of the file, which has moved"),
        (b"", "is empty"),
    ],
)
def test_what_came_instead_of_weights_is_said(content, message, suffix, tmp_path):
    path = tmp_path / f"erfnet{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"erfnet{suffix} {message}.*; fetch it again$"):
        models.load("erfnet", path)
