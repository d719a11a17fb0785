"""Download ERFNet's public Cityscapes weights (8 MB, non-commercial) and check them."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "erfnet_weights", *sys.argv[1:]]))
