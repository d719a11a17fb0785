"""Grids of training runs: read from a file, shared among processes, never lost, in one table."""

from course_tools.sweeps.grid import Planned, Sweep, read_sweep
from course_tools.sweeps.work import Lost, Outcome, benchmarks_of, finished, run_all, work_on, write_tables
