"""The paper's four figures from checkpoints and from this machine; and figures beyond the paper."""

from collections.abc import Iterator

import pandas as pd
from tqdm.auto import tqdm

from course_lib import evaluation, models, profiling, runtime
from course_lib.lesson import figures, tables
from course_tools.reproduce.bench import LIGHT, Bench, Checkpoint, find_checkpoint
from course_tools.reproduce.results import Figure

SHOWN = "eiml_fl"
"""The training that the paper's figures show."""

SECONDS = 2.0
"""For which each time is measured again and again."""


def figure_1(bench: Bench) -> list[Figure]:
    """What the network takes validation images for, and its scores on images with anomalies."""
    profile = bench.job.profile
    checkpoint = find_checkpoint(profile, profile.network, SHOWN if profile.trains else "ce")
    network, metadata = checkpoint.loaded
    settings = bench.job.settings(metadata)
    name = f"{checkpoint.title}, EIML + FL" if profile.trains else checkpoint.title
    title = f"Figure 1: scores of {name}"
    found = [
        one._replace(name=f"{images.name}\nimage {one.name}")
        for images in bench.benchmarks[:3]
        for one in evaluation.examples(network, images, settings, 1)
    ]
    if not found:
        raise ValueError("no image with an anomaly is here")
    drawn = figures.score_panels(found, f"{name}, protocol {bench.job.protocol}")
    made = [Figure("figure1", title, drawn, may_be_published=False)]
    if bench.validation is not None:
        some = [bench.validation[i] for i in range(0, len(bench.validation), len(bench.validation) // 2 or 1)]
        segmented = list(evaluation.segmented(network, some[:2], settings, progress=False))
        panels = figures.segmentation_panels(segmented, f"{name}, validation images")
        title = "Figure 1: segmentation of known classes"
        made.append(Figure("figure1_segmentation", title, panels, may_be_published=False))
    return made


def figure_2(bench: Bench) -> list[Figure]:
    """Loss and mean IoU over the epochs of a run of this machine, else of the shipped one."""
    name = bench.job.profile.name
    log = models.run_folder(name, "erfnet", SHOWN, seed=0) / "log.csv"
    whose = "a run on this machine" if log.is_file() else "the shipped run"
    try:
        frame = pd.read_csv(log) if log.is_file() else tables.measured(name, f"{SHOWN}.log")
    except FileNotFoundError as error:
        raise ValueError(str(error)) from None
    drawn = figures.learning_curves(frame.to_dict("records"), f"ERFNet, EIML + FL, {whose}")
    return [Figure("figure2", "Figure 2: loss and mean IoU during training", drawn, frame)]


def figure_3(bench: Bench) -> list[Figure]:
    """Time of an image and of a training step: the paper's networks and lesson 7's, with two heads."""
    frame, title = _costs(bench)
    drawn = figures.time_bars(frame, title)
    return [Figure("figure3", "Figure 3: time on this machine", drawn, frame)]


def figure_4(bench: Bench) -> list[Figure]:
    """Memory of the same."""
    frame, title = _costs(bench)
    if frame["peak_megabytes"].isna().all():
        raise ValueError(f"torch does not say how much memory it holds on {bench.job.device}")
    drawn = figures.memory_bars(frame, title)
    return [Figure("figure4", "Figure 4: memory on this machine", drawn, frame)]


def _costs(bench: Bench) -> tuple[pd.DataFrame, str]:
    """Measure all networks, and say at which size and where."""
    size, device = bench.job.profile.numbers(bench.job.device).size, bench.job.device
    about = [size, runtime.hardware(device)]
    found = bench.store.kept("costs", about, lambda: list(_cost_rows(bench)))
    return profiling.profile_table(found), f"{size[0]} x {size[1]}, {device}"


def _cost_rows(bench: Bench) -> Iterator[dict]:
    """Yield a row for each network with each head; random weights do, time and memory are the same."""
    size = bench.job.profile.numbers(bench.job.device).size
    names = (*models.PAPER_NETWORKS, LIGHT)
    pairs = [(model, head) for model in names for head in models.HEADS]
    for model, head in tqdm(pairs, desc="time and memory", unit="network"):
        network = models.build(model, head=head).to(bench.job.device).eval()
        subject = profiling.Subject(model, network)
        row = profiling.profile(subject, size, seconds=SECONDS)
        yield row | profiling.profile_training(subject, size, seconds=SECONDS)


def each_image(bench: Bench, checkpoint: Checkpoint, settings: evaluation.Settings) -> Figure:
    """Return the metrics of every image, drawn as dots."""

    def rows(network, images, settings) -> list[dict]:
        found = evaluation.per_image(network, images, settings)
        found.insert(0, "benchmark", images.name)
        return found.to_dict("records")

    frame = pd.DataFrame(bench.by_benchmark("images", checkpoint, settings, rows))
    title = f"Beyond the paper: every image by itself, {checkpoint.title} of Table 1"
    return Figure("each_image", title, figures.image_dots(frame, "AuPRC of every image by itself"), frame)


def accuracy_and_time(bench: Bench, frame: pd.DataFrame) -> Figure:
    """Return what MSP of some networks reaches against what an image costs on this machine.

    Args:
        bench: of the job.
        frame: a table with a row for each network and benchmark.
    """
    size, device = bench.job.profile.numbers(bench.job.device).size, bench.job.device

    def make() -> list[dict]:
        built = {name: models.build(name).to(device) for name in names}
        shown = tqdm(built.items(), desc="time", unit="network")
        return [profiling.profile(profiling.Subject(*one), size, seconds=SECONDS) for one in shown]

    names = list(frame["model"].unique())
    about = [size, runtime.hardware(device), names]
    costs = pd.DataFrame(bench.store.kept("times", about, make)).set_index("model")
    of_msp = frame[frame["score"] == "msp"]
    found = of_msp.pivot(index="model", columns="benchmark", values="auprc")[of_msp["benchmark"].unique()]
    gains = {name: f"AuPRC in %\n{name}" for name in found}
    if of_msp["miou"].notna().all():
        found["miou"], gains = of_msp.groupby("model")["miou"].first(), {"miou": "mean IoU in %"} | gains
    found = costs[["million_parameters", "giga_macs", "milliseconds"]].join(found).reset_index()
    named = found.assign(name=found["model"].map(models.TITLES))
    label = f"milliseconds at {size[0]} x {size[1]}"
    drawn = figures.pareto(named, "milliseconds", gains, label)
    return Figure("accuracy_and_time", f"Accuracy of MSP against time, {device}", drawn, found)


def future_work(bench: Bench) -> list[Figure]:
    """Return the shipped measurements of what the paper leaves for later; none for other profiles."""
    profile = bench.job.profile.name
    if bench.job.protocol != "benchmark" or not tables.is_measured(profile, "term_weights"):
        return []
    weights, summary = (tables.measured(profile, f"term_weights{part}") for part in ("", ".summary"))
    temperatures = tables.measured(profile, "eiml_fl.temperatures")
    drawn = figures.term_weights(weights, summary, "max_logit")
    title = "Beyond the paper: weights of the loss terms, EIML : focal loss (shipped)"
    made = [Figure("term_weights", title, drawn, summary)]
    drawn = figures.temperature_curves(temperatures[temperatures["score"] == "msp"])
    title = "Beyond the paper: temperatures of EIML + FL (shipped)"
    return [*made, Figure("temperatures", title, drawn, temperatures)]


FIGURES = {1: figure_1, 2: figure_2, 3: figure_3, 4: figure_4}
"""Each raises a ValueError if nothing of it can be made."""
