"""Run the cases of an exercise, say what is wrong, and turn them into points."""

from course_lib.lesson.checks.check import Check, SimulatedDevice
from course_lib.lesson.checks.gradients import gradients
from course_lib.lesson.checks.progress import LessonProgress, Progress, progress
