"""Fetch data sets and weights that other people publish; what to fetch is in ``sources.toml``."""

from course_lib.fetching.fetch import Options, fetch, is_expected
from course_lib.fetching.program import program
from course_lib.fetching.records import Record
from course_lib.fetching.sources import RemoteFile, Source, find_source, sources
from course_lib.fetching.transfer import Patience

__all__ = [
    "Options",
    "Patience",
    "Record",
    "RemoteFile",
    "Source",
    "fetch",
    "find_source",
    "is_expected",
    "program",
    "sources",
]
