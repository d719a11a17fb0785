"""Download what is public of Fishyscapes' validation overlays (4 MB), and lay them over Cityscapes val."""

import sys

from course_lib.data import lay_over_cityscapes
from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("fishyscapes_static", __doc__, lay_over_cityscapes)


if __name__ == "__main__":
    sys.exit(main())
