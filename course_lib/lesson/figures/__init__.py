"""Results as figures with alternative texts. Every function returns the figure and never shows it."""

from course_lib.lesson.figures.bars import bars, class_iou, class_shares, layer_shapes
from course_lib.lesson.figures.curves import (
    curves,
    ranked_pixels,
    ranking_curves,
    reliability_diagrams,
    temperature_curves,
)
from course_lib.lesson.figures.figure import ANOMALY, GREY, NORMAL, DescribedFigure
from course_lib.lesson.figures.grades import hard_cases
from course_lib.lesson.figures.images import (
    anomaly_examples,
    detection_panels,
    image_dots,
    labelled_scenes,
    predicted_classes,
    protocol_panels,
    score_panels,
    segmentation_panels,
    show_scores,
    void_places,
)
from course_lib.lesson.figures.intervals import interval_widths, paired_draws
from course_lib.lesson.figures.ladder import ladder
from course_lib.lesson.figures.speed import layer_times, memory_bars, pareto, rooflines, time_bars
from course_lib.lesson.figures.trainings import (
    differences,
    learning_curves,
    plane_scores,
    term_weights,
    trade_off,
    training_dots,
)
