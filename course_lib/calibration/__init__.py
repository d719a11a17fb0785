"""Temperature and reliability: whether probabilities mean what they say."""

from course_lib.calibration.reliability import (
    BINS,
    Calibration,
    Reliability,
    expected_calibration_error,
    measure_calibration,
)
from course_lib.calibration.temperature import (
    GRID,
    PIXELS,
    FittedTemperature,
    fit_temperature,
    known_pixels,
    oracle,
    read_temperature,
    sample_pixels,
    temperature_file,
    write_temperature,
)
