"""One command makes the paper's tables and figures, says what it could not do, and survives a kill."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
import torch
from small_data import write_benchmark, write_street

from course_lib import evaluation, models, runtime
from course_lib.lesson import figures
from course_lib.training import TRAININGS
from course_tools import result_store as store
from course_tools.__main__ import main
from course_tools.reproduce import figures as made_figures

SIZE = [48, 64]
HERE, ABSENT = ("RoadAnomaly21", "fs_static"), ("RoadObsticle21", "FS_LostFound_full", "RoadAnomaly")
WITH_TIMES = {"index.html", "reproduce.json"}


def save(path, model, training, seed=0, epochs=3):
    """Save a network with random weights."""
    torch.manual_seed(100 + seed + len(training))
    head, outputs = TRAININGS[training].head, TRAININGS[training].outputs
    about = {"training": training, "profile": "camvid", "seed": seed, "epochs": epochs, "size": SIZE}
    network = models.build(model, outputs, head).eval()
    models.save_checkpoint(network, path, models.Metadata(model=model, **about))


@pytest.fixture
def camvid(tmp_path, monkeypatch):
    """Small data of profile camvid, and two benchmarks of its five; no weights yet."""
    for name in HERE:
        write_benchmark(tmp_path / "data" / "benchmarks", name)
    write_street(tmp_path / "data" / "CamVid")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models.shipped, "FOLDER", tmp_path / "weights")
    monkeypatch.setattr(models.shipped, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(made_figures, "SECONDS", 0.01)
    return tmp_path


@pytest.fixture
def shipped(camvid):
    """Weights for all tables."""
    for training in ("ce", "eiml_fl", "void"):
        save(camvid / "weights" / "camvid" / f"erfnet_{training}.safetensors", "erfnet", training)
    save(camvid / "weights" / "camvid" / "enet_void.safetensors", "enet", "void")
    return camvid


def reproduce(folder, *options):
    common = ["--profile", "camvid", "--device", "cpu", "--bootstrap", "40", "--output", str(folder)]
    return main(["reproduce", *common, *options])


def contents(folder):
    """Return the bytes of all results but for those that tell times."""
    files = [path for path in folder.iterdir() if path.is_file() and path.name not in WITH_TIMES]
    return {path.name: path.read_bytes() for path in files}


def test_everything_that_can_be_made_is_made_and_the_rest_has_a_reason(shipped, capsys):
    light = "efficientnet_lite0"
    save(shipped / "weights" / "camvid" / f"{light}_ce.safetensors", light, "ce")
    assert reproduce(shipped / "out") == 1
    names = ("table1", f"table1_{light}", "table2", f"table2_{light}", "table3", "table4", "objects")
    tables = [f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex")]
    pictures = ["figure1.png", "figure2.png", "figure3.png", "figure4.png", "each_image.png"]
    for name in (*tables, *pictures, "index.html", "reproduce.json"):
        assert (shipped / "out" / name).stat().st_size > 100, name
    about = json.loads((shipped / "out" / "reproduce.json").read_text())
    assert {*ABSENT, "table 3, bisenetv2", "table 4, ln"} <= about["not_done"].keys()
    assert "road_anomaly" in about["not_done"]["RoadAnomaly"]
    assert "train --profile camvid --model bisenetv2" in about["not_done"]["table 3, bisenetv2"]
    page = (shipped / "out" / "index.html").read_text()
    assert "What could not be done" in page and "3 of 10 images in RoadAnomaly21" in page
    assert not re.search(r"<img(?![^>]*alt=\"[^\"]{20,})", page), "a picture without words"
    assert "not done: RoadAnomaly" in capsys.readouterr().out


def test_every_table_has_chance_intervals_and_marks_against_a_baseline(shipped):
    reproduce(shipped / "out", "--table", "1", "2", "3", "4")
    for name in ("table1", "table2", "table3", "table4"):
        frame = pd.read_csv(shipped / "out" / f"{name}.csv")
        needed = ["chance", "auprc_low", "fpr95_high", "auprc_difference_low", "fpr95_beyond_images"]
        assert frame[needed].notna().all(axis=None), name
    scores = pd.read_csv(shipped / "out" / "table3.csv")
    assert set(scores["model"]) == {"enet", "erfnet"} and set(scores["score"]) == {"void", "msp"}
    first = (shipped / "out" / "table1.md").read_text()
    for row in ("chance", "MSP", "position only, MSP", "colour only", "a constant score"):
        assert f"| {row} |" in first
    missing = json.loads((shipped / "out" / "reproduce.json").read_text())["not_done"]
    assert {"table 1, efficientnet_lite0", "table 2, efficientnet_lite0"} <= missing.keys()


class Killed(BaseException):
    """Nothing in the library catches it."""


def test_a_job_that_was_killed_ends_with_the_same_files(shipped, monkeypatch):
    options = ("--table", "1", "3", "4", "--figure", "1", "3", "4")
    monkeypatch.setattr(made_figures, "_cost_rows", lambda bench: iter([COSTS]))
    reproduce(shipped / "whole", *options)
    write = store.write_atomically
    for step in (1, 5, 9):
        folder, left = shipped / f"twice{step}", iter(range(step))

        def dying(path, content, left=left):
            if path.suffix == ".pt" and next(left, None) is None:
                raise Killed
            write(path, content)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(store, "write_atomically", dying)
            reproduce(folder, *options)
        kept = {path.name: path.stat().st_mtime_ns for path in (folder / "kept").glob("*.pt")}
        assert len(kept) == step
        reproduce(folder, *options)
        assert contents(folder) == contents(shipped / "whole")
        for name, time in kept.items():
            assert (folder / "kept" / name).stat().st_mtime_ns == time, f"{name} was made again"


COSTS = {"model": "erfnet", "head": "linear", "speed": "plain", "batch": 1, "milliseconds": 2.0} | {
    "training_milliseconds": 5.0,
    "peak_megabytes": 3.0,
    "training_megabytes": 9.0,
}


def test_finished_benchmarks_of_a_table_are_kept(shipped, monkeypatch):
    reproduce(shipped / "whole", "--table", "1")
    measure, calls = evaluation.evaluate, iter(range(1))

    def dying(*arguments):
        if next(calls, None) is None:
            raise Killed
        return measure(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "evaluate", dying)
        with pytest.raises(Killed):
            reproduce(shipped / "twice", "--table", "1")
    assert [path.name for path in (shipped / "twice" / "kept").iterdir()] == [f"table1_{HERE[0]}.pt"]
    reproduce(shipped / "twice", "--table", "1")
    assert contents(shipped / "twice") == contents(shipped / "whole")


def test_what_other_code_has_made_is_made_again(shipped, monkeypatch):
    reproduce(shipped / "out", "--table", "1")
    first = {path: path.stat().st_mtime_ns for path in (shipped / "out" / "kept").iterdir()}
    monkeypatch.setattr(store, "code_digest", lambda: "mended")
    reproduce(shipped / "out", "--table", "1")
    assert all(path.stat().st_mtime_ns != before for path, before in first.items())


def test_the_digest_of_the_code_follows_every_file_of_it(tmp_path):
    (tmp_path / "metrics.py").write_text("x = 1")
    digests = [store.code_digest.__wrapped__((tmp_path,))]
    (tmp_path / "metrics.py").write_text("x = 2")
    digests.append(store.code_digest.__wrapped__((tmp_path,)))
    (tmp_path / "metrics.py").rename(tmp_path / "scores.py")
    digests.append(store.code_digest.__wrapped__((tmp_path,)))
    assert len(set(digests)) == 3 and store.code_digest() == store.code_digest()


def test_other_weights_or_images_are_measured_anew(shipped):
    reproduce(shipped / "out", "--table", "3")
    before = contents(shipped / "out")
    save(shipped / "weights" / "camvid" / "erfnet_void.safetensors", "erfnet", "void", seed=7)
    reproduce(shipped / "out", "--table", "3")
    changed = contents(shipped / "out")
    assert changed["table3.csv"] != before["table3.csv"]
    write_benchmark(shipped / "data" / "benchmarks", "fs_static", images=4)
    reproduce(shipped / "out", "--table", "3")
    assert contents(shipped / "out")["table3.csv"] != changed["table3.csv"]


def test_runs_of_this_machine_are_compared_over_seeds(camvid):
    for training, seed in (("ce", 0), ("ce", 1), ("ln", 0), ("ln", 1)):
        run = models.run_folder("camvid", "erfnet", training, seed)
        save(run / f"erfnet_{training}.safetensors", "erfnet", training, seed)
    late = models.run_folder("camvid", "erfnet", "eiml", 0)
    save(late / "erfnet_eiml.safetensors", "erfnet", "eiml", epochs=9)
    assert reproduce(camvid / "out", "--table", "4") == 1
    frame = pd.read_csv(camvid / "out" / "table4.csv")
    assert set(frame["training"]) == {"ce", "ln"} and set(frame["seeds"]) == {2}
    about = json.loads((camvid / "out" / "reproduce.json").read_text())
    assert "9 epochs" in about["not_done"]["table 4, eiml, seed 0"]


def test_protocols_have_their_own_folders_and_no_shipped_table(shipped):
    main(["reproduce", "--profile", "camvid", "--table", "4", "--bootstrap", "40", "--protocol", "paper"])
    folder = shipped / "results" / "camvid" / "paper"
    assert set(pd.read_csv(folder / "table4.csv")["protocol"]) == {"paper"}
    assert not (folder / "table4_seeds.csv").exists()


def test_without_data_and_weights_costs_and_curves_still_come(camvid, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(camvid / "nowhere"))
    monkeypatch.setattr(made_figures, "_cost_rows", lambda bench: iter([COSTS]))
    assert reproduce(camvid / "out") == 1
    reasons = json.loads((camvid / "out" / "reproduce.json").read_text())["not_done"]
    assert reasons["table 1"] == "none of the benchmarks is here"
    assert {"figure2.png", "figure3.png", "figure4.png"} <= contents(camvid / "out").keys()
    assert "table1.csv" not in contents(camvid / "out")


@pytest.mark.parametrize(
    "options, message",
    [
        (["--table", "5"], "invalid choice: 5"),
        (["--bootstrap", "10"], "need 40 resamples or more, got 10"),
        (["--device", "abacus"], "device 'abacus'"),
        (
            ["--profile", "photos", "--table", "4"],
            "photos trains nothing: of the paper's tables it has 1, 2, 3, not 4",
        ),
        (["--profile", "photos", "--figure", "2"], "of the paper's figures it has 1, not 2"),
    ],
)
def test_wrong_options_are_one_line(camvid, capsys, options, message):
    try:
        status = reproduce(camvid / "out", *options)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_damaged_mask_stops_the_job_and_is_named(shipped, capsys):
    (shipped / "data" / "benchmarks" / "fs_static" / "labels_masks" / "1.png").write_bytes(b"no picture")
    reproduce(shipped / "out", "--table", "1")
    assert "1.png" in json.loads((shipped / "out" / "reproduce.json").read_text())["not_done"]["table 1"]


def test_dots_of_images_say_in_words_where_they_lie():
    frame = pd.DataFrame({"benchmark": "one", "score": "msp", "auprc": [10.0, 20.0, 60.0]})
    assert "one, MSP: 20 % (12 to 52)" in figures.image_dots(frame).alt


def test_what_is_published_shows_no_image_and_links_to_files_that_are_there(shipped, monkeypatch):
    public = shipped / "public"
    monkeypatch.setattr(runtime, "REFERENCE_TORCH", ".".join(torch.__version__.split(".")[:2]))
    reproduce(shipped / "out", "--table", "1", "--figure", "1", "2", "--publish", str(public))
    assert (shipped / "out" / "figure1.png").exists() and not list(public.glob("figure1*"))
    text = (public / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {"table1.csv", "objects.tex", "figure2.png"} <= set(links)
    assert all((public / link).is_file() for link in links)
    assert re.search(
        rf"` on \d{{4}}-\d\d-\d\d with torch {torch.__version__.split('+')[0]}, Python .+ cores\);", text
    )
    assert str(shipped) not in text.split("What could not be done")[0].split("Made by")[0]


def test_a_published_page_begins_with_what_was_found_and_ends_with_how(shipped, monkeypatch):
    public = shipped / "public"
    public.mkdir()
    (public / "findings.md").write_text("Colour alone is better.\n")
    monkeypatch.setattr(runtime, "REFERENCE_TORCH", ".".join(torch.__version__.split(".")[:2]))
    reproduce(shipped / "out", "--table", "1", "--publish", str(public))
    parts = re.findall(r"^## (.+)", (public / "README.md").read_text(), re.MULTILINE)
    assert parts[0] == "What we found" and parts[-1] == "How this came about" and "Table 1" in parts[1]


def test_public_weights_have_tables_of_their_own_and_time_beside_accuracy(camvid, monkeypatch):
    cost = {"milliseconds": 3.0, "million_parameters": 0.1, "giga_macs": 1.0}
    monkeypatch.setattr(
        made_figures.profiling, "profile", lambda subject, *_, **__: {"model": subject.name} | cost
    )
    load = models.load

    def small(*given, **more):  # their own size, 512 x 1024, takes a minute
        network, metadata = load(*given, **more)
        return network, replace(metadata, size=SIZE)

    monkeypatch.setattr(models, "load", small)
    for size in ("0.5", "2.0"):
        torch.manual_seed(0)
        path = models.public_file(f"espnetv2_{size}")
        path.parent.mkdir(exist_ok=True)
        torch.save(models.build(f"espnetv2_{size}", 20).state_dict(), path)
    options = ["reproduce", "--profile", "photos", "--bootstrap", "40", "--output", str(camvid / "out")]
    assert main(options) == 1
    made = contents(camvid / "out").keys()
    assert {"table1.md", "table2.md", "table3.md", "accuracy_and_time.png", "figure1.png"} <= made
    about = json.loads((camvid / "out" / "reproduce.json").read_text())
    assert {"table 3, espnetv2_1.0", *ABSENT} <= about["not_done"].keys()
    assert not any("table 4" in what for what in about["not_done"])
    assert "Table 1: anomaly scores of ESPNetv2 2.0" in (camvid / "out" / "table1.md").read_text()
    frame = pd.read_csv(camvid / "out" / "accuracy_and_time.csv")
    assert list(frame["model"]) == ["espnetv2_0.5", "espnetv2_2.0"] and set(HERE) <= set(frame)


def test_another_version_of_torch_publishes_nothing(shipped, capsys, monkeypatch):
    monkeypatch.setattr(runtime, "REFERENCE_TORCH", "1.13")
    assert reproduce(shipped / "out", "--table", "1", "--publish", str(shipped / "public")) == 2
    error = capsys.readouterr().err
    assert "is made with torch 1.13, this is torch" in error and error.count("\n") == 1
    assert not (shipped / "public").exists() and not (shipped / "out").exists()
