"""Temperature and reliability: whether probabilities mean what they say."""

from course_lib.calibration.files import read_temperature, temperature_file, write_temperature
from course_lib.calibration.measure import measure_calibration
from course_lib.calibration.oracle import GRID, oracle
from course_lib.calibration.reliability import BINS, Calibration, Reliability, expected_calibration_error
from course_lib.calibration.temperature import (
    PIXELS,
    FittedTemperature,
    fit_temperature,
    known_pixels,
    sample_pixels,
)

__all__ = [
    "BINS",
    "GRID",
    "PIXELS",
    "Calibration",
    "FittedTemperature",
    "Reliability",
    "expected_calibration_error",
    "fit_temperature",
    "known_pixels",
    "measure_calibration",
    "oracle",
    "read_temperature",
    "sample_pixels",
    "temperature_file",
    "write_temperature",
]
