"""Fetch data sets and weights that other people publish; what to fetch is in ``sources.toml``."""

from course_tools.downloads.fetch import disk_free, disk_needed, fetch, is_expected, tree_digest
from course_tools.downloads.sources import DOWNLOADS, Record, RemoteFile, Source, find_source, sources
from course_tools.downloads.transfer import RetryPolicy
