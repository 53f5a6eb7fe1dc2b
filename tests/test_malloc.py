"""What is asked of glibc's allocator, each in a process of its own."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the allocator is not glibc's, or an old one"
)

# Prints how many mappings of its own a block of a megabyte is, after a larger one was freed.
_LARGE = """
import ctypes
from qa.malloc import use_mmap_for_large_blocks

class Told(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", *"abcde")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Told
{first}
larger = bytearray(16_000_000)
del larger
before = libc.mallinfo2().hblks
block = bytearray(1_000_000)
print(libc.mallinfo2().hblks - before)
"""

# Prints how many of a hundred megabytes are given back that were freed between small blocks that stay.
_FREED = """
import os
from qa.malloc import trim_heap

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

blocks = [bytes(2_000) for _ in range(50_000)]
blocks = blocks[::100] + blocks[-1:]
before = resident()
trim_heap()
print(before - resident())
"""


@pytest.mark.parametrize(
    ("first", "mappings"),
    [
        ("", "0"),
        ("use_mmap_for_large_blocks()", "1"),
        ("from qa.service.server import application; made = application()", "1"),
    ],
    ids=["as it is", "kept apart", "in a server"],
)
def test_large_blocks_stay_mappings_of_their_own(
    first: str, mappings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_INDEX_DIR", str(tmp_path))
    assert _told(_LARGE.format(first=first)) == mappings


def test_what_was_freed_is_given_back() -> None:
    assert float(_told(_FREED)) > 50


def _told(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
