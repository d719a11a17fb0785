"""Download BiSeNetV2's public Cityscapes weights (MIT); nobody published a digest of them."""

import sys

from course_tools.downloads import program


def main() -> int:
    """Fetch what is missing; return the exit status."""
    return program("bisenetv2_weights", __doc__)


if __name__ == "__main__":
    sys.exit(main())
