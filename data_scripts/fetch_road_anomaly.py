"""Download RoadAnomaly (60 images, 24 MB, research use) and check the archive."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "road_anomaly", *sys.argv[1:]]))
