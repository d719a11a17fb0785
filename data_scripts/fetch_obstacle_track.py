"""Download SegmentMeIfYouCan's ObstacleTrack, the official RoadObstacle21 (198 MB), and check it."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("obstacle_track", __doc__)


if __name__ == "__main__":
    sys.exit(main())
