"""Download SegmentMeIfYouCan's ObstacleTrack, the official RoadObstacle21 (198 MB), and check it."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "obstacle_track", *sys.argv[1:]]))
