"""Run the lessons headless, and write what they show as pages that need no network."""

from course_tools.pages.execution import Executed, execute, keep, kept, without_widgets
from course_tools.pages.site import SOURCE, build_site, index_page, obstacle, write_lesson_sources

__all__ = [
    "SOURCE",
    "Executed",
    "build_site",
    "execute",
    "index_page",
    "keep",
    "kept",
    "obstacle",
    "without_widgets",
    "write_lesson_sources",
]
