"""Download SegmentMeIfYouCan's AnomalyTrack, the official RoadAnomaly21 (50 MB), and check the archive."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("anomaly_track", __doc__)


if __name__ == "__main__":
    sys.exit(main())
