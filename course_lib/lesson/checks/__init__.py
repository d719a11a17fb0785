"""Run the cases of an exercise, say what is wrong, and turn them into points."""

from course_lib.lesson.checks.check import Check
from course_lib.lesson.checks.device import SimulatedDevice
from course_lib.lesson.checks.progress import LessonProgress, Progress, progress

__all__ = ["Check", "LessonProgress", "Progress", "SimulatedDevice", "progress"]
