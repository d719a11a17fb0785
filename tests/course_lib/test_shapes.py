"""The shapes of a network's layers are those of its paper."""

import pytest
import torch

from course_lib import models


def test_erfnet_shrinks_to_an_eighth_and_grows_back():
    shapes = models.layer_shapes(models.build("erfnet"), (64, 128))
    assert [s.height for s in shapes] == [32] + 6 * [16] + 9 * [8] + 3 * [16] + 3 * [32] + [64]
    assert shapes[0] == ("encoder.initial_block", "Downsampler", 16, 32, 64)
    assert shapes[-1][:3] == ("decoder.output_conv", "ConvTranspose2d", 19)
    assert sum(s.kind == "NonBottleneck1D" for s in shapes) == 17


@pytest.mark.parametrize("name", models.NETWORKS)
def test_looking_changes_nothing(name):
    network = models.build(name).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert models.layer_shapes(network, (64, 64))[-1].channels == 19
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
