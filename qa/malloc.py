"""Tune glibc's allocator; with any other allocator these functions do nothing."""

from __future__ import annotations

import ctypes

# From <malloc.h>.
_M_MMAP_THRESHOLD = -3
# glibc's initial threshold.
_LARGE_BYTES = 128 * 1024


def use_mmap_for_large_blocks() -> None:
    """Allocate every large block with mmap, so that freeing it returns its memory to the system.

    glibc starts this way, but raises its threshold to the size of each larger block that is freed, up to 32 MB. Blocks
    below the threshold come from heaps, which do not shrink again while small blocks remain in them. Call this only in
    a process that spanlight controls, such as the server.
    """
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGE_BYTES)


def trim_heap() -> None:
    """Return freed heap memory to the system, including free pages between blocks in use."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
