"""Download ERFNet's public Cityscapes weights (8 MB, non-commercial) and check them."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("erfnet_weights", __doc__)


if __name__ == "__main__":
    sys.exit(main())
