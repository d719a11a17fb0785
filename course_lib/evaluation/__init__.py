"""A network with its scores, or a detector, and benchmarks to one tidy table.

Read ``loop`` first. It takes what is in ``settings``, ``protocols`` and ``controls``, and gives a ``table``;
``images`` builds on the loop, ``comparison`` on the table.
"""

from course_lib.evaluation.comparison import (
    MARKS,
    NetworkResult,
    against_score,
    against_temperature,
    check_comparable,
    compare,
    network_result,
    verdict,
    verdict_of,
)
from course_lib.evaluation.controls import Controls, colour_scores
from course_lib.evaluation.images import (
    Scored,
    Segmented,
    component_rows,
    confusion,
    examples,
    mean_score_maps,
    per_image,
    score_maps,
    scored_images,
    scored_photograph,
    segmented,
)
from course_lib.evaluation.loop import Scorer, accelerated, evaluate, measure, ready
from course_lib.evaluation.protocols import (
    DEVIATIONS,
    PROTOCOLS,
    Protocol,
    find_protocol,
    to_size_of,
    with_fix,
)
from course_lib.evaluation.settings import FEWEST_RESAMPLES, Settings
from course_lib.evaluation.table import (
    CHANCE_FPR95,
    COLUMNS,
    NEARLY_CONSTANT,
    as_text,
    read_table,
    rounded_down,
    row_of,
    table,
)
