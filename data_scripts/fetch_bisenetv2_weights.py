"""Download BiSeNetV2's public Cityscapes weights (MIT); nobody published a digest of them."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("bisenetv2_weights", __doc__))
