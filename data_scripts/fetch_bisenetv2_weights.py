"""Download BiSeNetV2's public Cityscapes weights (MIT); nobody published a digest of them."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "bisenetv2_weights", *sys.argv[1:]]))
