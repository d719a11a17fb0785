"""Download ENet's public Cityscapes weights (1.7 MB, MIT) and check them."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("enet_weights", __doc__)


if __name__ == "__main__":
    sys.exit(main())
