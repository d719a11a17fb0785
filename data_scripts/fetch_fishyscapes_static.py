"""Download what is public of Fishyscapes' validation overlays (4 MB), and lay them over Cityscapes val."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("fishyscapes_static", __doc__))
