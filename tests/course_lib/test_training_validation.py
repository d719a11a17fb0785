"""What a run measures on images that it does not learn from."""

import csv
import math

import pytest
import torch
from small_data import street_settings, write_image, write_street

from course_lib import data, losses, models, runtime, training
from course_lib.labels import IGNORE
from course_lib.training import validate

KNOWN = [0, 2, 13]


@pytest.fixture
def validation(data_root):
    write_street(data_root / "CamVid")
    return data.CamVid("val")


def run_of(kind, **chosen):
    settings = street_settings(training=kind, **chosen)
    runtime.seed_everything(0)
    network = models.build("erfnet", settings.num_classes, settings.head)
    weights = torch.linspace(1, 3, settings.num_classes)
    return training.Trainer(network, settings, weights, 4, KNOWN)


def by_hand(run, samples, terms):
    """Return the mean of the loss over all valid pixels at once."""
    network, pairs = run.network.eval(), []
    for sample in samples:
        image = data.resize_image(sample.image, run.settings.size)
        with torch.inference_mode():
            logits = network(data.to_tensor(image)[None])
        size = sample.target.shape
        logits = torch.nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)
        pairs.append((logits, sample.target.long()[None]))
    logits, target = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    if run.settings.num_classes == 20:
        target = target.where(target != IGNORE, 19)
    total = sum(weight * term(logits, target, run.weights) for term, weight in terms)
    return (total / losses.weight_sum(target, run.weights)).item()


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("ce", [(losses.cross_entropy_sum, 1)]),
        ("void", [(losses.cross_entropy_sum, 1)]),
        ("eiml_fl", [(losses.isomax_sum, 1), (losses.focal_sum, 0.5)]),
    ],
)
def test_the_validation_loss_is_that_of_all_valid_pixels_at_once(validation, kind, terms):
    run = run_of(kind, term_weights=tuple(weight for _, weight in terms))
    found = validate(run, validation)
    assert found["validation_loss"] == pytest.approx(by_hand(run, validation, terms), rel=1e-5)
    assert 0 <= found["miou"] <= 1


@pytest.mark.parametrize("kind", ["ln_ce", "void"])
def test_classes_that_training_did_not_show_have_no_part_in_the_loss(validation, data_root, kind):
    run = run_of(kind)
    before = validate(run, validation)["validation_loss"]
    for path in (data_root / "CamVid" / "valannot").iterdir():
        mask = validation[int(path.stem)].target
        camvid = torch.zeros(256, dtype=torch.uint8)
        camvid[torch.tensor([0, 2, 13, IGNORE])] = torch.tensor([3, 1, 8, 11], dtype=torch.uint8)
        changed = camvid[mask.long()]
        changed[20:] = 9  # a pedestrian, train id 11
        write_image(path, changed.numpy())
    after = validate(run, validation)["validation_loss"]
    assert after != before and 0 < after < math.inf


def test_the_log_holds_the_validation_loss_where_it_was_measured(validation, tmp_path):
    trained = training.train(street_settings(epochs=2), tmp_path)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["validation_loss"] == "" for row in rows] == [True, False]
    assert float(rows[1]["validation_loss"]) == pytest.approx(trained.history[-1]["validation_loss"])
