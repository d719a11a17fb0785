"""Download CamVid (11 classes, about 200 MB by our estimate) and check its training and validation images."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("camvid", __doc__))
