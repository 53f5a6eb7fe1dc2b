"""How the process' memory is asked for."""

from __future__ import annotations

import ctypes

# Of glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
# What glibc begins with.
_LARGE = 128 * 1024


def give_back_large_blocks() -> None:
    """Have each large block be a mapping of its own for good, which goes back to the system when it is freed.

    glibc begins so, but as soon as a larger one was freed it takes all up to that size, 32 MB at the most, from heaps;
    and these, with small blocks that stay between, do not shrink again. Where memory is not glibc's nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
