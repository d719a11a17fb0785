"""Download SegmentMeIfYouCan's ObstacleTrack, the official RoadObstacle21 (198 MB), and check it."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("obstacle_track", __doc__))
