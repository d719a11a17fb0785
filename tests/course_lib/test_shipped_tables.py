"""The shipped tables say what the shipped networks do, and what was done to get them."""

import hashlib

import pandas as pd
import pytest
from small_data import ROOT

from course_lib import data, evaluation, models
from course_lib.lesson import tables

SHIPPED = ("ln", "ln_ce", "ln_fl", "eiml", "eiml_ce", "eiml_fl")
BENCHMARK = "mini_RoadObsticle21"


@pytest.fixture(scope="module")
def runs():
    return tables.measured("mini", "losses")


@pytest.fixture(scope="module")
def summary():
    return tables.measured("mini", "losses.summary")


@pytest.mark.parametrize("training", SHIPPED)
def test_a_row_of_table_4_is_what_its_shipped_network_does(runs, training):
    network, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet", training))
    settings = evaluation.Settings(("msp", "max_logit"), size=tuple(metadata.size), resamples=0)
    found = evaluation.evaluate(network, [data.BenchmarkImages(BENCHMARK)], settings, progress=False)
    rows = runs[(runs["training"] == training) & (runs["seed"] == 0) & (runs["benchmark"] == BENCHMARK)]
    for row in found:
        shipped = rows[rows["score"] == row["score"]].iloc[0]
        assert row["auprc"] == pytest.approx(shipped["auprc"], abs=0.1)
        assert row["fpr95"] == pytest.approx(shipped["fpr95"], abs=0.3)
    assert 100 * metadata.metrics["miou"] == pytest.approx(shipped["miou"], abs=0.2)


@pytest.mark.parametrize("training", SHIPPED)
def test_every_row_began_with_the_shipped_encoder_and_took_as_many_epochs(runs, training):
    _, metadata = models.load("erfnet", models.shipped_weights("mini", "erfnet", training))
    encoder = models.shipped_weights("mini", "erfnet")
    assert metadata.encoder["sha256"] == hashlib.sha256(encoder.read_bytes()).hexdigest()
    assert set(runs["epochs"]) == {metadata.epochs} and metadata.epochs >= 20
    assert "--encoder" in metadata.command


def test_the_summary_is_that_of_the_runs(runs, summary):
    assert set(summary["baseline"]) == {"ce"}
    for (training, score, benchmark), found in runs.groupby(["training", "score", "benchmark"]):
        chosen = (summary["training"] == training) & (summary["score"] == score)
        row = summary[chosen & (summary["benchmark"] == benchmark)].iloc[0]
        assert row["seeds"] == len(found) == found["seed"].nunique()
        assert row["auprc"] == pytest.approx(found["auprc"].mean(), rel=1e-3)
        assert row["fpr95_highest_seed"] == pytest.approx(found["fpr95"].max(), rel=1e-3)


def test_the_weights_of_the_terms_are_compared_over_seeds_and_two_of_sixty_stand_out():
    found, compared = (tables.measured("mini", name) for name in ("term_weights", "term_weights.summary"))
    keys = ["term_weights", "score", "benchmark"]
    means = found.groupby(keys)["auprc"].mean()
    assert means.to_numpy() == pytest.approx(compared.set_index(keys)["auprc"][means.index], rel=1e-3)
    others = compared[compared["term_weights"] != "1,1"]
    assert others["auprc_beyond_images"].sum() == 5, "lesson 4 says so"
    for metric, proven in (("auprc", 2), ("fpr95", 0)):
        beyond = others[[f"{metric}_beyond_images", f"{metric}_beyond_seeds"]]
        assert (len(beyond), beyond.all(axis=1).sum()) == (60, proven), "lesson 4 says so"


def test_the_temperatures_begin_with_the_row_of_table_4(runs):
    found = tables.measured("mini", "eiml_fl.temperatures")
    plain = found[found["temperature"] == 1].set_index(["score", "benchmark"])["auprc"]
    row = runs[(runs["training"] == "eiml_fl") & (runs["seed"] == 0)].set_index(["score", "benchmark"])
    assert plain.to_numpy() == pytest.approx(row["auprc"][plain.index].to_numpy(), abs=0.1)
    fitted = found[(found["temperature"] == 0.196) & found["auprc_beyond_images"]]
    assert fitted["score"].tolist() == ["msp", "msp", "msp", "max_entropy"], "lesson 4 says so"
    assert fitted["auprc_difference"].between(-7.5, 0).all()


def test_the_log_of_figure_2_has_validation_loss_and_mean_iou_of_every_epoch():
    log = tables.measured("mini", "eiml_fl.log")
    assert list(log["epoch"]) == list(range(1, 21))
    assert log[["loss", "loss_eiml", "loss_fl", "validation_loss", "miou"]].notna().all(axis=None)


def test_a_table_that_is_not_shipped_is_named_with_those_that_are():
    with pytest.raises(FileNotFoundError, match=r"no table cityscapes_losses is shipped, only .*mini_losses"):
        tables.measured("cityscapes", "losses")


def test_shipped_tables_print(summary):
    for score in ("msp", "max_logit", "max_entropy"):
        table = tables.paper_table(summary[summary["score"] == score])
        assert len(table.rows) == 1 + summary["training"].nunique() and "better" in table.caption
    assert not pd.isna(summary["miou"]).any()


def test_exported_files_are_smaller_with_fewer_bits_and_in_fp32_as_good_as_the_library():
    found = tables.deployed().set_index(["what", "precision"])
    by_precision = found.unstack("precision")
    assert (by_precision["auprc"]["fp32"] == by_precision["auprc_of_library"]["fp32"]).all()
    assert (by_precision["megabytes"]["fp16"] < 0.6 * by_precision["megabytes"]["fp32"]).all()
    steps = tables.measured("mini", "what_works.summary").set_index(["network", "step", "benchmark"])["auprc"]
    library = found["auprc_of_library"]["ERFNet", "fp32"]
    assert library == pytest.approx(steps["ERFNet", "MSP", BENCHMARK], abs=0.01)


def test_the_page_on_deployment_has_the_numbers_of_the_shipped_table():
    found = tables.deployed()
    full_size = found["what"].isin(["ERFNet", "ENet"])  # of their logits: coarse is the same
    found = found[~(full_size & (found["precision"] == "fp32, coarse"))]
    text = (ROOT / "site" / "deploy.md").read_text(encoding="utf-8").split("| file | MB |")[1]
    cells = [line.split("|")[1:-1] for line in text.splitlines()[2 : len(found) + 2]]
    said = [(float(row[1]), float(row[3]), float(row[6].split()[0])) for row in cells]
    columns = found["megabytes"].round(1), found["onnxruntime_ms"].round(), found["auprc"]
    assert said == list(zip(*columns, strict=True))
    times = [f"{ms:.0f}" if ms > 0 else "-" for ms in found["openvino_ms"]]
    assert [row[4].strip() for row in cells] == times
