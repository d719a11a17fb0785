"""Run the lessons headless, and write what they show as pages that need no network."""

from course_lib.lessons.execution import Executed, execute, lesson_files
from course_lib.lessons.pages import index_page, lesson_page

__all__ = ["Executed", "execute", "index_page", "lesson_files", "lesson_page"]
