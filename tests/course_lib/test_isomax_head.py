"""The head of IsoMax+: reference values, features of zero, precision, and what is scored."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib import losses, models, scores
from course_lib.models import IsoMaxPlus

GOLDENS = Path(__file__).parents[1] / "goldens"
FACTS = json.loads((GOLDENS / "losses.json").read_text())["isomaxplus"]
ARRAYS = np.load(GOLDENS / "losses.npz")
in_both_precisions = pytest.mark.parametrize(
    ("dtype", "relative"), [(torch.float64, 1e-9), (torch.float32, 1e-5)]
)
for_each_network = pytest.mark.parametrize(
    "name", [*models.PAPER_NETWORKS, "espnetv2_0.5", "efficientnet_lite0"]
)


def golden(name, dtype=torch.float64):
    return torch.from_numpy(ARRAYS[name]).to(dtype)


def head_of(scale, dtype=torch.float64):
    """Return a head with the golden prototypes."""
    head = IsoMaxPlus(16, 19).to(dtype)
    with torch.no_grad():
        head.prototypes.copy_(golden("prototypes", dtype))
        head.distance_scale.fill_(scale)
    return head


def loss_of(logits):
    """Return the mean loss over the valid golden pixels."""
    target, ones = golden("labels").long(), torch.ones(19, dtype=logits.dtype)
    return losses.isomax_sum(logits, target, ones) / losses.weight_sum(target, ones)


def assert_near(found, expected, relative):
    torch.testing.assert_close(found.double(), expected, rtol=relative, atol=relative * expected.abs().max())


@in_both_precisions
@pytest.mark.parametrize("case", FACTS["cases"])
def test_logits_loss_and_gradients_equal_the_reference(case, dtype, relative):
    expected = FACTS["cases"][case]
    head, features = head_of(expected["distance_scale"], dtype), golden("features", dtype).requires_grad_()
    logits = head(features)
    cold = logits / expected["temperature"]
    assert_near(cold.detach(), golden(f"isomaxplus_{case}_logits"), relative)
    loss = loss_of(cold)
    loss.backward()
    assert loss.item() == pytest.approx(expected["loss"], rel=relative)
    assert head.distance_scale.grad.item() == pytest.approx(expected["grad_distance_scale"], rel=relative)
    assert_near(features.grad, golden(f"isomaxplus_{case}_grad_features"), relative)
    assert_near(head.prototypes.grad, golden(f"isomaxplus_{case}_grad_prototypes"), relative)


@pytest.mark.parametrize("case", FACTS["cases"])
def test_scores_equal_those_of_the_original_inference_without_the_factor_ten(case):
    expected, arrays = FACTS["cases"][case], f"isomaxplus_{case}"
    with torch.inference_mode():
        logits = head_of(expected["distance_scale"])(golden("features")) / expected["temperature"]
    assert_near(scores.max_logit(logits), -golden(f"{arrays}_MDS"), 1e-9)
    assert_near(scores.max_entropy(logits) * math.log(19), -golden(f"{arrays}_ES"), 1e-9)
    assert_near(scores.msp(logits), 1 - golden(f"{arrays}_MPS"), 1e-9)
    wrong = 1 - golden(f"{arrays}_MPS_with_entropic_scale_NOT_ORIGINAL")
    assert not torch.allclose(scores.msp(logits), wrong, atol=0.1)


def test_the_underflow_of_the_original_at_scale_20_does_not_happen():
    demo = FACTS["underflow_demo_distance_scale_20"]
    for dtype, relative in ((torch.float64, 1e-9), (torch.float32, 1e-5)):
        loss = loss_of(head_of(20, dtype)(golden("features", dtype)))
        assert loss.item() == pytest.approx(demo["log_softmax_float64"], rel=relative)


def test_a_feature_of_zero_gives_equal_logits_and_finite_gradients():
    head, features = IsoMaxPlus(16, 19), torch.zeros(1, 16, 2, 2, requires_grad=True)
    logits = head(features)
    expected = FACTS["zero_feature_vector"]
    torch.testing.assert_close(logits, torch.full_like(logits, expected["logits_all_equal_to"]))
    loss = losses.isomax_sum(logits, torch.zeros(1, 2, 2, dtype=torch.long), torch.ones(19)) / 4
    loss.backward()
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-6)
    gradients = [features.grad, head.prototypes.grad, head.distance_scale.grad]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert features.grad.norm() < 1e6  # the original's is 5.6e12


def test_a_feature_that_equals_its_prototype_has_a_finite_gradient():
    head = IsoMaxPlus(4, 2)
    with torch.no_grad():
        head.prototypes.copy_(torch.eye(4)[:2])  # the squared distance is exactly 0, whose root has no slope
    features = torch.eye(4)[0].view(1, 4, 1, 1).requires_grad_()
    logits = head(features)
    assert logits.flatten().tolist() == pytest.approx([-1e-6, -math.sqrt(2)])
    logits.sum().backward()
    assert features.grad.isfinite().all() and head.prototypes.grad.isfinite().all()


def test_distances_in_the_plane_by_hand():
    head = IsoMaxPlus(2, 3)
    with torch.no_grad():
        head.prototypes.copy_(torch.tensor([[5.0, 0.0], [0.0, 0.1], [-3.0, 0.0]]))
        head.distance_scale.fill_(-2)
    logits = head(torch.tensor([7.0, 0.0]).view(1, 2, 1, 1))
    # the same direction, a right angle, the opposite direction; only |s| counts
    assert logits.flatten().tolist() == pytest.approx([0, -2 * math.sqrt(2), -4], abs=1e-5)


def test_distances_are_computed_in_single_precision_whatever_the_convolutions_use():
    head, features = IsoMaxPlus(16, 19), torch.rand(1, 16, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(head(features), head.float()(features))
        assert head(features.bfloat16()).dtype == torch.float32


@for_each_network
def test_max_logit_of_a_network_is_the_scaled_distance_to_the_nearest_prototype(name):
    torch.manual_seed(0)
    network = models.build(name, head="isomax").eval()
    with torch.no_grad():
        network.classifier.distance_scale.fill_(1.5)
    with torch.inference_mode():
        images = torch.rand(1, 3, 64, 64)
        features = network.features(images)[0].flatten(1).T
        logits = network(images)
    directions, prototypes = (
        t / t.norm(dim=1, keepdim=True) for t in (features, network.classifier.prototypes)
    )
    distances = 1.5 * torch.cdist(
        directions, prototypes.detach(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    side = int(math.sqrt(len(features)))
    small = -distances.T.reshape(1, 19, side, side)
    enlarged = models.network.enlarge(small, (64, 64), network.align_corners)
    torch.testing.assert_close(logits, enlarged, rtol=1e-3, atol=1e-3)
    assert scores.max_logit(small).flatten().tolist() == pytest.approx(distances.amin(dim=1).tolist())
    torch.testing.assert_close(scores.max_logit(logits), -enlarged.amax(dim=1), rtol=1e-3, atol=1e-3)


def test_scores_do_not_depend_on_the_factor_ten(monkeypatch):
    torch.manual_seed(0)
    network, images = models.build("erfnet", head="isomax").eval(), torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        before = [scores.score(name, network(images)) for name in ("msp", "max_logit", "max_entropy")]
        monkeypatch.setattr(losses, "ENTROPIC_SCALE", 100.0)
        after = [scores.score(name, network(images)) for name in ("msp", "max_logit", "max_entropy")]
    assert all(map(torch.equal, before, after))


@for_each_network
def test_every_head_gets_prototypes_and_all_else_stays(name):
    torch.manual_seed(0)
    linear = models.build(name)
    torch.manual_seed(0)
    network = models.build(name, head="isomax")
    assert (linear.head_kind, network.head_kind, network.num_classes) == ("linear", "isomax", 19)
    heads = [network.get_submodule(n) for n in network.classifier_names]
    assert len(heads) == (5 if name == "bisenetv2" else 1) and all(isinstance(h, IsoMaxPlus) for h in heads)
    assert heads[0].prototypes.shape == (19, network.feature_channels)
    before, after = linear.state_dict(), network.state_dict()
    kept = [key for key in after if not key.startswith(network.classifier_names)]
    assert all(torch.equal(before[key], after[key]) for key in kept)
    found = network.all_logits(torch.rand(1, 3, 45, 61))
    assert [logits.shape for logits in found] == [(1, 19, 45, 61)] * len(heads)


@for_each_network
def test_a_void_output_is_added_beside_unchanged_prototypes(name):
    network = models.build(name, head="isomax").eval()
    wider = models.with_void_output(network).eval()
    images = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        found, expected = wider(images), network(images)
    assert wider.head_kind == "isomax" and found.shape[1] == 20
    torch.testing.assert_close(found[:, :19], expected)


def test_unknown_heads_are_named():
    with pytest.raises(
        ValueError, match="unknown head 'isomx'; known are linear, isomax; did you mean isomax"
    ):
        models.build("erfnet", head="isomx")
