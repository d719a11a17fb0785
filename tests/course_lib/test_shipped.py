"""The shipped weights are what the course says of them, measured on the generated data from this machine."""

from dataclasses import replace

import pytest
import torch

from course_lib import data, evaluation, models

FOLDER_LIMIT = 60 * 2**20  # ten networks of mini, one of camvid; EfficientNet-Lite0 of both with lesson 7
MINI = data.find_profile("mini").benchmarks
LEAST_MIOU = {"erfnet": 0.45, "enet": 0.35, "bisenetv2": 0.35}


def settings_of(metadata):
    return evaluation.Settings(
        size=tuple(metadata.size), known_classes=tuple(metadata.known_classes), resamples=200
    )


@pytest.fixture(scope="module")
def shipped():
    path = models.shipped_weights("mini", "erfnet")
    network, metadata = models.load("erfnet", path)
    return network, metadata, settings_of(metadata)


@pytest.fixture(scope="module")
def miou(shipped):
    network, _, settings = shipped
    return evaluation.confusion(network, data.SEGMENTATION_SETS["mini"]("val"), settings, progress=False)


@pytest.fixture(scope="module")
def table(shipped):
    network, metadata, settings = shipped
    validation, training = (data.SEGMENTATION_SETS["mini"](split) for split in ("val", "train"))
    controls = evaluation.Controls(
        evaluation.mean_score_maps(network, validation, settings, progress=False),
        evaluation.colour_scores(training, settings.size, progress=False),
    )
    images = [data.BenchmarkImages(name) for name in MINI]
    rows = evaluation.evaluate(network, images, settings, controls, progress=False)
    return evaluation.table(rows, metadata, "").set_index(["benchmark", "score"])


@pytest.fixture(scope="module")
def untrained(shipped):
    torch.manual_seed(0)
    images = [data.BenchmarkImages(name) for name in MINI]
    plain = replace(shipped[2], resamples=0)
    rows = evaluation.evaluate(models.build("erfnet"), images, plain, progress=False)
    return evaluation.table(rows, models.Metadata(), "").set_index(["benchmark", "score"])


def test_shipped_files_are_small_and_say_where_they_come_from():
    files = sorted(models.shipped.FOLDER.glob("*/*.safetensors"))
    assert sum(path.stat().st_size for path in files) < FOLDER_LIMIT
    for path in files:
        (model,) = (name for name in models.NETWORKS if path.stem.startswith(f"{name}_"))
        training = path.stem.removeprefix(f"{model}_")
        _, metadata = models.load(model, path)
        assert (metadata.model, metadata.training, metadata.profile) == (model, training, path.parent.name)
        commands = ("python -m course_lib train", "python3 start.py train")  # of 0.1 and since
        assert metadata.command.startswith(commands) and metadata.metrics["miou"] > 0.4


def test_unknown_shipped_weights_are_named():
    with pytest.raises(
        ValueError, match=r"unknown shipped weights .mini/erfnet_xe.; known are .*mini/erfnet_ce"
    ):
        models.shipped_weights("mini", "erfnet", "xe")


def test_where_none_were_shipped_the_run_of_this_machine_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(models.shipped, "RESULTS", tmp_path)
    trained = models.run_folder("camvid", "enet", "xe", seed=0) / "enet_xe.safetensors"
    assert trained == tmp_path / "camvid/runs/enet_xe_seed0/enet_xe.safetensors"
    trained.parent.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"python3 start\.py train --profile .* makes them"):
        models.shipped_weights("camvid", "enet", "xe")
    trained.touch()
    assert models.shipped_weights("camvid", "enet", "xe") == trained
    assert f"taking this machine's {trained}" in capsys.readouterr().err


def test_the_mini_network_segments_what_its_metadata_says(shipped, miou):
    assert miou.mean_iou() == pytest.approx(shipped[1].metrics["miou"], abs=0.002)
    assert miou.mean_iou() >= 0.5 and sum(iou > 0.3 for iou in miou.iou().values()) >= 12


@pytest.mark.parametrize("score", ["msp", "max_logit", "max_entropy"])
def test_the_mini_network_finds_anomalies(score, table):
    found = table.xs(score, level="score")
    assert found["auprc_outside_chance"].all()
    assert (found["auprc"] >= 3 * found["chance"]).sum() >= 4


@pytest.mark.parametrize("score", ["msp", "max_logit", "max_entropy"])
def test_position_colour_and_random_weights_find_less(score, table, untrained):
    found = table.xs(score, level="score")["auprc"]
    assert (found > table.xs(f"position:{score}", level="score")["auprc"]).sum() >= 4
    assert (found > table.xs("colour", level="score")["auprc"]).all()
    assert (found > untrained.xs(score, level="score")["auprc"]).all()


def void_network(name):
    """Return a shipped void network with its metadata and the settings for its score."""
    network, metadata = models.load(name, models.shipped_weights("mini", name, "void"))
    return network, metadata, replace(settings_of(metadata), scores=("void",))


@pytest.mark.parametrize("name", models.PAPER_NETWORKS)
def test_void_networks_still_segment_the_known_classes(name):
    network, metadata, settings = void_network(name)
    assert (network.num_classes, network.auxiliary_names) == (20, ())
    validation = data.SEGMENTATION_SETS["mini"]("val")
    counts = evaluation.confusion(network, validation, settings, progress=False)
    assert len(counts.iou()) == 19 and counts.mean_iou() >= LEAST_MIOU[name]
    assert counts.mean_iou() == pytest.approx(metadata.metrics["miou"], abs=0.002)


def test_void_tells_anomalies_until_the_papers_protocol_rounds_it_away():
    network, metadata, settings = void_network("erfnet")
    images = [data.BenchmarkImages(name) for name in MINI]
    right, printed = (
        evaluation.table(evaluation.evaluate(network, some, chosen, progress=False), metadata, "")
        for some, chosen in ((images, settings), (images[:1], replace(settings, protocol="paper")))
    )
    assert right["auprc_outside_chance"].sum() >= 4 and (right["largest_tie"] < 1).all()
    assert not printed["auprc_outside_chance"].any() and (printed["largest_tie"] > 95).all()


def test_for_photographs_public_weights_are_taken_where_they_were_fetched(data_root):
    with pytest.raises(ValueError, match=r"no public weights of espnetv2_0\.5 .*fetch espnetv2_w"):
        models.shipped_weights("photos", "espnetv2_0.5")
    with pytest.raises(ValueError, match="unknown shipped weights 'photos/enet_void'"):
        models.shipped_weights("photos", "enet", "void")
    path = models.public_file("espnetv2_0.5")
    path.parent.mkdir(parents=True)
    path.touch()
    # its background output was trained as a class
    assert {models.shipped_weights("photos", "espnetv2_0.5", kind) for kind in ("ce", "void")} == {path}
