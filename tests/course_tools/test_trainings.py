"""Every training with every network: what is learnt, by which terms, what is shown, saved and scored."""

import csv

import pandas as pd
import pytest
import torch
from small_data import stop_after, street_settings, write_benchmark, write_street

from course_lib import losses, models, runtime, training
from course_lib.lesson import figures
from course_lib.training.files import load_state
from course_lib.training.recipes import RECIPES, TRAININGS
from course_tools.__main__ import main

SMALL = ["--profile", "camvid", "--device", "cpu", "--size", "16", "24", "--batch", "4", "--epochs", "1"]
for_each_network = pytest.mark.parametrize("name", RECIPES)
ISOMAX = [name for name, chosen in TRAININGS.items() if chosen.head == "isomax"]


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")
    return data_root


def batch(settings, known=(0, 2, 13)):
    """Return a batch of the known classes and void."""
    generator = torch.Generator().manual_seed(0)
    choices = torch.tensor([*known, 19 if settings.num_classes > 19 else 255])
    targets = choices[torch.randint(0, len(choices), (3, 16, 24), generator=generator)]
    return torch.rand(3, 3, 16, 24, generator=generator), targets


def learner_of(name, kind, **chosen):
    if TRAININGS[kind].with_outliers:
        chosen |= {"start": "a file that the trainer never reads"}
    settings = street_settings(name, training=kind, **chosen)
    runtime.seed_everything(0)
    network = models.build(name, settings.num_classes, settings.head)
    weights, margins = torch.ones(settings.num_classes), (-9.0, 0.0)
    return training.Trainer(network, settings, weights, 4, [0, 2, 13], margins)


def test_the_table_of_trainings_is_that_of_the_paper_its_control_and_outlier_exposure():
    table = {name: (chosen.terms, chosen.outputs, chosen.head) for name, chosen in TRAININGS.items()}
    assert table == {
        "ce": (("ce",), 19, "linear"),
        "void": (("ce",), 20, "linear"),
        "fl": (("fl",), 19, "linear"),
        "ln": (("ln",), 19, "linear"),
        "ln_ce": (("ln", "ce"), 19, "linear"),
        "ln_fl": (("ln", "fl"), 19, "linear"),
        "eiml": (("eiml",), 19, "isomax"),
        "eiml_ce": (("eiml", "ce"), 19, "isomax"),
        "eiml_fl": (("eiml", "fl"), 19, "isomax"),
        "ce_scale10": (("ce_scale10",), 19, "linear"),
        "energy": (("ce", "energy"), 19, "linear"),
    }


@pytest.mark.parametrize("kind", TRAININGS)
def test_bisenetv2_looks_for_hard_pixels_only_where_cross_entropy_stands_alone(kind):
    terms = RECIPES["bisenetv2"].terms_of(TRAININGS[kind])
    assert terms == (("ohem",) if kind in ("ce", "void") else TRAININGS[kind].terms)
    assert RECIPES["erfnet"].terms_of(TRAININGS[kind]) == TRAININGS[kind].terms


@for_each_network
@pytest.mark.parametrize("kind", TRAININGS)
def test_every_training_takes_two_steps_with_every_network(kind, name):
    learner = learner_of(name, kind)
    images, targets = batch(learner.settings)
    before = {key: value.clone() for key, value in learner.network.named_parameters()}
    for _ in range(2):
        values = learner.step(images, targets)
        assert tuple(values) == tuple(learner.settings.terms) and all(0 < v < 999 for v in values.values())
    moved = {key for key, value in learner.network.named_parameters() if not value.equal(before[key])}
    idle = tuple(f"{part}." for part in learner.network.idle_names)
    assert before.keys() - moved == {key for key in before if key.startswith(idle)}


@for_each_network
@pytest.mark.parametrize("kind", ISOMAX)
def test_prototypes_and_scale_of_every_head_are_trained(kind, name):
    learner = learner_of(name, kind)
    network = learner.network
    heads = [network.get_submodule(place) for place in network.classifier_names]
    before = [(head.prototypes.clone(), head.distance_scale.clone()) for head in heads]
    learner.step(*batch(learner.settings))
    for head, (prototypes, scale) in zip(heads, before, strict=True):
        assert not (head.prototypes == prototypes).all(dim=1).any()  # those of absent classes are pushed away
        assert not head.distance_scale.equal(scale)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("ln_ce", losses.logit_norm_sum, losses.cross_entropy_sum),
        ("ln_fl", losses.logit_norm_sum, losses.focal_sum),
        ("eiml_ce", losses.isomax_sum, losses.cross_entropy_sum),
        ("eiml_fl", losses.isomax_sum, losses.focal_sum),
    ],
)
def test_second_terms_read_the_same_logits_as_they_are(kind, first, second):
    learner = learner_of("erfnet", kind)
    images, targets = batch(learner.settings)
    learner.network.eval()  # no dropout, so that the logits can be computed twice
    with torch.inference_mode():
        logits, ones = learner.network(images), torch.ones(19)
    known = {"known_classes": [0, 2, 13]} if first is losses.logit_norm_sum else {}
    pixels = (targets != 255).sum()
    by_hand = first(logits, targets, ones, **known) / pixels, second(logits, targets, ones) / pixels
    found = learner.step(images, targets)
    assert list(found.values()) == pytest.approx([value.item() for value in by_hand])
    assert found[kind.split("_")[1]] != pytest.approx(found[kind.split("_")[0]], rel=1e-3)


def gradient_of(kind, **chosen):
    learner = learner_of("erfnet", kind, **chosen)
    learner.network.eval()
    learner.step(*batch(learner.settings))
    return learner.network.classifier.prototypes.grad.clone()


def test_eiml_with_cross_entropy_is_not_twice_eiml():
    alone, both = gradient_of("eiml"), gradient_of("eiml_ce")
    assert not torch.allclose(both, 2 * alone, rtol=0.05, atol=0.05 * alone.abs().max().item())
    torch.testing.assert_close(gradient_of("eiml_ce", term_weights=(1, 0)), alone)


def test_weights_of_terms_multiply_values_and_gradients():
    plain, weighted = (
        learner_of("erfnet", "ln_fl", **chosen) for chosen in ({}, {"term_weights": (0.5, 2.0)})
    )
    for learner in (plain, weighted):
        learner.network.eval()  # no dropout, which would differ
    values = [learner.step(*batch(learner.settings)) for learner in (plain, weighted)]
    assert values[1]["ln"] == pytest.approx(0.5 * values[0]["ln"])
    assert values[1]["fl"] == pytest.approx(2 * values[0]["fl"])
    assert not plain.network.classifier.weight.grad.equal(weighted.network.classifier.weight.grad)


@pytest.mark.parametrize(
    ("kind", "weights", "message"),
    [
        ("ce", (1.0, 1.0), r"training ce has the loss terms ce, got weights \(1.0, 1.0\)"),
        ("eiml_fl", (1.0,), "training eiml_fl has the loss terms eiml, fl, got weights"),
        ("ln_ce", (1.0, -1.0), "must be 0 or more, one above 0; got"),
        ("ln_ce", (0.0, 0.0), "must be 0 or more, one above 0; got"),
        ("ln_ce", (1.0, float("nan")), "must be 0 or more, one above 0; got"),
    ],
)
def test_weights_that_do_not_fit_the_terms_are_refused(kind, weights, message):
    with pytest.raises(ValueError, match=message):
        street_settings(training=kind, term_weights=weights)


def test_outputs_that_are_never_trained_stay_where_they_are_in_logit_norm():
    learner = learner_of("erfnet", "ln", learning_rate=1e-2)
    learner.step(*batch(learner.settings))
    touched = learner.network.classifier.bias.grad.nonzero().flatten().tolist()
    assert touched == [0, 2, 13]


def test_a_run_tells_logit_norm_which_classes_its_data_has(street, tmp_path, monkeypatch):
    told = []

    def spy(*arguments, known_classes):
        told.append(known_classes)
        return losses.logit_norm_sum(*arguments, known_classes)

    monkeypatch.setitem(losses.LOSSES, "ln", spy)
    training.train(street_settings(training="ln_ce", epochs=1), tmp_path)
    assert told == [[0, 2, 13]] * (3 + 2)  # steps and validation images


def test_bf16_autocast_trains_prototypes_close_to_fp32():
    values = [learner_of("erfnet", "eiml_fl", precision=p) for p in ("fp32", "bf16")]
    fp32, bf16 = (learner.step(*batch(learner.settings)) for learner in values)
    assert fp32 != bf16 and fp32["eiml"] == pytest.approx(bf16["eiml"], rel=0.02)


def test_log_bar_and_curves_show_each_term(street, tmp_path, capfd):
    trained = training.train(street_settings(training="eiml_fl"), tmp_path)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    for row in rows:
        assert float(row["loss"]) == pytest.approx(float(row["loss_eiml"]) + float(row["loss_fl"]))
    assert "eiml=" in capfd.readouterr().err
    assert "over 2 epochs" in figures.learning_curves(trained.history, "eiml_fl").alt
    network, metadata = models.load("erfnet", trained.weights)
    assert network.head_kind == metadata.head == "isomax" and metadata.training == "eiml_fl"
    assert metadata.term_weights == {"eiml": 1.0, "fl": 1.0} and metadata.encoder == {}


def test_a_stopped_run_with_prototypes_goes_on_to_the_same_bits(street, tmp_path, monkeypatch):
    settings = street_settings(training="eiml_fl", term_weights=(1.0, 0.5))
    whole = training.train(settings, tmp_path / "whole")
    with monkeypatch.context() as patched, pytest.raises(training.Interrupted, match="after step 4 of 6"):
        stop_after(4, patched)
        training.train(settings, tmp_path / "parts")
    parts = training.train(settings, tmp_path / "parts", resume=True)
    states = [load_state(tmp_path / name / "last.pt")["network"] for name in ("whole", "parts")]
    assert states[0].keys() == states[1].keys() and "decoder.output_conv.prototypes" in states[0]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    networks = [models.load("erfnet", trained.weights)[0] for trained in (whole, parts)]
    images = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        assert torch.equal(*(network(images) for network in networks))
    other = street_settings(training="eiml_fl")
    with pytest.raises(ValueError, match=r"with term_weights \(1.0, 0.5\) instead of None"):
        training.train(other, tmp_path / "parts", resume=True)


def test_a_run_begun_before_terms_had_weights_goes_on(street, tmp_path):
    settings = street_settings(epochs=1)
    training.train(settings, tmp_path)
    state = load_state(tmp_path / "last.pt")
    old = {key: value for key, value in state["settings"].items() if key not in ("term_weights", "encoder")}
    assert settings.differences(old) == []


@for_each_network
def test_the_commands_train_and_evaluate_prototypes(street, tmp_path, name):
    write_benchmark(street / "benchmarks", "RoadAnomaly21")
    options = ["--training", "eiml_fl", "--term-weights", "1", "0.5", "--output", str(tmp_path / "run")]
    assert main(["train", "--model", name, *SMALL, *options]) == 0
    weights, table = tmp_path / "run" / f"{name}_eiml_fl.safetensors", tmp_path / "table.csv"
    assert models.load(name, weights)[1].term_weights == {"eiml": 1.0, "fl": 0.5}
    evaluate = ["evaluate", "--model", name, "--weights", str(weights), "--benchmarks", "RoadAnomaly21"]
    scores = ["--score", "msp", "max_logit", "--bootstrap", "0", "--output", str(table)]
    assert main([*evaluate, *scores, "--validation", "camvid", "--device", "cpu"]) == 0
    frame = pd.read_csv(table)
    assert set(frame["training"]) == {"eiml_fl"} and frame[["auprc", "miou"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--training", "eiml", "--term-weights", "1", "1"], "training eiml has the loss terms eiml, got"),
        (["--encoder", "absent.safetensors"], "no weights at absent.safetensors, which is no file"),
        (["--model", "bisenetv2", "--encoder", "x.pth"], "bisenetv2 has no encoder apart from the rest"),
    ],
)
def test_wrong_options_give_status_2_and_one_line(options, message, street, tmp_path, capsys):
    assert main(["train", *SMALL, "--output", str(tmp_path / "run"), *options]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]
