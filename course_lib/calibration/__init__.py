"""Temperature and reliability: whether probabilities mean what they say."""

from course_lib.calibration.files import read_temperature, temperature_file, write_temperature
from course_lib.calibration.measure import measure_calibration
from course_lib.calibration.reliability import BINS, Calibration, Reliability
from course_lib.calibration.temperature import (
    PIXELS,
    FittedTemperature,
    fit_temperature,
    known_pixels,
    sample_pixels,
)

__all__ = [
    "BINS",
    "PIXELS",
    "Calibration",
    "FittedTemperature",
    "Reliability",
    "fit_temperature",
    "known_pixels",
    "measure_calibration",
    "read_temperature",
    "sample_pixels",
    "temperature_file",
    "write_temperature",
]
