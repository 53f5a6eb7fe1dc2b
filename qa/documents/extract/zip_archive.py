"""ZIP archives, which many formats are: what damaged ones raise, and how large they are when unpacked."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

DAMAGED = (
    *(ValueError, EOFError, OSError, RuntimeError, NotImplementedError),
    *(struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What `zipfile` and the decompressors raise on damaged or encrypted archives and entries."""


def unpacked_size(archive: zipfile.ZipFile) -> int:
    """Return the number of bytes that the entries have when unpacked. A small archive can unpack to terabytes."""
    return sum(entry.file_size for entry in archive.infolist())
