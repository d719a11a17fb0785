"""Download SegmentMeIfYouCan's AnomalyTrack, the official RoadAnomaly21 (50 MB), and check the archive."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "anomaly_track", *sys.argv[1:]]))
