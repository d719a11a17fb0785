"""Results as figures with alternative texts. Every function returns the figure and never shows it."""

from course_lib.lesson.figures.anomalies import anomaly_examples, predicted_classes, show_scores
from course_lib.lesson.figures.bars import class_iou, class_shares
from course_lib.lesson.figures.comparison import trade_off, training_dots
from course_lib.lesson.figures.costs import network_costs
from course_lib.lesson.figures.curves import chance_levels, ranked_pixels, ranking_curves, score_densities
from course_lib.lesson.figures.detections import detection_panels
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.grades import hard_cases, points_map
from course_lib.lesson.figures.image_dots import image_dots
from course_lib.lesson.figures.layer_shapes import layer_shapes
from course_lib.lesson.figures.losses import focal_against_probability, loss_against_length
from course_lib.lesson.figures.plane import plane_score, plane_scores
from course_lib.lesson.figures.protocols import protocol_panels
from course_lib.lesson.figures.reliability import reliability_diagram, reliability_diagrams
from course_lib.lesson.figures.result_audit import interval_widths, mending_steps, printed_beside_shares
from course_lib.lesson.figures.samples import labelled_scenes, void_alone
from course_lib.lesson.figures.score_maps import score_panels
from course_lib.lesson.figures.segmentation import segmentation_panels
from course_lib.lesson.figures.speed import (
    layer_times,
    memory_bars,
    pareto,
    rooflines,
    speed_and_error,
    time_bars,
)
from course_lib.lesson.figures.temperature import (
    likelihood_curve,
    msp_of_pixels,
    softened,
    temperature_curves,
)
from course_lib.lesson.figures.term_weights import term_weights
from course_lib.lesson.figures.training import learning_curves

__all__ = [
    "DescribedFigure",
    "anomaly_examples",
    "chance_levels",
    "class_iou",
    "class_shares",
    "detection_panels",
    "focal_against_probability",
    "hard_cases",
    "image_dots",
    "interval_widths",
    "labelled_scenes",
    "layer_shapes",
    "layer_times",
    "learning_curves",
    "likelihood_curve",
    "loss_against_length",
    "memory_bars",
    "mending_steps",
    "msp_of_pixels",
    "network_costs",
    "pareto",
    "plane_score",
    "plane_scores",
    "points_map",
    "predicted_classes",
    "printed_beside_shares",
    "protocol_panels",
    "ranked_pixels",
    "ranking_curves",
    "reliability_diagram",
    "reliability_diagrams",
    "rooflines",
    "score_densities",
    "score_panels",
    "segmentation_panels",
    "show_scores",
    "softened",
    "speed_and_error",
    "temperature_curves",
    "term_weights",
    "time_bars",
    "trade_off",
    "training_dots",
    "void_alone",
]
