"""Metrics of anomaly scores (larger is more anomalous) and of segmentation; all are fractions."""

from course_lib.metrics.bootstrap import Intervals, Resampled, intervals_of, percentile_interval
from course_lib.metrics.curve import FPR_CONVENTIONS
from course_lib.metrics.exact import auroc, average_precision, exact_curve, fpr_at_tpr
from course_lib.metrics.packing import packed, unpacked
from course_lib.metrics.segmentation import Confusion
from course_lib.metrics.shares import CHANCE_FPR95, chance, class_share, prevalence
from course_lib.metrics.streaming import EXACT_PIXELS, AnomalyMetrics, StreamingMetrics
from course_lib.metrics.threshold import Detections, detections

__all__ = [
    "CHANCE_FPR95",
    "EXACT_PIXELS",
    "FPR_CONVENTIONS",
    "AnomalyMetrics",
    "Confusion",
    "Detections",
    "Intervals",
    "Resampled",
    "StreamingMetrics",
    "auroc",
    "average_precision",
    "chance",
    "class_share",
    "detections",
    "exact_curve",
    "fpr_at_tpr",
    "intervals_of",
    "packed",
    "percentile_interval",
    "prevalence",
    "unpacked",
]
