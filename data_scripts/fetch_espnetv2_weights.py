"""Download ESPNetv2's public Cityscapes weights (four sizes, 7 MB, MIT) and check them."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "espnetv2_weights", *sys.argv[1:]]))
