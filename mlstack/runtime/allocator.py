"""Lets a server's memory shrink again after a burst.

glibc serves blocks of up to 32 MiB from its heaps once blocks of that size were freed, and a heap only
shrinks at its end. With a fixed threshold each large block is a mapping of its own, which is returned when it
is freed.
"""

from __future__ import annotations

import ctypes

# malloc.h; Python does not name them
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 64 << 10  # bytes
_SPARE = 1 << 20  # bytes that may stay at a heap's end
_HEAPS = 2


def return_memory() -> None:
    """Set it for this process; another C library than glibc has its own way."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE)
        set_option(_M_TRIM_THRESHOLD, _SPARE)
        set_option(_M_ARENA_MAX, _HEAPS)
