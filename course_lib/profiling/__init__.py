"""What a network costs: parameters, multiply-adds, time, memory, power, and where they go."""

from course_lib.profiling.cost import Cost, cost
from course_lib.profiling.counts import count_parameters, multiply_adds
from course_lib.profiling.layers import profile_layers
from course_lib.profiling.memory import PeakMemory, peak_of, saved_bytes
from course_lib.profiling.power import watts
from course_lib.profiling.roofline import Ceilings, measure_ceilings, roofline
from course_lib.profiling.table import PROFILE_COLUMNS, Subject, profile, profile_table, profile_training
from course_lib.profiling.timing import (
    Latency,
    example_images,
    forward_latency,
    latency,
    paired_speedup,
    training_step,
)

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
