"""Figures show what they claim."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn
import torch
from matplotlib.colors import to_hex
from PIL import Image

from course_lib import data, models
from course_lib.evaluation import Scored, Segmented
from course_lib.labels import CLASS_NAMES, PALETTE, VOID_COLOUR
from course_lib.lesson import figures
from course_lib.lesson.figures import figure as shared
from course_lib.lesson.figures import images


def scored(name="0", size=(48, 80)):
    target = torch.zeros(size, dtype=torch.uint8)
    target[10:20, 10:20], target[:5] = 1, 255
    maps = {
        ("msp", 1.0): torch.rand(size),
        ("max_logit", 1.0): -torch.rand(size),
        ("msp", 0.5): torch.rand(size),
    }
    return Scored(name, Image.new("RGB", size[::-1], (10, 20, 30)), target, maps)


def test_the_colours_are_seaborns_for_the_colour_blind():
    assert list(shared.COLOURS) == seaborn.color_palette("colorblind").as_hex()


def test_score_panels_show_image_truth_and_every_score():
    figure = figures.score_panels([scored("a"), scored("b", (60, 60))], title="two images")
    assert figure.get_suptitle() == "two images"
    panels = figure.axes[:10]
    assert [axis.get_title() for axis in panels[:5]] == [
        "image", "ground truth", "MSP", "MaxLogit", "MSP, T = 0.5",
    ]  # fmt: skip
    assert [panels[0].get_ylabel(), panels[5].get_ylabel()] == ["a", "b"]
    truth = panels[1].images[0]
    assert truth.get_clim() == (0, 2) and set(np.unique(truth.get_array())) == {0, 1, 2}
    assert truth.cmap.colors[2] == to_hex([part / 255 for part in VOID_COLOUR]), "void has one colour"
    assert [len(axis.collections) for axis in panels[:5]] == [1, 0, 1, 1, 1], "anomalies are outlined"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["normal", "anomaly", "void"]


def test_colour_limits_ignore_void_pixels():
    one = scored()
    one.maps["msp", 1.0][:5] = 1e6
    figure = figures.score_panels([one])
    assert figure.axes[2].images[0].get_clim()[1] < 1.01


def test_large_images_are_thinned():
    figure = figures.score_panels([scored(size=(1024, 2048))])
    assert max(figure.axes[0].images[0].get_array().shape) <= images.MOST_PIXELS


def test_nothing_to_draw_raises():
    with pytest.raises(ValueError, match="no image to draw"):
        figures.score_panels([])


def test_segmentation_panels_paint_truth_and_prediction_in_the_same_colours():
    target = torch.zeros(32, 64, dtype=torch.uint8)
    target[:4], target[16:] = 255, 13
    sample = data.Sample("street", Image.new("RGB", (64, 32)), target)
    one = Segmented(sample, target.clamp(max=13).long(), torch.rand(19, 32, 64), (0, 13))
    figure = figures.segmentation_panels([one], "a street")
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles == ["image", "ground truth", "prediction", "MSP", "MaxLogit"]
    truth, predicted = (figure.axes[i].images[0].get_array() for i in (1, 2))
    assert tuple(truth[0, 0]) == VOID_COLOUR and tuple(truth[20, 5]) == tuple(predicted[20, 5]) == PALETTE[13]
    assert [text.get_text() for text in figure.legends[0].get_texts()][13::6] == ["car", "void"]
    with pytest.raises(ValueError, match="no image to draw"):
        figures.segmentation_panels([])


def test_learning_curves_show_loss_and_mean_iou():
    history = [
        {"epoch": 1, "loss": 2.0},
        {"epoch": 2, "loss": 1.0, "validation_loss": 1.5, "miou": 0.4, "iou_road": 0.7, "iou_car": 0.1},
    ]
    figure = figures.learning_curves(history, "a run")
    curves, bars, right = figure.axes
    assert [line.get_ydata().tolist() for line in curves.lines] == [[2, 1], [1.5]]
    assert right.lines[0].get_ydata().tolist() == [40]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["car", "road"]


def test_a_figure_is_an_image_with_an_alternative_text():
    figure = figures.class_shares({"road": 75.0, "void": 25.0, "car": 0.0}, 'All "pixels"')
    shown = figure._repr_mimebundle_()
    assert shown["text/plain"] == 'All "pixels": road 75.0 %, void 25.0 %.' == figure.alt
    assert shown["text/html"].startswith('<img alt="All &quot;pixels&quot;: road 75.0 %, void 25.0 %."')
    assert "data:image/png;base64," in shown["text/html"]


def test_a_figure_is_not_kept_by_pyplot():
    figures.class_shares({"road": 75.0, "car": 25.0})
    assert plt.get_fignums() == []


def test_every_class_keeps_its_colour():
    figure = figures.class_iou({"road": 0.9, "car": 0.5, "train": 0.7}, "some")
    axis = figure.axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    colours = dict(zip(names, [bar.get_facecolor() for bar in axis.patches], strict=True))
    for name in ("road", "car", "train"):
        assert colours[name][:3] == tuple(c / 255 for c in PALETTE[CLASS_NAMES.index(name)])
    assert list(colours) == ["car", "train", "road"] and axis.get_title() == "mean 70.0 %"


def sample(height=32, width=64, top=0):
    target = torch.zeros(height, width, dtype=torch.uint8)
    target[8:16, 8:24], target[:top] = 1, 255
    return data.Sample("street", Image.new("RGB", (width, height)), target)


def test_labelled_scenes_show_images_above_their_classes():
    figure = figures.labelled_scenes([sample(top=4), sample(), sample(), sample()])
    assert len(figure.axes) == 6
    painted = figure.axes[3].images[0].get_array()
    assert tuple(painted[0, 0]) == VOID_COLOUR and tuple(painted[10, 10]) == PALETTE[1]
    with pytest.raises(ValueError, match="no image to draw"):
        figures.labelled_scenes([])


@pytest.mark.parametrize("size", [(32, 64), (1024, 2048)])
def test_anomalies_are_outlined_beside_their_masks(size):
    figure = figures.anomaly_examples({"first": sample(*size), "second": sample(), "third": sample(top=4)})
    shown = [axis for axis in figure.axes if axis.images]
    assert len(shown) == 6 and len(figure.axes) == 8
    outline = shown[0].collections[0].get_paths()[0].get_extents()
    scale = shown[0].images[0].get_array().shape[1] / size[1]
    assert outline.x0 == pytest.approx(8 * scale, abs=1) and outline.x1 == pytest.approx(24 * scale, abs=1)
    assert "first, second, third" in figure.alt


def test_anomalies_are_shown_beside_what_they_were_taken_for():
    one = Segmented(sample(), torch.full((32, 64), 13), torch.rand(19, 32, 64), tuple(range(19)))
    figure = figures.predicted_classes({"a": one, "b": one}, "taken for")
    assert tuple(figure.axes[1].images[0].get_array()[0, 0]) == PALETTE[13]
    assert [axis.get_title() for axis in figure.axes[:4]] == ["a", "prediction", "b", "prediction"]


def test_scores_of_any_size_are_shown_beside_the_image():
    figure = figures.show_scores(sample(), {"a": torch.rand(1, 8, 16), "b": torch.rand(32, 64)}, "two")
    assert [axis.get_title() for axis in figure.axes[:3]] == ["image, anomaly outlined", "a", "b"]
    assert figure.axes[1].images[0].get_array().shape == (32, 64)
    assert len(figures.show_scores(sample(), dict.fromkeys("abc", torch.rand(8, 16))).axes) == 4


SCORES = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.4, 0.1])
IS_ANOMALY = torch.tensor([True, False, True, True, False, False])


def test_ranking_curves_go_through_the_points_solved_by_hand():
    figure = figures.ranking_curves({"a score": SCORES}, IS_ANOMALY)
    precision, roc = figure.axes
    points = precision.lines[0].get_xydata().round(1).tolist()
    assert points == [[33.3, 100], [33.3, 50], [66.7, 66.7], [100, 75], [100, 60], [100, 50]]
    assert precision.lines[-1].get_ydata()[0] == 50, "chance is the prevalence"
    marked = next(line for line in roc.lines if line.get_marker() == "o").get_xydata()[0]
    assert marked[0] == pytest.approx(100 / 3) and "AuPRC 80.6 % and FPR95 33.3 %" in figure.alt


def test_dots_in_one_place_stay_visible():
    roc = figures.ranking_curves({"MSP": SCORES, "the same": SCORES}, IS_ANOMALY).axes[1]
    first, second = [line for line in roc.lines if line.get_marker() == "o"]
    assert first.get_xydata().tolist() == second.get_xydata().tolist()
    assert first.get_markersize() > second.get_markersize(), "the later one is drawn above"


def test_pixels_are_drawn_in_the_order_of_their_scores():
    figure = figures.ranked_pixels(SCORES.flip(0), IS_ANOMALY.flip(0))
    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["0.9\nanomaly", "0.8\nnormal"]


def test_curves_are_told_in_words_and_a_dot_lies_on_its_curve():
    lines = {"CE": [0.3, 0.1, 0.4], "LN": torch.tensor([0.2, 0.2, 0.2])}
    figure = figures.curves([0.5, 1, 2], lines, "temperature", "NLL", ratios=True, dots={"CE": 1.5})
    axis = figure.axes[0]
    assert "NLL against temperature. CE: first 0.3 at 0.5, lowest 0.1 at 1, last 0.4 at 2" in figure.alt
    assert "marked at temperature 1.5; LN: first 0.2" in figure.alt
    assert axis.lines[1].get_ydata() == pytest.approx(0.25), "on the curve, not at its lowest point"
    assert [text.get_text() for text in axis.get_xticklabels()] == ["0.5", "1", "2"]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["CE: temperature 1.5", "LN"]


@pytest.mark.parametrize("horizontal", [False, True])
def test_every_bar_stands_beside_its_number(horizontal):
    panels = {"ms": {"ERFNet": 12.34, "ENet": 8}, "MB": {"ERFNet": 7, "ENet": 5}}
    figure = figures.bars(panels, "costs", horizontal)
    assert figure.alt == "costs: ms: ERFNet 12.3, ENet 8; MB: ERFNet 7, ENet 5."
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [["12.3", "8"], ["7", "5"]]
    assert "ERFNet 12.34, ENet 8" in figures.bars(panels, digits=4).alt


@pytest.mark.parametrize(("value", "shown"), [(0.01234, "0.0123"), (999.4, "999"), (1564.2, "1564")])
def test_numbers_of_bars_are_short_and_large_ones_have_no_exponent(value, shown):
    figure = figures.bars({"ms": {"ENet": value}})
    assert figure.alt == f"ms: ENet {shown}." and shown in [text.get_text() for text in figure.axes[0].texts]


def test_groups_of_bars_stand_side_by_side_in_one_colour_each():
    frame = pd.DataFrame({"hot": [40.0, 30], "cold": [90.0, 5]}, index=["road", "car"])
    figure = figures.bars({"probability, %": frame})
    assert figure.alt == (
        "probability, %: road with hot 40, road with cold 90, car with hot 30, car with cold 5."
    )
    hot, cold = figure.axes[0].containers
    assert [bar.get_height() for bar in cold] == [90, 5]
    assert len({bar.get_facecolor() for bar in hot}) == 1
    assert hot[0].get_facecolor() != cold[0].get_facecolor()
    assert all(a.get_x() + a.get_width() <= b.get_x() for a, b in zip(hot, cold, strict=True))


def test_a_figure_of_ones_own_is_open_and_described():
    figure = figures.DescribedFigure("a line that rises", title="up")
    axis = figure.subplots()
    axis.plot([1, 2])
    assert 'alt="a line that rises"' in figure.to_html() and figure.get_suptitle() == "up"
    assert [side for side, spine in axis.spines.items() if spine.get_visible()] == ["left", "bottom"]


def test_every_layer_is_a_bar_with_its_channels():
    shapes = models.layer_shapes(models.build("erfnet"), (64, 128))
    figure = figures.layer_shapes(shapes, "ERFNet")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [int(text) for text in texts if text.isdigit()] == [shape.channels for shape in shapes]
    assert [text for text in texts if "x" in text][:3] == ["32 x 64", "16 x 32", "8 x 16"]


def test_hard_cases_are_counted_among_those_who_tried():
    cases = [{"lesson": "01_x", "exercise": "msp", "case": f"case {n}", "failed": n} for n in (0, 1, 3)]
    figure = figures.hard_cases(pd.DataFrame(cases).assign(attempted=4))
    assert figure.alt == "Cases that fail most: 01 msp: case 3 75%; 01 msp: case 1 25%."
    assert [text.get_text() for text in figure.axes[0].texts] == ["3 of 4", "1 of 4"]
