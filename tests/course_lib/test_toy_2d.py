"""The toy of two classes in the plane: learnt by every loss, repeatable, and drawn with true numbers."""

import pytest
import torch

from course_lib import losses, scores, training
from course_lib.lesson import figures
from course_lib.metrics import average_precision

LABELLED = [name for name in training.TRAININGS if name != "void"]
FEW = 60  # steps


@pytest.fixture(scope="module")
def points():
    return training.plane_points()


@pytest.mark.parametrize("name", LABELLED)
def test_every_loss_teaches_the_two_classes(points, name):
    network = training.train_on_plane(name, points, FEW)
    right = network(points.known).argmax(dim=1) == points.classes
    assert right.double().mean() > 0.98


def test_the_same_seeds_give_the_same_network_and_leave_the_callers_random_state(points):
    before = torch.get_rng_state()
    first, again, other = (training.train_on_plane("eiml_fl", points, FEW, seed) for seed in (3, 3, 4))
    found = [network(points.unknown) for network in (first, again, other)]
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(training.plane_points(1).known, training.plane_points(1).known)
    assert not torch.equal(training.plane_points(1).known, points.known)


def test_logits_grow_with_distance_for_cross_entropy_and_are_bounded_for_distances(points):
    far = 1000 * torch.tensor([[1.0, -1.0], [-1.0, 0.5]])
    linear, isomax = (training.train_on_plane(name, points, FEW) for name in ("ce", "eiml"))
    assert linear(far).abs().amax() > 20 * linear(points.known).abs().amax()
    assert isomax(far).abs().amax() <= 2 * isomax.classifier.distance_scale.abs().item() + 1e-4


def test_void_and_unknown_names_are_refused(points):
    with pytest.raises(ValueError, match="training void learns void, and no point in the plane is void"):
        training.train_on_plane("void", points)
    with pytest.raises(ValueError, match="unknown training 'ec'; known are ce, void"):
        training.train_on_plane("ec", points)


@pytest.mark.parametrize("score", ["msp", "max_logit"])
def test_the_figure_has_a_panel_per_network_with_its_auprc(points, score):
    networks = {name: training.train_on_plane(name, points, FEW) for name in ("ce", "ln_fl")}
    figure = figures.plane_scores(networks, points, score)
    everything = torch.cat([points.known, points.unknown])
    is_unknown = torch.arange(450) >= 300
    for axis, (name, network) in zip(figure.axes, networks.items(), strict=False):
        logits = network(everything).T[None, :, None]
        expected = 100 * average_precision(scores.SCORES[score](logits, (0, 1)).flatten(), is_unknown)
        title = f"{training.training_title(name)}: AuPRC {expected:.0f} %"
        assert axis.get_title() == title and title.replace(":", "") in figure.alt
        shown = [line for line in axis.lines if line.get_marker() == "x"]
        assert list(shown[0].get_xdata()) == points.unknown[:, 0].tolist()
    assert "chance is 33 %" in figure.alt


@pytest.mark.parametrize("true_class", [0, 2])
def test_cross_entropy_rewards_or_punishes_length_and_logit_norm_does_not(true_class):
    target, weights = torch.full((1, 1, 1), true_class), torch.ones(3)
    longer = [a * torch.tensor([2.0, 1.0, 0.0]).view(1, 3, 1, 1) for a in torch.logspace(-1, 1, 60)]
    entropies = [losses.cross_entropy_sum(logits, target, weights).item() for logits in longer]
    norms = [losses.logit_norm_sum(logits, target, weights, temperature=1).item() for logits in longer]
    assert entropies == sorted(entropies, reverse=true_class == 0)
    assert max(norms) == pytest.approx(min(norms), rel=1e-4)
