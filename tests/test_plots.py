"""Figures show what they claim."""

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import data, plots
from course_lib.evaluation import Scored, Segmented
from course_lib.labels import PALETTE
from course_lib.plots import panels

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
    assert max(figure.axes[0].images[0].get_array().shape) <= panels.MOST_PIXELS


def test_nothing_to_draw_raises():
    with pytest.raises(ValueError, match="no image to draw"):
        plots.score_panels([])


def test_segmentation_panels_paint_truth_and_prediction_in_the_same_colours():
    target = torch.zeros(32, 64, dtype=torch.uint8)
    target[:4], target[16:] = 255, 13
    sample = data.Sample("street", Image.new("RGB", (64, 32)), target)
    one = Segmented(sample, target.clamp(max=13).long(), torch.rand(19, 32, 64), (0, 13))
    figure = plots.segmentation_panels([one], "a street")
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles == ["image", "ground truth", "prediction", "MSP", "max logit"]
    truth, predicted = (figure.axes[i].images[0].get_array() for i in (1, 2))
    assert tuple(truth[0, 0]) == (0, 0, 0) and tuple(truth[20, 5]) == tuple(predicted[20, 5]) == PALETTE[13]
    assert [text.get_text() for text in figure.legends[0].get_texts()][13::6] == ["car", "void"]
    with pytest.raises(ValueError, match="no image to draw"):
        plots.segmentation_panels([])


def test_learning_curves_show_loss_and_mean_iou():
    history = [
        {"epoch": 1, "loss": 2.0},
        {"epoch": 2, "loss": 1.0, "miou": 0.4, "iou_road": 0.7, "iou_car": 0.1},
    ]
    figure = plots.learning_curves(history, "a run")
    curves, bars, right = figure.axes
    assert curves.lines[0].get_ydata().tolist() == [2, 1] and right.lines[0].get_ydata().tolist() == [40]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["car", "road"]
