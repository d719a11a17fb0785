"""Fetch data sets and weights that other people publish; what to fetch is in ``sources.toml``."""

from course_tools.downloads.fetch import disk_free, disk_needed, fetch, is_expected, tree_digest
from course_tools.downloads.sources import DOWNLOADS, Record, RemoteFile, Source, find_source, sources
from course_tools.downloads.transfer import RetryPolicy

__all__ = [
    "DOWNLOADS",
    "Record",
    "RemoteFile",
    "RetryPolicy",
    "Source",
    "disk_free",
    "disk_needed",
    "fetch",
    "find_source",
    "is_expected",
    "sources",
    "tree_digest",
]
