"""The ladder of lesson 7: every step towards a detector, beside its control; read ``steps`` first."""

from course_tools.ladder.page import write_page
from course_tools.ladder.steps import (
    BASELINE,
    FINAL,
    RECIPES,
    SWEEPS,
    Weights,
    check_final,
    ladder,
    measure_all,
    of_each_seed,
    weights_here,
    with_hindsight,
)
