"""Download RoadAnomaly (60 images, 24 MB, research use) and check the archive."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("road_anomaly", __doc__))
