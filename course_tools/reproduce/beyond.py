"""What the paper does not show: objects instead of pixels, every image by itself, and its future work."""

import pandas as pd

from course_lib.evaluation import Settings
from course_lib.lesson import figures, tables
from course_lib.lesson.tables.paper import score_label
from course_tools.reproduce.measuring import Bench
from course_tools.reproduce.networks import Checkpoint
from course_tools.reproduce.results import Figure, Table

METRICS = {"siou": "sIoU ↑", "ppv": "PPV ↑", "f1": "F1 ↑"}

CAPTION = (
    "All numbers are percent; objects are connected pixels. sIoU: of the true objects, the mean adjusted IoU "
    "with what is flagged. PPV: of the flagged objects, the mean share that is anomalous. F1 counts objects "
    "as found or made up, mean over 11 thresholds of both. Pixels are flagged from the threshold with the "
    "best pixel F1 on, chosen on the very images, as SegmentMeIfYouCan does; one chosen beforehand gives "
    "less."
)


def objects(bench: Bench, checkpoint: Checkpoint, settings: Settings) -> Table:
    """Return the component metrics of a network in the shape of the other tables."""
    frame = pd.DataFrame(bench.objects(checkpoint, settings))
    benchmarks = tuple(frame["benchmark"].unique())
    rows = {}
    for (score, temperature), found in frame.groupby(["score", "temperature"], sort=False):
        by_name = found.set_index("benchmark")
        rows[score_label(score, temperature)] = [
            tables.Cell(by_name.loc[name, metric]) for name in benchmarks for metric in METRICS
        ]
    printed = tables.PaperTable(benchmarks, rows, CAPTION, metrics=tuple(METRICS.values()))
    return Table("objects", "Beyond the paper: objects, ERFNet of Table 1", frame, printed)


def each_image(bench: Bench, checkpoint: Checkpoint, settings: Settings) -> Figure:
    """Return the metrics of every image, drawn as dots."""
    frame = pd.DataFrame(bench.each_image(checkpoint, settings))
    title = "Beyond the paper: every image by itself, ERFNet of Table 1"
    return Figure("each_image", title, figures.image_dots(frame, "AuPRC of every image by itself"), frame)


def future_work(bench: Bench) -> list[Figure]:
    """Return the shipped measurements of what the paper leaves for later; none for other profiles."""
    profile = bench.job.profile.name
    if bench.job.protocol != "benchmark" or not tables.is_measured(profile, "term_weights"):
        return []
    weights, summary = (tables.measured(profile, f"term_weights{part}") for part in ("", ".summary"))
    temperatures = tables.measured(profile, "eiml_fl.temperatures")
    return [
        Figure(
            "term_weights",
            "Beyond the paper: weights of the loss terms, EIML : focal loss (shipped)",
            figures.term_weights(weights, summary, "max_logit"),
            summary,
        ),
        Figure(
            "temperatures",
            "Beyond the paper: temperatures of EIML + FL (shipped)",
            figures.temperature_curves(temperatures[temperatures["score"] == "msp"]),
            temperatures,
        ),
    ]
