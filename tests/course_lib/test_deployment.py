"""One file from pixels to a decision says what network and scores say, and alarms as often as asked."""

from dataclasses import replace

import numpy as np
import onnx
import openvino
import pytest
import torch
from PIL import Image
from small_detectors import METADATA, SIZE, Halving, fitted, streets

from course_lib import data, deployment, detectors, evaluation, inference, scores
from course_lib.deployment import graphs

SIZES = (SIZE, (128, 192), (90, 160), (50, 400), (200, 331))


def picture(height, width, seed=3):
    """Return smooth blobs, uint8 (H, W, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))


def seen(pixels):
    """Return an image as a network takes it."""
    return data.to_tensor(data.resize_image(Image.fromarray(pixels), SIZE))[None]


def build(subject, path, training=(), **chosen):
    deployment.build(subject, METADATA, deployment.Plan(SIZE, **chosen), path, {"weights": "w"}, training)
    return deployment.DeployedFile(path)


def share_of_range(found, expected):
    """Return the largest difference as a share of the range of what was expected."""
    return np.abs(found - expected).max() / np.ptp(expected)


@pytest.fixture(scope="module")
def network():
    return Halving().eval()


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    """A file of two scores, smoothed, at a temperature."""
    path = tmp_path_factory.mktemp("deployed") / "network.onnx"
    return build(network, path, scores=("msp", "max_logit", "energy"), smooth=1.5, temperature=2.0)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_scores_images_of_every_size_as_the_library_does(file, network, size):
    pixels = picture(*size)
    decision = file.decide(pixels)
    with torch.no_grad():
        logits = network(seen(pixels))
    for name in ("msp", "max_logit", "energy"):
        small = detectors.smoothed(scores.score(name, logits, METADATA.known_classes, 2.0), 1.5)[0]
        expected = evaluation.to_size_of(torch.empty(size), small).numpy()
        assert decision.scores[name].shape == size
        assert share_of_range(decision.scores[name], expected) < 1e-3
    known = torch.tensor(METADATA.known_classes)
    if size == SIZE:
        assert np.array_equal(decision.classes, known[logits[0, known].argmax(dim=0)].numpy())
    assert set(np.unique(decision.classes)) <= set(METADATA.known_classes)
    assert decision.alarms == {}


@pytest.mark.parametrize("size", [*SIZES, (720, 1280), (40, 60)])
def test_resizing_is_that_of_pillow_and_in_openvino_but_for_rounding(size, tmp_path):
    path, pixels = tmp_path / "before.onnx", picture(*size)
    onnx.save(graphs._before(SIZE, 10), path)
    found, whole = inference.onnx_session(path).run(None, {"image": pixels[None]})
    assert list(whole) == [1, 1, *size]
    model = openvino.Core().read_model(path)
    model.reshape([1, *pixels.shape])
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    elsewhere = openvino.Core().compile_model(model, "CPU", settings)(pixels[None])[0]
    assert np.abs(found - seen(pixels).numpy()).max() < 1e-6
    # in float32: a sum may be rounded to the other side
    steps = np.abs(elsewhere - seen(pixels).numpy()) * 255
    assert steps.max() < 1.01 and (steps > 0.5).mean() < 0.06


@pytest.mark.parametrize("precision, most", [("fp32", 1e-3), ("fp16", 0.02), ("int8", 0.25)])
def test_a_detector_becomes_a_file_in_every_precision(precision, most, tmp_path):
    detector = fitted("neighbours_16_and_entropy")
    training = [seen(np.asarray(sample.image)) for sample in streets(4)]
    found = build(detector, tmp_path / "d.onnx", training, scores=(), precision=precision)
    pixels = picture(*SIZE)
    with torch.no_grad():
        expected = detector(seen(pixels))[0].numpy()
    assert share_of_range(found.decide(pixels).scores[detector.name], expected) < most
    kinds = {tensor.data_type for tensor in onnx.load(tmp_path / "d.onnx").graph.initializer}
    assert (onnx.TensorProto.FLOAT16 in kinds) == (precision == "fp16")
    assert (onnx.TensorProto.INT8 in kinds) == (precision == "int8")


def test_coarse_scores_are_those_of_the_logits_at_their_own_size(network, tmp_path):
    found = build(network, tmp_path / "c.onnx", scores=("max_logit",), smooth=4.0, coarse=True)
    pixels = picture(*SIZE)
    with torch.no_grad():
        logits = network.head_logits(seen(pixels))[0]
    assert logits.shape[-2] == SIZE[0] // 4
    small = detectors.smoothed(scores.score("max_logit", logits, METADATA.known_classes), 1.0)[0]
    expected = evaluation.to_size_of(torch.empty(SIZE), small).numpy()
    assert share_of_range(found.decide(pixels).scores["max_logit"], expected) < 1e-4


def test_an_alarm_is_as_frequent_as_asked_and_its_origin_stands_in_the_file(network, tmp_path):
    path = tmp_path / "a.onnx"
    file = build(network, path, scores=("msp",))
    ordinary = [(picture(*SIZE, seed), None) for seed in range(4)]
    thresholds, reached = deployment.ordinary_quantiles(file, ordinary, 0.1)
    deployment.with_thresholds(path, thresholds, {"false_positive_rate": 0.1})
    file = deployment.DeployedFile(path)
    decisions = [file.decide(pixels) for pixels, _ in ordinary]
    shares = [decision.alarms["msp"].mean() for decision in decisions]
    assert np.mean(shares) == pytest.approx(0.1, abs=2e-3) and reached["msp"] == pytest.approx(0.1, abs=2e-3)
    for decision in decisions:
        assert np.array_equal(decision.alarms["msp"], decision.scores["msp"] > np.float32(thresholds["msp"]))
    assert file.about["thresholds"] == thresholds and file.about["weights"] == "w"
    assert file.about["threshold_from"] == {"false_positive_rate": 0.1}
    assert file.about["plan"]["size"] == list(SIZE) and file.metadata == METADATA


class Fixed:
    """Stands for a file: its score is the red value."""

    scores = ("red",)

    def decide(self, pixels):
        return deployment.Decision({"red": pixels[..., 0].astype(np.float32)}, pixels[..., 0], {})


def test_a_threshold_leaves_the_asked_share_of_what_counts_above_it():
    pixels = np.zeros((1, 101, 3), np.uint8)
    pixels[0, :, 0] = np.arange(101)
    assert deployment.ordinary_quantiles(Fixed(), [(pixels, None)], 0.05) == ({"red": 95}, {"red": 5 / 101})
    counts = pixels[..., 0] <= 50
    assert deployment.ordinary_quantiles(Fixed(), [(pixels, counts)], 0.5)[0] == {"red": 25}


def test_where_many_pixels_have_one_score_the_reached_share_is_told():
    pixels = np.full((1, 100, 3), 7, np.uint8)
    pixels[0, :2] = 9
    assert deployment.ordinary_quantiles(Fixed(), [(pixels, None)], 0.5) == ({"red": 7}, {"red": 0.02})


class Broken(Fixed):
    """Its score is NaN."""

    def decide(self, pixels):
        return deployment.Decision({"red": np.full(pixels.shape[:2], np.nan)}, pixels[..., 0], {})


def test_a_threshold_of_nothing_is_refused():
    with pytest.raises(ValueError, match="red is not finite"):
        deployment.ordinary_quantiles(Broken(), [(np.zeros((2, 2, 3), np.uint8), None)], 0.5)


def test_a_file_is_evaluated_as_a_network_is(file, network):
    settings = evaluation.Settings.of(METADATA, scores=("msp",), temperatures=(2.0,), resamples=0)
    images = seen(picture(*SIZE))
    with evaluation.ready(file, settings):
        maps = evaluation.score_maps(evaluation.accelerated(file, settings), images, settings)
    assert set(maps) == {("msp", 2.0), ("max_logit", 2.0), ("energy", 2.0)}


@pytest.mark.parametrize(
    "plan, message",
    [
        ({"scores": ("msp",), "size": (60, 96)}, "multiples of 32, got 60 x 96"),
        ({"scores": ()}, "name one score"),
        ({"scores": ("doubt",)}, "doubt"),
        ({"scores": ("msp",), "smooth": 0.0}, "sigma"),
        ({"scores": ("msp",), "temperature": float("nan")}, "temperature must be a positive number"),
        ({"scores": ("msp",), "precision": "int4"}, "int4"),
        ({"scores": ("msp",), "precision": "int8"}, "one batch of training images"),
    ],
)
def test_what_cannot_be_is_one_clear_line(network, tmp_path, plan, message):
    with pytest.raises(ValueError, match=message):
        deployment.build(network, METADATA, deployment.Plan(**{"size": SIZE} | plan), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_distances_of_isomax_stay_in_float32(network, tmp_path):
    about = replace(METADATA, head="isomax")
    with pytest.raises(ValueError, match="IsoMax need float32, fp16"):
        plan = deployment.Plan(SIZE, ("msp",), precision="fp16")
        deployment.build(network, about, plan, tmp_path / "x.onnx")


def test_a_detector_has_its_own_score(tmp_path):
    with pytest.raises(ValueError, match="detector has its own score"):
        build(fitted("smoothed_entropy"), tmp_path / "x.onnx", scores=("msp",))


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_other_pixels_are_refused(file, pixels):
    with pytest.raises(ValueError, match=r"need RGB pixels, uint8 \(H, W, 3\)"):
        file.decide(pixels)


def test_a_file_of_others_is_named(tmp_path, network):
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match=r"text.onnx is no ONNX file"):
        deployment.DeployedFile(tmp_path / "text.onnx")
    inference.export_onnx(network, tmp_path / "plain.onnx")
    with pytest.raises(ValueError, match="not made by the course's export"):
        deployment.DeployedFile(tmp_path / "plain.onnx")
    with pytest.raises(FileNotFoundError, match="absent"):
        deployment.DeployedFile(tmp_path / "absent.onnx")


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan")])
def test_a_rate_is_a_share(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        deployment.ordinary_quantiles(Fixed(), [], rate)
    with pytest.raises(ValueError, match="validation images"):
        deployment.ordinary_quantiles(Fixed(), [], 0.5)
