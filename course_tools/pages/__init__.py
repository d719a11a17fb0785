"""Run the lessons headless, and write what they show as pages that need no network."""

from course_tools.pages.execution import Executed, execute
from course_tools.pages.pages import index_page, lesson_page
from course_tools.pages.run_cache import keep, kept
from course_tools.pages.site import build_site, write_lesson_sources
from course_tools.pages.static_output import without_widgets

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
