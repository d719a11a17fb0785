"""Download ENet's public Cityscapes weights (1.7 MB, MIT) and check them."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "enet_weights", *sys.argv[1:]]))
