"""Download CamVid (11 classes, about 200 MB by our estimate) and check its training and validation images."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "camvid", *sys.argv[1:]]))
