"""One pass gives the logits and what the encoder saw at several scales, of a network and of its fast copy."""

import closed_form
import pytest
import torch
from small_detectors import Halving

from course_lib import inference, models

CHANNELS = {
    "erfnet": {4: 64, 8: 128},
    "enet": {4: 64, 8: 128},
    "bisenetv2": {4: 16, 8: 32, 16: 64, 32: 128},
    "espnetv2_0.5": {4: 32, 8: 64, 16: 128},
    "efficientnet_lite0": {4: 24, 8: 40, 16: 112, 32: 320},
}
"""Of the encoder's last map at each stride, as the papers have them."""


def filled(name):
    """A network in which every weight and every running statistic matters."""
    network = models.build(name)
    closed_form.fill(network, closed_form.GAIN[name])
    return network.eval()


@pytest.mark.parametrize("name", CHANNELS)
def test_a_stride_is_how_much_smaller_the_map_is_and_the_logits_stay(name):
    network, images = filled(name), torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        logits, maps = models.logits_and_scales(network, images, [*CHANNELS[name]])
        assert torch.equal(logits, network(images))
    shapes = {stride: tuple(found.shape) for stride, found in maps.items()}
    assert shapes == {s: (2, c, 64 // s, 96 // s) for s, c in CHANNELS[name].items()}
    assert [*network.scale_modules] == [*CHANNELS[name]]
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("name", CHANNELS)
def test_a_fast_network_gives_the_same_maps_but_for_rounding(name):
    network, images = filled(name), torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        logits, maps = models.logits_and_scales(network, images, [*network.scale_modules])
        fast = inference.accelerate(network)
        for _ in range(2):  # nothing of the first pass is overwritten or kept
            logits_fast, maps_fast = models.logits_and_scales(fast, images, [*network.scale_modules])
    pairs = [(logits, logits_fast), *((maps[stride], maps_fast[stride]) for stride in maps)]
    for plain, rounded in pairs:
        assert (plain - rounded).abs().amax() < 2e-5 * plain.abs().amax()


def test_the_map_is_what_the_named_module_returned():
    network, images = Halving().eval(), torch.rand(1, 3, 32, 64)
    x = images
    with torch.no_grad():
        for step in network.steps[:4]:
            x = step(x)
        assert torch.equal(models.logits_and_scales(network, images, [16])[1][16], x)


def test_a_stride_without_a_map_names_those_that_there_are():
    with pytest.raises(ValueError, match="ENet has no map of its encoder at 1/32; it has 1/4, 1/8"):
        models.logits_and_scales(models.build("enet").eval(), torch.rand(1, 3, 32, 32), [8, 32])
    outside = Halving()
    outside.scale_modules = {}
    with pytest.raises(ValueError, match="has no map of its encoder at 1/8; it has none"):
        models.logits_and_scales(outside.eval(), torch.rand(1, 3, 32, 32), [8])
