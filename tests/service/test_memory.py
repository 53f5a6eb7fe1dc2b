"""What the server asks of glibc's allocator."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# Prints how many mappings of its own a block of a megabyte is, after a larger one was freed.
_PROGRAM = """
import ctypes
from qa.service.memory import give_back_large_blocks

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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the allocator is not glibc's, or an old one")
@pytest.mark.parametrize(("first", "mappings"), [("", "0"), ("give_back_large_blocks()", "1")])
def test_large_blocks_stay_mappings_of_their_own(first: str, mappings: str) -> None:
    program = _PROGRAM.format(first=first)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == mappings
