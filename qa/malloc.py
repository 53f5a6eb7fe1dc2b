"""What is asked of glibc's allocator; where memory is not glibc's, nothing is done."""

from __future__ import annotations

import ctypes

# Of malloc.h.
_M_MMAP_THRESHOLD = -3
# What glibc begins with.
_LARGE = 128 * 1024


def use_mmap_for_large_blocks() -> None:
    """Have each large block be a mapping of its own for good, which goes back to the system when it is freed.

    glibc begins so, but as soon as a larger one was freed it takes all up to that size, 32 MB at the most, from heaps;
    and these, with small blocks that stay between, do not shrink again. For a process that is this system's own.
    """
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGE)


def trim_heap() -> None:
    """Give back to the system what was freed in between what is used."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
