"""What a network costs: parameters, multiply-adds, time, memory, power, and where they go."""

from course_lib.profiling.layers import Ceilings, measure_ceilings, profile_layers, roofline
from course_lib.profiling.measure import (
    PROFILE_COLUMNS,
    Cost,
    Latency,
    Load,
    PeakMemory,
    Subject,
    compare,
    cost,
    count_parameters,
    example_images,
    fewest_runs,
    forward_latency,
    in_a_row,
    in_turns,
    latency,
    load,
    multiply_adds,
    paired_speedup,
    peak_of,
    profile,
    profile_table,
    profile_training,
    saved_bytes,
    watts,
)
