"""Download CamVid (11 classes, about 200 MB by our estimate) and check its training and validation images."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("camvid", __doc__)


if __name__ == "__main__":
    sys.exit(main())
