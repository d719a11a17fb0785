"""A detector from the disk gives the same scores, as an ONNX file too; what is damaged is one clear line."""

import json

import closed_form
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from small_detectors import Halving, fitted, pictures, streets

from course_lib import detectors, models
from course_lib.detectors import DistancePart, Recipe, ScorePart


@pytest.fixture
def known(monkeypatch):
    """The small network among those that files may name."""
    monkeypatch.setitem(models.NETWORKS, "halving", Halving)


def enet():
    """A network of the course in which every weight matters, so that no score is the same everywhere."""
    network = models.build("enet")
    closed_form.fill(network, closed_form.GAIN["enet"])
    return network


@pytest.mark.parametrize("name", detectors.RECIPES)
def test_a_detector_comes_back_whole_with_the_same_scores(name, known, tmp_path):
    detector, path = fitted(name), tmp_path / "deep" / "detector.safetensors"
    detectors.save_detector(detector, path)
    loaded = detectors.load_detector(path)
    with torch.no_grad():
        assert torch.equal(loaded(pictures(1, 3, 50, 70)), detector(pictures(1, 3, 50, 70)))
    assert loaded.recipe == detector.recipe and loaded.metadata == detector.metadata
    assert not loaded.training and loaded.statistics == detector.statistics
    assert detectors.is_detector(path) and not detectors.is_detector(tmp_path / "absent.safetensors")


def test_a_recipe_of_ones_own_and_a_network_with_void_and_prototypes_come_back(tmp_path):
    torch.manual_seed(0)
    network = models.build("bisenetv2", 20, "isomax")
    metadata = models.Metadata(model="bisenetv2", head="isomax", size=[32, 64])
    recipe = Recipe("mine", (DistancePart(4, neighbours=2, sigma=0.5), ScorePart("void")))
    detector = detectors.fit(recipe, network, metadata, streets(2), streets(2), progress=False)
    detectors.save_detector(detector, tmp_path / "mine.safetensors")
    loaded = detectors.load_detector(tmp_path / "mine.safetensors")
    assert loaded.recipe == recipe and loaded.network.head_kind == "isomax"
    with torch.no_grad():
        assert torch.equal(loaded(pictures(1, 3, 32, 64)), detector(pictures(1, 3, 32, 64)))


def test_weights_that_half_precision_holds_take_half_the_place(tmp_path):
    sizes = []
    for halved in (False, True):
        network = enet()
        if halved:
            network.load_state_dict({k: v.half().to(v.dtype) for k, v in network.state_dict().items()})
        metadata = models.Metadata(model="enet", size=[32, 64])
        detector = detectors.fit("smoothed_entropy", network, metadata, [], streets(2), progress=False)
        path = tmp_path / f"{halved}.safetensors"
        detectors.save_detector(detector, path)
        sizes.append(path.stat().st_size)
        with torch.no_grad():
            images = pictures(1, 3, 32, 64)
            assert torch.equal(detectors.load_detector(path)(images), detector(images))
    assert sizes[1] < 0.6 * sizes[0]


def rewritten(path, change_tensors=lambda tensors: None, change_facts=lambda facts: None):
    """Write a detector's file anew with something changed."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        facts = dict(file.metadata())
    change_tensors(tensors)
    change_facts(facts)
    save_file(tensors, path, metadata=facts)


def without(facts, *keys):
    about = json.loads(facts["detector"])
    inside = about
    for key in keys[:-1]:
        inside = inside[key]
    del inside[keys[-1]]
    facts["detector"] = json.dumps(about)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"change_tensors": lambda tensors: tensors["network.last.bias"].add_(1)},
            "cannot be used: the bank at 1/8 was drawn with other weights than this network's",
        ),
        ({"change_tensors": lambda tensors: tensors.pop("network.last.bias")}, "cannot be used: .*last.bias"),
        ({"change_tensors": lambda tensors: tensors.pop("bank.8")}, "cannot be used: 'bank.8'"),
        ({"change_facts": lambda facts: without(facts, "statistics")}, "cannot be used: 'statistics'"),
        ({"change_facts": lambda facts: without(facts, "recipe", "parts")}, "cannot be used: 'parts'"),
        (
            {"change_facts": lambda facts: facts.update(model='"seg"')},
            "cannot be used: unknown network 'seg'",
        ),
        ({"change_facts": lambda facts: facts.update(size="[0, 1]")}, r"says size \[0, 1\]"),
    ],
)
def test_a_damaged_detector_is_one_line(change, message, known, tmp_path):
    path = tmp_path / "detector.safetensors"
    detectors.save_detector(fitted("neighbours"), path)
    rewritten(path, **change)
    with pytest.raises(ValueError, match=message) as raised:
        detectors.load_detector(path)
    assert str(raised.value).startswith(str(path)) and "\n" not in str(raised.value)


def test_a_checkpoint_is_no_detector_and_a_detector_no_checkpoint(tmp_path):
    network, plain, path = enet(), tmp_path / "enet.safetensors", tmp_path / "d.safetensors"
    metadata = models.Metadata(model="enet", size=[32, 64])
    models.save_checkpoint(network, plain, metadata)
    with pytest.raises(ValueError, match=r"enet.safetensors holds no detector; \S.* detector --weights"):
        detectors.load_detector(plain)
    detectors.save_detector(
        detectors.fit("smoothed_entropy", network, metadata, [], streets(2), progress=False), path
    )
    with pytest.raises(
        ValueError, match=r"d.safetensors holds a detector, this needs a network's checkpoint"
    ):
        models.load("enet", path)
    assert not detectors.is_detector(plain)


def test_what_is_no_file_of_ours_is_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*absent.safetensors"):
        detectors.load_detector(tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ValueError, match=r"text.safetensors is not a checkpoint of this course"):
        detectors.load_detector(tmp_path / "text.safetensors")
    torch.save({}, tmp_path / "public.pth")
    with pytest.raises(ValueError, match=r"public.pth holds no detector"):
        detectors.load_detector(tmp_path / "public.pth")


def test_a_faster_copy_gives_the_same_scores_but_for_rounding_and_is_not_saved(known, tmp_path):
    detector, images = fitted("neighbours_16_and_entropy"), pictures(1, 3, 64, 96)
    fast = detector.accelerated("fast")
    with torch.no_grad():
        plain = detector(images)
        torch.testing.assert_close(fast(images), plain, rtol=1e-3, atol=1e-3)
    assert isinstance(detector.network, Halving) and detector.accelerated("plain") is detector
    with pytest.raises(ValueError, match="cannot save a detector of a FastNetwork"):
        detectors.save_detector(fast, tmp_path / "fast.safetensors")


EVERY_PART = ("smoothed_max_logit", "neighbours_and_entropy", "neighbours_16_32_and_entropy")


def test_three_recipes_have_the_parts_of_all():
    def parts(names):
        return {part for name in names for part in detectors.find_recipe(name).parts}

    assert parts(EVERY_PART) == parts(detectors.RECIPES)


@pytest.mark.parametrize("name", EVERY_PART)
def test_one_onnx_file_of_each_part_and_of_sums_gives_the_scores_of_torch(name, tmp_path, capfd):
    detector, path = fitted(name), tmp_path / "detector.onnx"
    detectors.export_onnx(detector, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for images in (pictures(1, 3, 64, 96), pictures(3, 3, 96, 32)):
        (found,) = session.run(["scores"], {"images": images.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(found), detector(images), rtol=1e-3, atol=1e-3)
    assert [file.name for file in tmp_path.iterdir()] == ["detector.onnx"] and capfd.readouterr().err == ""


def test_a_network_of_the_course_is_exported_with_its_maps(tmp_path):
    network, metadata = models.build("bisenetv2"), models.Metadata(model="bisenetv2", size=[32, 64])
    closed_form.fill(network, closed_form.GAIN["bisenetv2"])
    detector = detectors.fit("neighbours", network, metadata, streets(2), streets(2), progress=False)
    detectors.export_onnx(detector, tmp_path / "detector.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "detector.onnx", providers=["CPUExecutionProvider"])
    images = pictures(1, 3, 64, 96)
    (found,) = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), detector(images), rtol=1e-3, atol=1e-3)
