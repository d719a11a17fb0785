"""Fetch Cityscapes (11.9 GB) with its own downloader and your account, check and unpack it."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("cityscapes", __doc__)


if __name__ == "__main__":
    sys.exit(main())
