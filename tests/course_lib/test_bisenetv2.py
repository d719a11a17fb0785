"""What only BiSeNetV2 has: auxiliary heads, files with and without them, a normalisation of its own."""

import pytest
import torch
from test_models import (
    arrays_of,
    facts_of,
    filled,
    for_each_dtype,
    for_each_size,
    image_and_labels,
    logits_tolerance,
    undo_normalisation,
)
from torch.nn import functional as F

from course_lib import models
from course_lib.labels import IGNORE

NAME = "bisenetv2"
AUXILIARY = ("aux2", "aux3", "aux4", "aux5_4")


def heads_of(dtype, image):
    """Return the network and the logits of all heads, with running statistics as the goldens."""
    network = filled(NAME, dtype).eval()
    network.training = True  # of the whole alone: its layers stay in evaluation mode
    return network, network.all_logits(undo_normalisation(network, image))


@for_each_dtype
def test_auxiliary_logits_equal_the_goldens(dtype):
    image, _ = image_and_labels(NAME, "small", dtype)
    _, (_, *found) = heads_of(dtype, image)
    for name, logits in zip(AUXILIARY, found, strict=True):
        golden = torch.from_numpy(arrays_of(NAME)[f"{name}_small_sub3"]).to(dtype)
        torch.testing.assert_close(logits[0, :, 1::3, 2::3], golden, **logits_tolerance(NAME, dtype))


@for_each_size
@for_each_dtype
def test_the_loss_of_all_heads_and_its_gradients_equal_the_goldens(size, dtype):
    expected = facts_of(NAME)[size]["ce_main_plus_aux"]
    image, labels = image_and_labels(NAME, size, dtype)
    network, heads = heads_of(dtype, image)
    losses = [F.cross_entropy(logits, labels, ignore_index=IGNORE) for logits in heads]
    sum(losses).backward()
    exact = dtype == torch.float64
    relative, absolute = (1e-6, 1e-9) if exact else (1e-3, 3e-4 * expected["grad_l2_total"])
    assert [loss.item() for loss in losses] == pytest.approx(expected["losses"], rel=1e-6 if exact else 1e-5)
    for key, facts in expected["headline"].items():
        gradient = network.get_parameter(key).grad.flatten()
        assert gradient.norm().item() == pytest.approx(facts["grad_l2"], rel=relative, abs=absolute)
        assert gradient[:5].tolist() == pytest.approx(facts["first5"], rel=relative, abs=absolute)


@pytest.mark.parametrize("num_classes", [19, 20])
def test_without_auxiliary_heads_the_public_network_of_evaluation_is_left(num_classes):
    facts = facts_of(NAME)["variants"]
    expected = facts[f"nc{num_classes}_eval"]
    network = models.build(NAME, num_classes)
    network.drop_auxiliary()
    names = [entry[0] for entry in facts[f"nc{num_classes}"]["entries"][: expected["n_entries"]]]
    assert list(network.state_dict()) == names
    assert sum(p.numel() for p in network.parameters()) == expected["n_parameters"]


def test_auxiliary_logits_come_in_training_mode_only_and_fit_any_size():
    network = models.build(NAME, 20)
    image = torch.rand(2, 3, 45, 61)
    assert [tuple(logits.shape) for logits in network.all_logits(image)] == [(2, 20, 45, 61)] * 5
    assert isinstance(network(image), torch.Tensor)
    network.eval()
    (alone,) = network.all_logits(image)
    assert torch.equal(alone, network(image))
    network.drop_auxiliary()
    assert torch.equal(alone, network(image)) and len(network.train().all_logits(image)) == 1


@pytest.mark.parametrize("name", ["erfnet", "enet"])
def test_other_networks_have_one_head_in_every_mode(name):
    assert len(models.build(name).train().all_logits(torch.rand(2, 3, 16, 24))) == 1


def test_the_normalisation_is_inside_and_not_saved():
    network = models.build(NAME)
    assert network.mean.flatten().tolist() == pytest.approx([0.3257, 0.3690, 0.3223])
    assert network.std.flatten().tolist() == pytest.approx([0.2112, 0.2148, 0.2115])
    assert not {"mean", "std"} & network.state_dict().keys()
    with pytest.raises(ValueError, match="divide by 255"):
        network(torch.rand(1, 3, 32, 32) * 255)


def test_features_are_what_the_classifier_reads():
    network = models.build(NAME).eval()
    image = torch.rand(1, 3, 64, 96)
    features = network.features(image)
    assert features.shape == (1, network.feature_channels, 8, 12)
    enlarged = F.interpolate(network.classifier(features), scale_factor=8, mode="bilinear")
    torch.testing.assert_close(network(image), enlarged)


def test_a_lone_image_trains_although_its_pooled_features_have_no_variance():
    network = models.build(NAME)
    heads = network.all_logits(torch.rand(1, 3, 16, 24))
    sum(logits.mean() for logits in heads).backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())


@pytest.fixture
def public(tmp_path):
    """Write the three layouts of public files, and return the weights in them."""
    torch.manual_seed(0)
    network = models.build(NAME).eval()
    whole = network.state_dict()
    bare = {key: value for key, value in whole.items() if not network.is_auxiliary(key)}
    for name, content in (("whole", whole), ("bare", bare), ("part", bare | {"aux2.conv.conv.weight": 0})):
        torch.save({k: torch.as_tensor(v) for k, v in content.items()}, tmp_path / f"{name}.pth")
    return network


@pytest.mark.parametrize(("layout", "entries"), [("whole", 383), ("bare", 327)])
def test_public_files_load_with_and_without_auxiliary_heads(public, tmp_path, layout, entries):
    loaded, _ = models.load(NAME, tmp_path / f"{layout}.pth")
    state = public.state_dict()
    assert len(loaded.state_dict()) == entries and not loaded.training
    assert all(torch.equal(value, state[key]) for key, value in loaded.state_dict().items())


def test_part_of_the_auxiliary_heads_and_foreign_names_are_refused(public, tmp_path):
    with pytest.raises(ValueError, match=r"47 \(aux2.conv.bn.weight, .*\) missing, 0 unmatched; they fit no"):
        models.load(NAME, tmp_path / "part.pth")
    torch.save(public.state_dict() | {"aux9.bias": torch.zeros(1)}, tmp_path / "more.pth")
    with pytest.raises(ValueError, match=r"0 missing, 1 \(aux9.bias\) unmatched"):
        models.load(NAME, tmp_path / "more.pth")
    with pytest.raises(ValueError, match="they are weights of bisenetv2: choose that network"):
        models.load("erfnet", tmp_path / "bare.pth")


def test_a_file_that_is_refused_leaves_the_network_as_it_was(public, tmp_path):
    torch.save({"x": torch.zeros(1)}, tmp_path / "wrong.pth")
    with pytest.raises(ValueError, match=r"273 .* missing"):
        models.load_weights(public, tmp_path / "wrong.pth")
    assert len(public.state_dict()) == 383


@pytest.mark.parametrize("num_classes", [19, 20])
def test_a_saved_checkpoint_drops_the_heads_and_gives_the_same_logits(num_classes, tmp_path):
    network = models.build(NAME, num_classes)
    path, image = tmp_path / "bisenetv2_void.safetensors", torch.rand(1, 3, 40, 70)
    models.save_checkpoint(network, path, models.Metadata(model=NAME))
    loaded, metadata = models.load(NAME, path)
    assert metadata.num_classes == num_classes
    assert (len(loaded.state_dict()), len(network.state_dict())) == (327, 383)
    with torch.inference_mode():
        assert torch.equal(loaded(image), network.eval()(image))
