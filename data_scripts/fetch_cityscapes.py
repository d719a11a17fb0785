"""Fetch Cityscapes (11.9 GB) with its own downloader and your account, check and unpack it."""

import sys

from course_tools.commands.fetch import script

if __name__ == "__main__":
    sys.exit(script("cityscapes", __doc__))
