"""Test the allocator settings, each in a separate process."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or later")

# Frees a large block, allocates one of a megabyte, and prints the number of mappings that this adds.
_COUNT_MAPPINGS = """
import ctypes
from qa.malloc import use_mmap_for_large_blocks

class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", *"abcde")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Mallinfo2
{setup}
larger = bytearray(16_000_000)
del larger
before = libc.mallinfo2().hblks
block = bytearray(1_000_000)
print(libc.mallinfo2().hblks - before)
"""

# Frees a hundred megabytes between small blocks, trims the heap, and prints the megabytes that this returns to the
# system.
_TRIM = """
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
    ("setup", "mappings"),
    [
        ("", "0"),
        ("use_mmap_for_large_blocks()", "1"),
        ("from qa.service.server import create_worker_app; app = create_worker_app()", "1"),
    ],
    ids=["default", "mmap", "server"],
)
def test_large_blocks_are_separate_mappings(
    setup: str, mappings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_INDEX_DIR", str(tmp_path))
    assert _run(_COUNT_MAPPINGS.format(setup=setup)) == mappings


def test_trim_heap_returns_freed_memory_to_the_system() -> None:
    assert float(_run(_TRIM)) > 50


def _run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
