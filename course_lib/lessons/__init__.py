"""Run the lessons headless, and write what they show as pages that need no network."""

from course_lib.lessons.execution import Executed, execute
from course_lib.lessons.kept import keep, kept
from course_lib.lessons.pages import index_page, lesson_page
from course_lib.lessons.site import build_site, write_lesson_sources
from course_lib.lessons.still import without_widgets

__all__ = [
    "Executed",
    "build_site",
    "execute",
    "index_page",
    "keep",
    "kept",
    "lesson_page",
    "without_widgets",
    "write_lesson_sources",
]
