"""Download SegmentMeIfYouCan's AnomalyTrack, the official RoadAnomaly21 (50 MB), and check the archive."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("anomaly_track", __doc__))
