"""Metrics of anomaly scores (larger is more anomalous) and of segmentation; all are fractions."""

from course_lib.metrics.bootstrap import (
    ImageCounts,
    Intervals,
    Resampled,
    interval_in_pairs,
    interval_widths,
    intervals_of,
    percentile_interval,
)
from course_lib.metrics.components import (
    ANOMALY_TRACK,
    OBSTACLE_TRACK,
    ComponentMetrics,
    Components,
    Sizes,
    combine,
    components,
)
from course_lib.metrics.exact import (
    CHANCE_FPR95,
    FPR_CONVENTIONS,
    Curve,
    Detections,
    auroc,
    average_precision,
    chance,
    class_share,
    detections,
    exact_curve,
    fpr_at_tpr,
    pooled_prevalence,
    prevalence,
    threshold_at_fpr,
)
from course_lib.metrics.segmentation import Confusion
from course_lib.metrics.streaming import EXACT_PIXELS, AnomalyMetrics, StreamingMetrics
