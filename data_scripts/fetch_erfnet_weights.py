"""Download ERFNet's public Cityscapes weights (8 MB, non-commercial) and check them."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("erfnet_weights", __doc__))
