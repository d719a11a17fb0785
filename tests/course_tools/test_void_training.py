"""Training with void as a 20th class: what is learnt, what is not, and what is written."""

import csv

import numpy as np
import pandas as pd
import pytest
import torch
from small_data import stop_after, street_settings, write_benchmark, write_image, write_street

from course_lib import data, models, training
from course_lib.labels import IGNORE, VOID, void_as_class
from course_lib.training.files import load_state
from course_lib.training.samples import TrainingImages
from course_tools.__main__ import main

for_each_network = pytest.mark.parametrize("name", training.RECIPES)


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")
    return data_root


def test_void_becomes_class_19_and_the_target_is_left_alone():
    target = torch.tensor([[0, 255], [18, 255]], dtype=torch.uint8)
    mapped = void_as_class(target)
    assert mapped.tolist() == [[0, 19], [18, 19]] and mapped.dtype == torch.uint8
    assert target.tolist() == [[0, 255], [18, 255]]


def test_void_is_counted_as_the_20th_class(street):
    camvid = data.CamVid("train")
    with_void, without = (TrainingImages(camvid, (16, 24), 0, n).class_counts() for n in (20, 19))
    assert len(with_void) == 20 and len(without) == 19 and torch.equal(with_void[:19], without)
    assert with_void.sum() == 7 * 16 * 24 and with_void[VOID] == 7 * 24  # the first of 16 rows


def test_what_is_shifted_in_from_outside_is_not_learnt_as_void(street):
    images = TrainingImages(data.CamVid("train"), (16, 24), 0, num_classes=20)
    outside = 0
    for epoch in range(10):
        image, target = images[epoch, 0]
        assert not (target[4:] == VOID).any()  # void is the first row, shifted by two at most
        assert (image[:, target == IGNORE] == 0).all()
        outside += (target == IGNORE).sum()
    assert outside > 0


def weights_of(folder):
    return load_state(folder / "last.pt")["network"]


@for_each_network
def test_a_run_is_written_with_its_20_outputs_and_loads(street, tmp_path, name):
    trained = training.train(street_settings(name, training="void"), tmp_path, command="train it")
    assert trained.weights.name == f"{name}_void.safetensors"
    network, metadata = models.load(name, trained.weights)
    assert (metadata.training, metadata.num_classes, metadata.known_classes) == ("void", 20, [0, 2, 13])
    assert network(torch.rand(1, 3, 16, 24)).shape == (1, 20, 16, 24)
    assert not any(map(models.build(name).is_auxiliary, network.state_dict()))
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [float(row["loss"]) > 0 for row in rows] == [True, True] and 0 <= float(rows[1]["miou"]) <= 1


@for_each_network
def test_a_stopped_run_goes_on_to_the_same_bits(street, tmp_path, monkeypatch, name):
    settings = street_settings(name, training="void")
    training.train(settings, tmp_path / "whole")
    with monkeypatch.context() as patched, pytest.raises(training.Interrupted, match="after step 4 of 6"):
        stop_after(4, patched)
        training.train(settings, tmp_path / "parts")
    training.train(settings, tmp_path / "parts", resume=True)
    whole, parts = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert whole.keys() == parts.keys() and all(torch.equal(whole[key], parts[key]) for key in whole)


@for_each_network
def test_the_void_of_the_street_can_be_learnt(street, tmp_path, name):
    rate = 0.05 if name == "bisenetv2" else 5e-3
    settings = street_settings(name, training="void", size=(32, 48), epochs=20, learning_rate=rate)
    trained = training.train(settings, tmp_path)
    assert trained.history[-1]["loss"] < 0.7 * trained.history[0]["loss"]
    network, _ = models.load(name, trained.weights)
    image, target = TrainingImages(data.CamVid("train"), (32, 48), 0, num_classes=20).resized(0)
    with torch.inference_mode():
        void = network(image[None] / 255).log_softmax(dim=1)[0, VOID]
    assert void[target == VOID].mean() > void[target != VOID].mean() + 1


def test_data_without_void_is_refused(street, tmp_path):
    for path in (street / "CamVid" / "trainannot").iterdir():
        write_image(path, np.repeat(np.array([[1], [3]], dtype=np.uint8), 16, axis=0).repeat(48, 1))
    with pytest.raises(ValueError, match="no training pixel is void, so void cannot be learnt"):
        training.train(street_settings(training="void"), tmp_path)


def test_the_loss_of_bisenetv2_is_that_of_all_its_heads(street):
    learner = training.Trainer(
        models.build("bisenetv2", 20), street_settings("bisenetv2", training="void"), torch.ones(20), 4
    )
    images, targets = torch.rand(3, 3, 32, 32), torch.randint(0, 20, (3, 32, 32))
    values = learner.step(images, targets)
    assert values.keys() == {"ohem"} and values["ohem"] > 4 * 1.5  # five heads that know nothing
    assert all(p.grad is not None for p in learner.network.parameters())


@for_each_network
def test_the_commands_train_and_evaluate_with_void(street, tmp_path, name):
    write_benchmark(street / "benchmarks", "RoadAnomaly21")
    train = ["train", "--profile", "camvid", "--model", name, "--training", "void", "--device", "cpu"]
    options = ["--size", "16", "24", "--batch", "4", "--epochs", "1", "--output", str(tmp_path / "run")]
    assert main([*train, *options]) == 0
    weights, table = tmp_path / "run" / f"{name}_void.safetensors", tmp_path / "table.csv"
    evaluate = ["evaluate", "--model", name, "--weights", str(weights), "--benchmarks", "RoadAnomaly21"]
    scores = ["--score", "void", "msp", "max_logit", "--bootstrap", "0", "--output", str(table)]
    assert main([*evaluate, *scores, "--validation", "camvid", "--device", "cpu"]) == 0
    frame = pd.read_csv(table)
    assert frame["score"].tolist() == ["void", "msp", "max_logit"]
    assert set(frame["training"]) == {"void"} and frame["miou"].notna().all()
    assert set(frame["classes_in_score"]) == {20, 3}
