"""Explorers: a plain function that draws, and controls that a hand or the keyboard moves."""

from course_lib.lesson.widgets.explorer import (
    Explorer,
    View,
    calibration_explorer,
    loss_explorer,
    protocol_explorer,
    score_explorer,
)
from course_lib.lesson.widgets.photograph import own_photograph
