"""Fetch Cityscapes (11.9 GB) with its own downloader and your account, check and unpack it."""

import sys

from course_tools.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["fetch", "cityscapes", *sys.argv[1:]]))
