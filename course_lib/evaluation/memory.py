"""Memory that one image needed is kept for the next."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of settings in the GNU C library's malloc.h."""

LARGEST_BLOCK, KEPT = 32 << 20, 1 << 30
"""Bytes: the largest block that the library can keep, and how many free ones it may."""


def reuse_memory() -> bool:
    """Let this process keep memory that it freed, for the next image; return whether the system can.

    By default the GNU C library gives large blocks back at once, and the system hands them out again page by
    page, each filled with zeros: half of the time of a small network on a CPU.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK) and library.mallopt(M_TRIM_THRESHOLD, KEPT))
