"""Grids of training runs: read from a file, shared among processes, never lost, in one table."""

from course_tools.sweeps.grid import Planned, Sweep, read_sweep
from course_tools.sweeps.work import Lost, check_data, finished, run_all, tables, work_on

__all__ = [
    "Lost",
    "Planned",
    "Sweep",
    "check_data",
    "finished",
    "read_sweep",
    "run_all",
    "tables",
    "work_on",
]
