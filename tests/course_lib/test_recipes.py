"""Each network is trained as its authors did, and one as we do, in every profile."""

import pytest
import torch
from torch import nn

from course_lib import models, training
from course_lib.losses import class_weights
from course_lib.training.recipes import RECIPES

SHARES = torch.tensor([0.7, 0.2, 0.1])


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("profile", ["mini", "camvid", "cityscapes"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_network_has_settings_in_every_profile(name, profile, device):
    settings = training.settings_for(profile, name, torch.device(device), training="void")
    assert settings.num_classes == 20 and settings.recipe is RECIPES[name]


def rate(profile, model, **chosen):
    return training.settings_for(profile, model, torch.device("cpu"), **chosen).learning_rate


def test_learning_rates_are_the_published_ones_times_the_profile_s_factor():
    assert rate("cityscapes", "erfnet") == rate("cityscapes", "enet") == 5e-4
    assert rate("mini", "erfnet") == rate("mini", "enet", batch=16) == 1.5e-3
    # SGD's learning rate is that of 16 images, and grows with the batch
    assert rate("cityscapes", "bisenetv2", batch=16) == 5e-2
    assert rate("cityscapes", "bisenetv2") == pytest.approx(5e-2 * 6 / 16)
    assert rate("mini", "bisenetv2") == pytest.approx(3 * 5e-2 * 4 / 16)
    assert rate("mini", "bisenetv2", learning_rate=0.1) == 0.1


def test_the_learning_rate_rises_in_the_warm_up_and_falls_by_the_poly_schedule():
    recipe = RECIPES["bisenetv2"]
    factors = [recipe.schedule(step, 3000) for step in (0, 9, 20, 1500, 3000)]
    falling = [(1 - step / 3000) ** 0.9 for step in (0, 9, 20, 1500, 3000)]
    rising = [1 / 21, 10 / 21, 1, 1, 1]  # 3000 * 1000 / 150,000 = 20 steps
    assert factors == pytest.approx([r * f for r, f in zip(rising, falling, strict=True)])
    assert [RECIPES["erfnet"].schedule(step, 3000) for step in (0, 1500)] == [1, 0.5**0.9]


def optimiser_of(name, **chosen):
    settings = training.settings_for("mini", name, torch.device("cpu"), **chosen)
    return training.Trainer(models.build(name), settings, torch.ones(19), 10).optimizer


def test_bisenetv2_learns_by_sgd_whose_decay_spares_biases_and_normalisation():
    optimiser = optimiser_of("bisenetv2")
    decaying, spared = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.SGD) and decaying["momentum"] == spared["momentum"] == 0.9
    assert (decaying["weight_decay"], spared["weight_decay"]) == (5e-4, 0)
    assert {p.dim() for p in decaying["params"]} == {4} and {p.dim() for p in spared["params"]} == {1}
    network = models.build("bisenetv2")
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in network.modules())
    assert len(decaying["params"]) == convolutions
    assert len(decaying["params"]) + len(spared["params"]) == len(list(network.parameters()))


@pytest.mark.parametrize(("name", "decay"), [("erfnet", 1e-4), ("enet", 2e-4)])
def test_erfnet_and_enet_learn_by_adam_in_one_group(name, decay):
    optimiser = optimiser_of(name)
    (group,) = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.Adam) and group["betas"] == (0.9, 0.999)
    assert group["weight_decay"] == decay and group["lr"] == 1.5e-3


def test_an_encoder_that_was_trained_before_learns_more_slowly_where_the_recipe_says_so():
    network = models.build("efficientnet_lite0")
    inside = [name for name, _ in network.named_parameters() if network.is_encoder(name)]
    optimiser = optimiser_of("efficientnet_lite0", encoder="imagenet")
    others, encoder = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.AdamW)
    assert (others["weight_decay"], encoder["weight_decay"]) == (1e-2, 1e-2)
    assert (others["initial_lr"], encoder["initial_lr"]) == pytest.approx((1e-3, 3e-4))
    assert len(encoder["params"]) == len(inside)
    assert len(others["params"]) + len(inside) == len(list(network.parameters()))
    for name, encoder in (("efficientnet_lite0", None), ("erfnet", "erfnet_ce.safetensors")):
        (group,) = optimiser_of(name, encoder=encoder).param_groups
        assert group["initial_lr"] == rate("mini", name)


@pytest.mark.parametrize(
    ("name", "constant"), [("erfnet", 1.10), ("enet", 1.02), ("efficientnet_lite0", 1.10)]
)
def test_rare_classes_weigh_more_but_for_bisenetv2(name, constant):
    assert torch.equal(RECIPES[name].weighting(SHARES), class_weights(SHARES, constant))


def test_all_classes_weigh_the_same_for_bisenetv2():
    assert RECIPES["bisenetv2"].weighting(SHARES).tolist() == [1, 1, 1]
