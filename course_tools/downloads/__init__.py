"""Fetch data sets and weights that other people publish; what to fetch is in ``sources.toml``."""

from course_tools.downloads.fetch import Options, fetch, is_expected
from course_tools.downloads.program import program
from course_tools.downloads.records import Record
from course_tools.downloads.sources import RemoteFile, Source, find_source, sources
from course_tools.downloads.transfer import RetryPolicy

__all__ = [
    "Options",
    "Record",
    "RemoteFile",
    "RetryPolicy",
    "Source",
    "fetch",
    "find_source",
    "is_expected",
    "program",
    "sources",
]
