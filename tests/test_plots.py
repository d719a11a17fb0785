"""Figures show what they claim."""

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import plots
from course_lib.evaluation import Scored

matplotlib.use("Agg")


def scored(name="0", size=(48, 80)):
    target = torch.zeros(size, dtype=torch.uint8)
    target[10:20, 10:20], target[:5] = 1, 255
    maps = {
        ("msp", 1.0): torch.rand(size),
        ("max_logit", 1.0): -torch.rand(size),
        ("msp", 0.5): torch.rand(size),
    }
    return Scored(name, Image.new("RGB", size[::-1], (10, 20, 30)), target, maps)


def test_score_panels_show_image_truth_and_every_score():
    figure = plots.score_panels([scored("a"), scored("b", (60, 60))], title="two images")
    assert figure.get_suptitle() == "two images"
    panels = figure.axes[:10]
    assert [axis.get_title() for axis in panels[:5]] == [
        "image", "ground truth", "MSP", "max logit", "MSP, T = 0.5",
    ]  # fmt: skip
    assert [panels[0].get_ylabel(), panels[5].get_ylabel()] == ["a", "b"]
    truth = panels[1].images[0]
    assert truth.get_clim() == (0, 2) and set(np.unique(truth.get_array())) == {0, 1, 2}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["normal", "anomaly", "void"]


def test_colour_limits_ignore_void_pixels():
    one = scored()
    one.maps["msp", 1.0][:5] = 1e6
    figure = plots.score_panels([one])
    assert figure.axes[2].images[0].get_clim()[1] < 1.01


def test_large_images_are_thinned():
    figure = plots.score_panels([scored(size=(1024, 2048))])
    assert max(figure.axes[0].images[0].get_array().shape) <= plots.MOST_PIXELS


def test_nothing_to_draw_raises():
    with pytest.raises(ValueError, match="no image to draw"):
        plots.score_panels([])
