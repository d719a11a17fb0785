"""What a network costs: parameters, multiply-adds, time, memory, power, and where they go."""

from course_lib.profiling.layers import Ceilings, measure_ceilings, profile_layers, roofline
from course_lib.profiling.measure import (
    Cost,
    Latency,
    PeakMemory,
    cost,
    count_parameters,
    example_images,
    forward_latency,
    latency,
    multiply_adds,
    paired_speedup,
    peak_of,
    saved_bytes,
    training_step,
    watts,
)
from course_lib.profiling.table import PROFILE_COLUMNS, Subject, profile, profile_table, profile_training

__all__ = [
    "PROFILE_COLUMNS",
    "Ceilings",
    "Cost",
    "Latency",
    "PeakMemory",
    "Subject",
    "cost",
    "count_parameters",
    "example_images",
    "forward_latency",
    "latency",
    "measure_ceilings",
    "multiply_adds",
    "paired_speedup",
    "peak_of",
    "profile",
    "profile_layers",
    "profile_table",
    "profile_training",
    "roofline",
    "saved_bytes",
    "training_step",
    "watts",
]
