"""Download ENet's public Cityscapes weights (1.7 MB, MIT) and check them."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("enet_weights", __doc__))
