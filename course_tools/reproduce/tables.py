"""The paper's four tables from checkpoints, each number beside chance, with an interval and a mark.

Beyond the paper: objects instead of pixels.
"""

from dataclasses import replace

import pandas as pd

from course_lib import calibration, evaluation, models
from course_lib.lesson import tables
from course_lib.lesson.tables.paper import score_label
from course_tools.reproduce.bench import LIGHT, Bench, Checkpoint, find_checkpoint, trained_here
from course_tools.reproduce.figures import accuracy_and_time, each_image, future_work
from course_tools.reproduce.results import Figure, Table

BASELINE = "ce"
COMBINED = ("ln", "ln_ce", "ln_fl", "eiml", "eiml_ce", "eiml_fl")
"""The trainings of Table 4, in its order."""

SIZED = tuple(name for name in models.NETWORKS if name.startswith("espnetv2_"))
"""The four sizes of ESPNetv2, whose public weights have a background output."""

OBJECTS_CAPTION = (
    "All numbers are percent; objects are connected pixels. sIoU: of the true objects, the mean adjusted IoU "
    "with what is flagged. PPV: of the flagged objects, the mean share that is anomalous. F1 counts objects "
    "as found or made up, mean over 11 thresholds of both. Pixels are flagged from the threshold with the "
    "best pixel F1 on, chosen on the very images, as SegmentMeIfYouCan does; one chosen beforehand gives "
    "less."
)


def table_1(bench: Bench) -> list[Table | Figure]:
    """Three scores of networks trained by cross-entropy; of the first also controls, objects, every image."""
    checkpoint = find_checkpoint(bench.job.profile, bench.job.profile.network, BASELINE)
    settings = bench.job.settings(checkpoint.loaded[1])
    frame = evaluation.against_score(bench.result(checkpoint, "table1", settings, with_controls=True))
    found = [Table("table1", f"Table 1: anomaly scores of {checkpoint.title}", frame, _printed(frame, 1))]
    for light in _light_network(bench, 1):
        result = bench.result(light, f"table1_{LIGHT}", bench.job.settings(light.loaded[1]))
        frame, title = evaluation.against_score(result), f"Beyond the paper: anomaly scores of {light.title}"
        found.append(Table(f"table1_{LIGHT}", title, frame, tables.paper_table(frame)))
    return [*found, objects(bench, checkpoint, settings), each_image(bench, checkpoint, settings)]


def _light_network(bench: Bench, number: int) -> list[Checkpoint]:
    """Return the network of lesson 7 for one of the tables, or none where it has no weights."""
    if not bench.job.profile.trains:
        return []
    try:
        return [find_checkpoint(bench.job.profile, LIGHT, BASELINE)]
    except ValueError as error:
        bench.miss(f"table {number}, {LIGHT}", error)
        return []


def objects(bench: Bench, checkpoint: Checkpoint, settings: evaluation.Settings) -> Table:
    """Return the component metrics of a network in the shape of the other tables."""
    frame = pd.DataFrame(bench.by_benchmark("objects", checkpoint, settings, evaluation.component_rows))
    metrics = {"siou": "sIoU ↑", "ppv": "PPV ↑", "f1": "F1 ↑"}
    benchmarks = tuple(frame["benchmark"].unique())
    rows = {}
    for (score, temperature), found in frame.groupby(["score", "temperature"], sort=False):
        by_name = found.set_index("benchmark")
        rows[score_label(score, temperature)] = [
            tables.Cell(by_name.loc[name, metric]) for name in benchmarks for metric in metrics
        ]
    printed = tables.PaperTable(benchmarks, rows, OBJECTS_CAPTION, metrics=tuple(metrics.values()))
    title = f"Beyond the paper: objects, {checkpoint.title} of Table 1"
    return Table("objects", title, frame, printed)


def table_2(bench: Bench) -> list[Table]:
    """MSP of the same networks at the paper's temperatures and at the one that validation images choose."""
    first = find_checkpoint(bench.job.profile, bench.job.profile.network, BASELINE)
    found = []
    for checkpoint in (first, *_light_network(bench, 2)):
        fitted = bench.fitted_temperature(checkpoint)
        temperatures = tuple(dict.fromkeys([*calibration.GRID, *([] if fitted is None else [fitted])]))
        settings = bench.job.settings(checkpoint.loaded[1], scores=("msp",), temperatures=temperatures)
        name = "table2" if checkpoint is first else f"table2_{LIGHT}"
        frame = evaluation.against_temperature(bench.result(checkpoint, name, settings))
        printed, title = tables.temperature_table(frame, fitted), "Beyond the paper"
        if checkpoint is first:
            printed, title = tables.with_published(printed, frame, 2), "Table 2"
        title = f"{title}: MSP of {checkpoint.title} at several temperatures"
        found.append(Table(name, title, frame, printed))
    return found


def table_3(bench: Bench) -> list[Table | Figure]:
    """The void score of each network that has one, beside MSP, which needs none; public ones against time."""
    trains, scores = bench.job.profile.trains, {"scores": ("void", "msp")}
    wanted = {model: (model, "void") for model in (("enet", "erfnet", "bisenetv2") if trains else SIZED)}
    if trains:
        return _one_run_each(bench, 3, "Table 3: void classification", wanted, **scores)
    found = _one_run_each(bench, 3, "Table 3: the background output of ESPNetv2", wanted, **scores)
    return [part for table in found for part in (of_background(table), accuracy_and_time(bench, table.frame))]


def of_background(table: Table) -> Table:
    """Return a table of void scores under the name that others gave to what they trained."""
    printed = tables.paper_table(table.frame)
    rows, miou = (
        {label.replace("Void", "background output"): found for label, found in by_label.items()}
        for by_label in (printed.rows, printed.miou)
    )
    return replace(table, printed=replace(printed, rows=rows, miou=miou))


def table_4(bench: Bench) -> list[Table | Figure]:
    """Six combined losses: all runs of this machine beside cross-entropy, or what is shipped."""
    runs = _comparable(bench, trained_here(bench.job.profile, "erfnet", (BASELINE, *COMBINED)))
    if not runs:
        wanted = {training: ("erfnet", training) for training in COMBINED}
        found = _one_run_each(bench, 4, "Table 4: combined losses, one run each", wanted)
        return [*found, *_over_seeds(bench, found), *future_work(bench)]
    measured = [bench.result(one, f"table4_{one.name}", bench.job.settings(one.loaded[1])) for one in runs]
    frame = evaluation.compare(measured, BASELINE)
    here = Table("table4", "Table 4: combined losses, all runs on this machine", frame, _printed(frame, 4))
    return [here, *_over_seeds(bench, []), *future_work(bench)]


def _comparable(bench: Bench, runs: list[Checkpoint]) -> list[Checkpoint]:
    """Return the runs that took as many epochs at the same size as a baseline; none if no other did."""
    baselines = [one for one in runs if one.loaded[1].training == BASELINE]
    if not baselines:
        return []
    lengths = {}
    for one in runs:
        metadata = one.loaded[1]
        lengths[one] = f"{metadata.epochs} epochs at {metadata.size[0]} x {metadata.size[1]}"
    wanted = lengths[baselines[0]]
    found = [one for one in runs if lengths[one] == wanted]
    if all(one.loaded[1].training == BASELINE for one in found):
        return []
    for one in set(runs) - set(found):
        what = f"table 4, {one.loaded[1].training}, seed {one.loaded[1].seed}"
        bench.miss(what, f"trained {lengths[one]}, not comparable with {wanted} of the baseline")
    return found


def _one_run_each(
    bench: Bench, number: int, title: str, wanted: dict[str, tuple[str, str]], **chosen: object
) -> list[Table]:
    """Return a table of one checkpoint each, of (network, training); marks compare scores, not trainings."""
    frames = []
    for name, (model, training) in wanted.items():
        try:
            checkpoint = find_checkpoint(bench.job.profile, model, training)
        except ValueError as error:
            bench.miss(f"table {number}, {name}", error)
            continue
        settings = bench.job.settings(checkpoint.loaded[1], **chosen)
        result = bench.result(checkpoint, f"table{number}_{name}", settings)
        frames.append(evaluation.against_score(result))
    if not frames:
        return []
    frame = pd.concat(frames, ignore_index=True)
    return [Table(f"table{number}", title, frame, _printed(frame, number))]


def _over_seeds(bench: Bench, here: list[Table]) -> list[Table]:
    """Return the shipped comparison over images and seeds; it is of the right protocol only."""
    if bench.job.protocol != "benchmark":
        return []
    try:
        frame = tables.measured(bench.job.profile.name, "losses.summary")
    except FileNotFoundError as error:
        bench.miss("table 4, over seeds", error)
        return []
    again = ", not measured here"
    shipped = tables.measured(bench.job.profile.name, "losses")
    key = ["training", "seed", "epochs", "weights", "benchmark", "score"]
    both = pd.concat([table.frame for table in here]).merge(shipped, on=key) if here else shipped[:0]
    if len(both):
        mine, theirs = (both[[f"auprc_{side}", f"fpr95_{side}"]].to_numpy() for side in "xy")
        off = abs(mine - theirs).max()
        again = f"; {2 * len(both)} of its numbers, measured again here, are off by {off:.2f} points at most"
    printed = _printed(frame, 4)
    caption = f"Measured by the maintainers of this course and shipped{again}. {printed.caption}"
    title = "Table 4: combined losses beside cross-entropy of as many epochs"
    return [Table("table4_seeds", title, frame, replace(printed, caption=caption))]


def _printed(frame: pd.DataFrame, number: int) -> tables.PaperTable:
    """Arrange a table as the paper does, with the paper's rows where all its images are here."""
    return tables.with_published(tables.paper_table(frame), frame, number)


TABLES = {1: table_1, 2: table_2, 3: table_3, 4: table_4}
"""Each raises a ValueError if nothing of it can be made."""
