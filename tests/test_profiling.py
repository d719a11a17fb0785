"""What a network costs is counted, not guessed."""

import pytest
import torch

from course_lib import models, plots, profiling

SIZE = (32, 64)
PARAMETERS = {"erfnet": 2_066_836, "enet": 351_804, "bisenetv2": 3_359_652}


@pytest.mark.parametrize("name", models.NETWORKS)
def test_a_network_costs_its_parameters_and_some_time(name, capfd):
    network = models.build(name, 20).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    random = torch.get_rng_state()
    found = profiling.cost(network, SIZE)
    assert torch.equal(torch.get_rng_state(), random)
    assert found.parameters == PARAMETERS[name]  # of the public implementations, without auxiliary heads
    assert 0.1 < found.milliseconds < 10_000 and found.training_megabytes > 0.5
    assert not network.training and all(
        torch.equal(value, before[key]) for key, value in network.state_dict().items()
    )
    assert capfd.readouterr().err == ""


class TwoLayers(torch.nn.Sequential):
    """A network whose memory can be counted by hand."""

    def all_logits(self, images):
        return [self(images)]


def test_saved_bytes_are_the_activations():
    network = TwoLayers(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(), torch.nn.Conv2d(4, 5, 1))
    images = torch.rand(2, 3, *SIZE)
    # kept: the ReLU's output, which the second convolution reads, too; no images, no weights
    assert profiling.saved_bytes(network, images) == 2 * 4 * 32 * 64 * 4


def test_twice_the_pixels_keep_twice_the_bytes():
    network = models.build("enet", 20).train()
    once, twice = (profiling.saved_bytes(network, torch.rand(n, 3, *SIZE)) for n in (2, 4))
    assert twice == pytest.approx(2 * once, rel=0.02)


def test_costs_are_drawn_with_their_numbers():
    one = profiling.Cost(parameters=2_066_836, milliseconds=12.3, training_megabytes=46.2)
    figure = plots.network_costs({"ERFNet": one, "ENet": one})
    assert "million parameters: ERFNet 2.07, ENet 2.07; milliseconds an image: ERFNet 12.3" in figure.alt
