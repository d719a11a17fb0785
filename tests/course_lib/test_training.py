"""One training run: what it learns from, what it writes, and how it stops."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from small_data import street_settings as settings
from small_data import write_street
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from course_lib import models, runtime, training
from course_lib.training.files import CHECKPOINT, load_state

CPU = torch.device("cpu")


@pytest.fixture
def street(data_root):
    """Seven training and two validation images."""
    write_street(data_root / "CamVid")
    return data_root


def weights_of(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def make_run(chosen, steps=4):
    runtime.seed_everything(0)
    return training.Trainer(models.build("erfnet"), chosen, torch.ones(19), steps)


def test_a_run_writes_weights_log_events_and_state(street, tmp_path):
    trained = training.train(settings(), tmp_path / "run", command="train it")
    network, metadata = models.load("erfnet", trained.weights)
    assert (metadata.training, metadata.profile, metadata.size) == ("ce", "camvid", [16, 24])
    assert (metadata.epochs, metadata.seed, metadata.command) == (2, 0, "train it")
    assert metadata.known_classes == [0, 2, 13]  # only these were drawn
    assert metadata.metrics["miou"] == pytest.approx(trained.history[-1]["miou"], abs=1e-4)
    assert next(network.parameters()).dtype == torch.float32
    assert {t.dtype for t in weights_of(trained.weights).values()} == {torch.float16, torch.int64}

    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").open()))
    assert [(r["epoch"], r["step"]) for r in rows] == [("1", "3"), ("2", "6")]
    assert rows[0]["miou"] == "" and float(rows[1]["miou"]) > 0 and float(rows[1]["iou_road"]) >= 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    assert [e.step for e in events.Scalars("loss")] == [1, 2]
    assert load_state(tmp_path / "run" / "last.pt")["step"] == 6


def test_the_loss_falls_and_the_learning_rate_with_it(street, tmp_path):
    trained = training.train(settings(epochs=6, learning_rate=3e-3), tmp_path)
    losses, rates = ([row[name] for row in trained.history] for name in ("loss", "learning_rate"))
    assert losses[-1] < 0.7 * losses[0]
    assert rates == [pytest.approx(3e-3 * (1 - e / 6) ** 0.9) for e in range(1, 7)]


def test_equal_settings_give_equal_weights_and_another_seed_others(street, tmp_path):
    first, again, other = (
        training.train(settings(seed=seed), tmp_path / name).weights
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert same(weights_of(first), weights_of(again)) and not same(weights_of(first), weights_of(other))


def test_workers_change_nothing(street, tmp_path):
    alone = training.train(settings(epochs=1), tmp_path / "alone").weights
    helped = training.train(settings(epochs=1, workers=2), tmp_path / "helped").weights
    assert same(weights_of(alone), weights_of(helped))


def test_parts_of_a_batch_add_up_to_the_whole_batch():
    torch.manual_seed(1)
    images, targets = torch.rand(4, 3, 16, 24), torch.randint(0, 19, (4, 16, 24))
    targets[0] = 255  # one part has fewer valid pixels than the other
    gradients = []
    for parts in (1, 2):
        learner = make_run(settings(accumulate=parts, batch=4))
        learner.network.eval()  # batch statistics would differ between parts
        values = learner.step(images, targets)
        gradients.append((values["ce"], learner.network.classifier.weight.grad.clone()))
    assert gradients[0][0] == pytest.approx(gradients[1][0], rel=1e-5)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], rtol=1e-4, atol=1e-7)


def test_a_batch_of_void_changes_no_loss_to_nan():
    values = make_run(settings()).step(torch.rand(2, 3, 16, 24), torch.full((2, 16, 24), 255))
    assert values == {"ce": 0}


def test_bf16_autocast_trains_close_to_fp32():
    images, targets = torch.rand(2, 3, 16, 24), torch.randint(0, 19, (2, 16, 24))
    fp32, bf16 = (make_run(settings(precision=p)).step(images, targets)["ce"] for p in ("fp32", "bf16"))
    assert fp32 != bf16 and fp32 == pytest.approx(bf16, rel=0.02)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"batch": 0}, "batch must be a whole number, at least 1; got 0"),
        ({"accumulate": 4}, "a batch of 3 cannot be split into 4 parts"),
        ({"training": "cee"}, "unknown training 'cee'; known are ce, void, fl, ln, .*; did you mean ce?"),
        ({"precision": "int8"}, "unknown precision 'int8'; known are fp32, bf16, fp16"),
        ({"learning_rate": float("nan")}, "learning rate must be a positive number, got nan"),
        ({"size": (0, 5)}, r"size must be .* in pixels, each 16 or more; got \[0, 5\]"),
        ({"workers": -1}, "workers must be a whole number, at least 0; got -1"),
        ({"seed": -2}, "seed must be a whole number, at least 0; got -2"),
    ],
)
def test_a_setting_out_of_range_is_named(chosen, message):
    with pytest.raises(ValueError, match=message):
        settings(**chosen)


def test_unknown_profiles_and_networks_are_named():
    with pytest.raises(
        ValueError, match="unknown profile 'maxi'; known are mini, camvid, photos, cityscapes"
    ):
        training.settings_for("maxi", "erfnet", CPU)
    with pytest.raises(ValueError, match="unknown network with a training recipe 'resnet'"):
        training.settings_for("mini", "resnet", CPU)


def test_profiles_give_a_cpu_less_to_do():
    small, large = (training.settings_for("camvid", "erfnet", torch.device(d)) for d in ("cpu", "cuda"))
    assert small.size == (176, 240) and large.size == (360, 480) and small.epochs < large.epochs


def test_another_run_in_the_folder_is_neither_overwritten_nor_mixed(street, tmp_path):
    training.train(settings(epochs=1), tmp_path)
    with pytest.raises(ValueError, match="exists: add --resume to go on"):
        training.train(settings(epochs=1), tmp_path)
    with pytest.raises(ValueError, match=r"of another run, with batch 3 instead of 2; epochs 1 instead of 5"):
        training.train(settings(batch=2, epochs=5), tmp_path, resume=True)
    changed = replace(settings(epochs=1), workers=1, validate_every=9)
    assert training.train(changed, tmp_path, resume=True).weights.exists()  # finished: only the weights anew


def test_a_missing_data_set_is_named_before_anything_is_done(data_root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*CamVid.val"):
        training.train(settings(), tmp_path / "run")


def test_the_state_tells_its_settings(street, tmp_path):
    training.train(settings(epochs=1), tmp_path)
    saved = load_state(tmp_path / "last.pt")["settings"]
    assert json.loads(json.dumps(saved))["learning_rate"] == 1e-3
    assert CHECKPOINT == "last.pt"
