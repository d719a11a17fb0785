"""Run the cases of an exercise, say what is wrong, and turn them into points."""

from course_lib.exercises.check import Check

__all__ = ["Check"]
