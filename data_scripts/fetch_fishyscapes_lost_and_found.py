"""Download Fishyscapes Lost & Found: 100 masks, and 5.8 GB of images, of which it keeps what is needed."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "fishyscapes_lost_and_found", *sys.argv[1:]]))
