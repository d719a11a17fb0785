"""Outlier exposure: what is pasted in, the hinge of energies, and runs that go on from trained weights."""

import math

import pytest
import torch
from small_data import street_settings, write_street

from course_lib import data, losses, models, training
from course_lib.labels import IGNORE, OUTLIER
from course_lib.training import samples
from course_lib.training.files import load_state


def pair(colour, label):
    image = torch.tensor(colour, dtype=torch.uint8).view(3, 1, 1).expand(3, 60, 80).contiguous()
    return image, torch.full((60, 80), label, dtype=torch.uint8)


def test_pieces_are_labelled_where_they_are_and_nowhere_else():
    torch.manual_seed(0)
    road, other = pair((100, 100, 100), 0), pair((200, 30, 90), 11)
    seen = set()
    for _ in range(40):
        image, target = data.paste_pieces(*road, *other)
        assert image.dtype == target.dtype == torch.uint8 and image.shape == (3, 60, 80)
        seen |= set(target.unique().tolist())
        untouched = target == 0
        # a piece's edge may fade into the road, but by no more than a tenth
        assert (image.float()[:, untouched] - 100).abs().max() <= 0.11 * 155
        ordinary = target == 11
        assert ((image.float() - other[0].float()).abs().amax(0)[ordinary] <= 0.5 * 100).all()
    assert seen == {0, 11, OUTLIER, IGNORE}
    assert torch.equal(road[0], pair((100, 100, 100), 0)[0]) and not road[1].any()  # left alone


def test_about_a_quarter_of_the_images_has_no_strange_piece():
    torch.manual_seed(1)
    road, other = pair((100, 100, 100), 0), pair((200, 30, 90), 11)
    strange = [(data.paste_pieces(*road, *other)[1] == OUTLIER).any().item() for _ in range(200)]
    assert 0.55 < sum(strange) / 200 < 0.9


def test_the_hinge_on_four_pixels_by_hand():
    energies = torch.tensor([-12.0, -9.0, -9.0, -5.0])
    is_outlier = torch.tensor([False, False, True, True])
    # from -10 to -6: ordinary -12 is below, -9 a quarter above; outlier -9 lacks three quarters, -5 nothing
    expected = (0 + 0.25**2) / 2 + (0.75**2 + 0) / 2
    assert losses.energy_hinge(energies, is_outlier, (-10.0, -6.0)).item() == pytest.approx(expected)
    ordinary = losses.energy_hinge(energies, torch.zeros(4).bool(), (-10.0, -6.0))
    assert ordinary.item() == pytest.approx((0 + 2 * 0.25**2 + 1.25**2) / 4)
    with pytest.raises(ValueError, match=r"must lie above .* got \(-6\.0, -10\.0\)"):
        losses.energy_hinge(energies, is_outlier, (-6.0, -10.0))


def test_the_term_counts_no_void_and_only_known_classes():
    logits = torch.zeros(1, 3, 1, 3)
    logits[0, 2] = 50.0  # never trained
    target, weights = torch.tensor([[[0, OUTLIER, IGNORE]]]), torch.tensor([2.0, 1.0, 1.0])
    found = losses.energy_hinge_sum(logits, target, weights, known_classes=[0, 1], margins=(-2.0, 0.0))
    level = (2 - math.log(2)) / 2  # of both pixels
    assert found.item() == pytest.approx(2.0 * (level**2 + (1 - level) ** 2))
    assert losses.weight_sum(target, weights).item() == 2.0


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")
    return data_root


@pytest.fixture
def start(tmp_path):
    torch.manual_seed(7)
    network = models.build("erfnet")
    network(torch.rand(2, 3, 16, 24))  # running statistics of its own
    path = tmp_path / "erfnet_ce.safetensors"
    models.save_checkpoint(network, path, models.Metadata(model="erfnet"), dtype=torch.float16)
    return path


def test_training_images_hold_pieces_that_depend_on_seed_epoch_and_image_alone(street):
    images = samples.TrainingImages(data.CamVid("train"), (32, 48), seed=0, with_outliers=True)
    first = [images[epoch, 0] for epoch in range(8)]
    torch.rand(3)
    assert all(torch.equal(images[epoch, 0][1], first[epoch][1]) for epoch in range(8))
    assert any((target == OUTLIER).any() for _, target in first)
    assert not (images.class_counts() < 0).any() and images.class_counts().numel() == 19


@pytest.mark.parametrize("decoder_only", [True, False])
def test_a_run_goes_on_from_all_weights_and_batch_normalisation_stays(street, start, tmp_path, decoder_only):
    settings = street_settings(training="energy", start=str(start), decoder_only=decoder_only, epochs=1)
    trained = training.train(settings, tmp_path / "run")
    before, after = (models.load("erfnet", path)[0].state_dict() for path in (start, trained.weights))
    network = models.build("erfnet")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("running" in name for name in moved)
    assert any(name.startswith("decoder") for name in moved)
    assert any(network.is_encoder(name) for name in moved) != decoder_only
    state = load_state(tmp_path / "run" / "last.pt")
    assert state["margins"][0] < state["margins"][1] and state["encoder"]["file"] == "erfnet_ce.safetensors"
    row = trained.history[-1]
    assert row["loss"] == pytest.approx(row["loss_ce"] + row["loss_energy"]) and row["loss_energy"] > 0


def test_the_control_learns_nothing_from_the_pieces(street, start, tmp_path, monkeypatch):
    settings = street_settings(training="energy", start=str(start), term_weights=(1.0, 0.0), epochs=1)
    first = models.load("erfnet", training.train(settings, tmp_path / "one").weights)[0].state_dict()
    hinge = losses.energy_hinge
    monkeypatch.setattr(losses, "energy_hinge", lambda *given: 7 + hinge(*given))
    second = models.load("erfnet", training.train(settings, tmp_path / "two").weights)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_wrong_beginnings_are_refused(street, start, tmp_path):
    with pytest.raises(ValueError, match="training energy goes on from trained weights: add --start FILE"):
        street_settings(training="energy")
    with pytest.raises(ValueError, match="training the decoder only goes on from trained weights"):
        street_settings(decoder_only=True)
    with pytest.raises(ValueError, match="with a whole network"):
        street_settings(start=str(start), encoder=str(start))
    settings = street_settings(training="void", start=str(start))
    with pytest.raises(ValueError, match="19 outputs of a linear layer, this training needs 20"):
        training.train(settings, tmp_path / "void")


def test_a_run_that_knew_fewer_settings_can_go_on():
    settings = street_settings()
    saved = {name: value for name, value in vars(settings).items() if name not in ("start", "decoder_only")}
    assert settings.differences(saved) == []
