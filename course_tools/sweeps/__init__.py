"""Grids of training runs: read from a file, shared among processes, never lost, in one table."""

from course_tools.sweeps.grid import Planned, Sweep, read_sweep
from course_tools.sweeps.measuring import check_data
from course_tools.sweeps.running import Lost, run_all
from course_tools.sweeps.tables import Tables, tables
from course_tools.sweeps.work import finished, work_on

__all__ = [
    "Lost",
    "Planned",
    "Sweep",
    "Tables",
    "check_data",
    "finished",
    "read_sweep",
    "run_all",
    "tables",
    "work_on",
]
