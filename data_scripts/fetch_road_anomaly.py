"""Download RoadAnomaly (60 images, 24 MB, research use) and check the archive."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("road_anomaly", __doc__)


if __name__ == "__main__":
    sys.exit(main())
