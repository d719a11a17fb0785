"""Download Fishyscapes Lost & Found: 100 masks, and 5.8 GB of images, of which it keeps what is needed."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("fishyscapes_lost_and_found", __doc__)


if __name__ == "__main__":
    sys.exit(main())
