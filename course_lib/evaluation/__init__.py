"""A network, scores and benchmarks to one tidy table."""

from course_lib.evaluation.anomaly import evaluate, examples, measure
from course_lib.evaluation.comparison import (
    NetworkResult,
    check_comparable,
    compare,
    measured,
    measured_of,
    measured_rows,
)
from course_lib.evaluation.components import component_rows
from course_lib.evaluation.controls import Controls, colour_scores
from course_lib.evaluation.paired import against_score, against_temperature
from course_lib.evaluation.per_image import per_image, scored_images
from course_lib.evaluation.protocols import (
    DEVIATIONS,
    PROTOCOLS,
    Protocol,
    ground_truth,
    network_input,
    to_size_of,
    with_fix,
)
from course_lib.evaluation.scoring import Scored, mean_score_maps, ready, score_maps
from course_lib.evaluation.segmentation import Segmented, confusion, segmented
from course_lib.evaluation.settings import FEWEST_RESAMPLES, Settings
from course_lib.evaluation.table import (
    CHANCE_FPR95,
    COLUMNS,
    NEARLY_CONSTANT,
    as_text,
    read_table,
    rounded_down,
    row,
    table,
)
from course_lib.evaluation.unfinished import SoFar, Unfinished, files_of, fingerprint

__all__ = [
    "CHANCE_FPR95",
    "COLUMNS",
    "DEVIATIONS",
    "FEWEST_RESAMPLES",
    "NEARLY_CONSTANT",
    "PROTOCOLS",
    "Controls",
    "NetworkResult",
    "Protocol",
    "Scored",
    "Segmented",
    "Settings",
    "SoFar",
    "Unfinished",
    "against_score",
    "against_temperature",
    "as_text",
    "check_comparable",
    "colour_scores",
    "compare",
    "component_rows",
    "confusion",
    "evaluate",
    "examples",
    "files_of",
    "fingerprint",
    "ground_truth",
    "mean_score_maps",
    "measure",
    "measured",
    "measured_of",
    "measured_rows",
    "network_input",
    "per_image",
    "read_table",
    "ready",
    "rounded_down",
    "row",
    "score_maps",
    "scored_images",
    "segmented",
    "table",
    "to_size_of",
    "with_fix",
]
