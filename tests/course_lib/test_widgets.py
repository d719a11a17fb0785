"""Explorers: plain functions with the library's numbers, and controls that change what is shown."""

import io
import json
import re

import numpy as np
import pytest
import torch
from ipywidgets import IntSlider
from PIL import Image
from small_data import write_benchmark, write_image
from small_notebooks import write_lesson

from course_lib import data, evaluation, metrics, models, scores, training
from course_lib.lesson import figures, widgets
from course_lib.lesson.widgets.explorer import TOOLTIP
from course_tools import pages

LIVE = "application/vnd.jupyter.widget-view+json"
SHIPPED = evaluation.Settings(("msp", "max_logit"), size=(64, 128))


def number(view, name):
    """Return a number that a view shows."""
    return float(re.match(r"-?[\d.]+", view.numbers[name])[0])


def shown(explorer):
    """Return what is on the screen."""
    return [part.value for part in explorer.widget.children[1:]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("benchmarks")
    for name, images in (("RoadAnomaly21", 4), ("fs_static", 2)):
        write_benchmark(root, name, images)
    return root


@pytest.fixture(scope="module")
def benchmarks(folder):
    return [data.BenchmarkImages(name, folder) for name in ("RoadAnomaly21", "fs_static")]


@pytest.fixture(scope="module")
def network():
    return models.load("erfnet", models.shipped_weights("mini", "erfnet"))[0]


@pytest.fixture(scope="module")
def void_network():
    return models.load("erfnet", models.shipped_weights("mini", "erfnet", "void"))[0]


@pytest.fixture
def score_explorer(network, benchmarks):
    return widgets.score_explorer(network, SHIPPED, benchmarks)


@pytest.fixture(scope="module")
def pixels():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(500, 4, generator=generator)
    return {"one": (logits, logits.argmax(1)), "other": (logits, (logits.argmax(1) + 1) % 4)}


def test_numbers_at_a_threshold_are_those_of_the_image(score_explorer, network, benchmarks):
    view = score_explorer.view(benchmark="fs_static", image=1, score="max_logit", flagged=20.0)
    sample = benchmarks[1][1]
    with evaluation.ready(network, SHIPPED):
        picture = data.to_tensor(data.resize_image(sample.image, SHIPPED.size))[None]
        found = evaluation.to_size_of(sample.target, scores.max_logit(network(picture))[0])
    valid = sample.target != 255
    flagged = found[valid] >= found[valid].quantile(0.8)
    is_anomaly = sample.target[valid] == 1
    assert number(view, "precision") == pytest.approx(
        100 * is_anomaly[flagged].double().mean().item(), abs=0.3
    )
    assert number(view, "recall (TPR)") == pytest.approx(
        100 * flagged[is_anomaly].double().mean().item(), abs=0.3
    )
    assert number(view, "flagged") == pytest.approx(20, abs=0.1)


def test_all_flagged_is_recall_100_and_precision_the_prevalence(score_explorer):
    view = score_explorer.view(flagged=100.0)
    assert [number(view, name) for name in ("recall (TPR)", "false positive rate (FPR)")] == [100, 100]
    assert view.numbers["precision"] == view.numbers["anomalous"]


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("benchmark", "fs_static"),
        ("image", 1),
        ("score", "max_logit"),
        ("temperature", 2.0),
        ("flagged", 30.0),
    ],
)
def test_each_control_of_the_score_explorer_changes_numbers_and_picture(score_explorer, control, value):
    before = shown(score_explorer)
    score_explorer.controls[control].value = value
    assert all(new != old for new, old in zip(shown(score_explorer), before, strict=True))


def test_a_slider_costs_no_pass_of_the_network(network, benchmarks):
    passes = []
    handle = network.register_forward_hook(lambda *_: passes.append(1))
    explorer = widgets.score_explorer(network, SHIPPED, benchmarks)
    explorer.controls["temperature"].value = 2.0
    explorer.controls["flagged"].value = 50.0
    handle.remove()
    assert len(passes) == 1


def test_a_shorter_benchmark_shortens_the_slider(score_explorer):
    score_explorer.controls["image"].value = 3
    score_explorer.controls["benchmark"].value = "fs_static"
    assert (score_explorer.controls["image"].max, score_explorer.controls["image"].value) == (1, 1)
    assert "alert" not in shown(score_explorer)[0]


@pytest.mark.parametrize(
    ("value", "says"), [(0, "recall (TPR) <strong>-</strong>"), (255, "void from edge to edge")]
)
def test_an_image_without_anomaly_or_without_valid_pixels_is_said_to_be_so(network, tmp_path, value, says):
    write_benchmark(tmp_path, "RoadAnomaly21", 1)
    mask = np.full((32, 64), value, dtype=np.uint8)
    write_image(tmp_path / "RoadAnomaly21/labels_masks/0.png", mask)
    write_image(tmp_path / "RoadAnomaly21/images/0.png", np.zeros((32, 64, 3), dtype=np.uint8))
    explorer = widgets.score_explorer(network, SHIPPED, [data.BenchmarkImages("RoadAnomaly21", tmp_path)])
    assert says in shown(explorer)[0]


def test_the_calibration_explorer_shows_what_reliability_measures(pixels):
    explorer = widgets.calibration_explorer(pixels)
    right, wrong = explorer.view(network="one"), explorer.view(network="other")
    assert (right.numbers["accuracy"], wrong.numbers["accuracy"]) == ("100.0 %", "0.0 %")
    confidence = pixels["one"][0].softmax(1).amax(1).mean().item()
    assert number(right, "ECE") == pytest.approx(100 * (1 - confidence), abs=0.01)
    assert number(wrong, "ECE") == pytest.approx(100 * confidence, abs=0.01)
    before = shown(explorer)
    explorer.controls["temperature"].value = 2.0
    assert all(new != old for new, old in zip(shown(explorer), before, strict=True))


def test_the_loss_explorer_measures_the_points_where_they_are():
    explorer = widgets.loss_explorer(("ce", "eiml_fl"))
    view = explorer.view(name="eiml_fl", score="max_logit", angle=90, distance=4.0)
    points = training.plane_points(unknown_centre=(0.0, 4.0))
    network = training.train_on_plane("eiml_fl", training.plane_points())
    found = metrics.average_precision(*training.score_plane_points(network, points, "max_logit"))
    assert number(view, "AuPRC") == pytest.approx(100 * found, abs=0.06)
    changes = {"angle": 90, "distance": 2.0, "score": "msp", "seed": 1, "name": "eiml_fl"}
    for control, value in changes.items():
        before = shown(explorer)
        explorer.controls[control].value = value
        assert all(new != old for new, old in zip(shown(explorer), before, strict=True)), control


@pytest.mark.parametrize("protocol", ["benchmark", "paper"])
def test_no_tick_is_protocol_benchmark_and_all_are_protocol_paper(void_network, benchmarks, protocol):
    images = benchmarks[1]
    settings = evaluation.Settings(("void",), protocol=protocol, size=(64, 128), resamples=0)
    (row,) = evaluation.evaluate(void_network, [images], settings, progress=False)
    explorer = widgets.protocol_explorer(void_network, settings, images)
    assert set(explorer.controls) == set(evaluation.DEVIATIONS)
    view = explorer.view(**dict.fromkeys(explorer.controls, protocol == "paper"))
    assert number(view, "AuPRC") == pytest.approx(row["auprc"], abs=0.006)
    assert number(view, "FPR95") == pytest.approx(row["fpr95"], abs=0.006)
    assert number(view, "chance") == pytest.approx(row["chance"], abs=0.006)


def test_each_tick_changes_numbers_and_picture(void_network, benchmarks):
    explorer = widgets.protocol_explorer(void_network, SHIPPED, benchmarks[1])
    for name in explorer.controls:
        before = shown(explorer)
        explorer.controls[name].value = True
        assert shown(explorer)[0] != before[0] and shown(explorer)[1] != before[1], name


def test_a_network_without_void_is_refused_in_words(network, benchmarks):
    explorer = widgets.protocol_explorer(network, SHIPPED, benchmarks[1])
    assert "the void score needs 20 outputs" in shown(explorer)[0]


def failing(value):
    """Draw nothing for 1."""
    if value == 1:
        raise ValueError("no <image> 1")
    return widgets.View(figures.DescribedFigure(f"value {value}", 1, 1, quick=True), {"value": str(value)})


def test_a_failure_is_shown_and_the_next_change_mends_it():
    explorer = widgets.Explorer("test", {"value": IntSlider(0, 0, 3)}, failing)
    explorer.controls["value"].value = 1
    assert "no &lt;image&gt; 1" in shown(explorer)[0] and 'role="alert"' in shown(explorer)[0]
    assert shown(explorer)[1] == "", "a picture of other values would mislead"
    explorer.controls["value"].value = 2
    assert "<strong>2</strong>" in shown(explorer)[0] and 'alt="value 2"' in shown(explorer)[1]


def test_every_control_has_a_whole_label_and_waits_until_it_is_let_go(
    score_explorer, void_network, benchmarks
):
    explorers = (score_explorer, widgets.protocol_explorer(void_network, SHIPPED, benchmarks[1]))
    for control in [control for explorer in explorers for control in explorer.controls.values()]:
        assert control.description == getattr(control, TOOLTIP) != ""
        assert getattr(control, "continuous_update", False) is False
        assert getattr(control, "indent", False) is False
    assert 'aria-live="polite"' in shown(score_explorer)[0]


CELL = """
from ipywidgets import IntSlider
from course_lib.lesson import figures, widgets

def view(value):
    print("drawn")
    return widgets.View(figures.DescribedFigure(f"value {value}", 1, 1, quick=True), {"value": str(value)})

widgets.Explorer("test", {"value": IntSlider(7, 0, 9)}, view)
"""


def test_headless_it_draws_once_and_the_page_shows_picture_and_numbers(tmp_path):
    lesson = pages.execute(write_lesson(tmp_path / "07_lesson.ipynb", more=(CELL,)))
    assert lesson.error == ""
    outputs = lesson.notebook.cells[-1].outputs
    assert "".join(o.get("text", "") for o in outputs) == "drawn\n"
    assert LIVE in outputs[-1].data and "VBox" not in json.dumps(outputs[-1].data.get("text/plain"))
    (page,) = pages.without_widgets(lesson.notebook).cells[-1].outputs[1:]
    assert LIVE not in page.data
    assert 'alt="value 7"' in page.data["text/html"] and "<strong>7</strong>" in page.data["text/html"]


def test_a_page_says_where_the_controls_stand_and_that_they_move_elsewhere(pixels, void_network, benchmarks):
    still = widgets.calibration_explorer(pixels)._repr_mimebundle_()["text/html"]
    assert "In JupyterLab its controls move" in still
    assert "network <strong>one</strong>" in still and "temperature <strong>1</strong>" in still
    still = widgets.loss_explorer(("ce",))._repr_mimebundle_()["text/html"]
    assert f"training <strong>{training.training_title('ce')}</strong>" in still
    assert f"score <strong>{scores.TITLES['max_logit']}</strong>" in still
    explorer = widgets.protocol_explorer(void_network, SHIPPED, benchmarks[1])
    explorer.controls["fpr_convention"].value = True
    still = explorer._repr_mimebundle_()["text/html"]
    assert "FPR95 on the chord <strong>yes</strong>" in still
    assert "images in 0 to 255 <strong>no</strong>" in still


def as_bytes(image):
    written = io.BytesIO()
    image.save(written, "png")
    return written.getvalue()


@pytest.mark.parametrize("is_old", [False, True], ids=["ipywidgets 8", "ipywidgets 7"])
def test_a_photograph_keeps_its_shape_and_an_unreadable_one_is_said(is_old, tmp_path):
    network, settings = models.build("erfnet").eval(), evaluation.Settings(("msp",), size=(32, 48))
    explorer = widgets.own_photograph(network, settings)
    assert explorer.view().numbers["photograph"].startswith("none yet: generated scene")

    def uploaded(name, content):
        file = {"name": name, "content": content}
        return {name: {"content": content}} if is_old else (file,)

    tall = Image.new("RGB", (60, 120), "red")
    shown = explorer.view(photograph=uploaded("tall.png", as_bytes(tall))).numbers
    assert shown == {"photograph": "tall.png", "seen by the network at": "56 x 24 pixels"}
    with pytest.raises(ValueError, match=r"notes\.txt cannot be read as a photograph"):
        explorer.view(photograph=uploaded("notes.txt", b"no picture"))
    tall.save(tmp_path / "own.png")
    from_path = widgets.own_photograph(network, settings, tmp_path / "own.png")
    assert from_path.view().numbers["photograph"] == "own.png"
    with pytest.raises(FileNotFoundError, match=r"no photograph at .*none\.png; check the path"):
        widgets.own_photograph(network, settings, tmp_path / "none.png")
    assert "a file of your own" in explorer._repr_mimebundle_()["text/html"]
