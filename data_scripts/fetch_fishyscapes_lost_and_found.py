"""Download Fishyscapes Lost & Found: 100 masks, and 5.8 GB of images, of which it keeps what is needed."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("fishyscapes_lost_and_found", __doc__))
