"""Records of an XLS workbook: what it holds beside cells, which the library for workbooks does not read."""

from __future__ import annotations

import io
import struct
from collections import Counter
from collections.abc import Iterator, Mapping

from olefile import OleFileIO

_HEADER = struct.Struct("<HH")
_FILE_PASS, _NOTE, _TEXT_BOX, _CHART = 0x2F, 0x1C, 0x1B6, 0x1002
# The encryption of a workbook is described in one of its first records.
_FIRST_RECORDS = 10
_STREAMS = ("workbook", "book")


def read_stream(file: OleFileIO) -> bytes:
    """Return the records of the workbook in an OLE file; none for a file that is no workbook."""
    names = {entry[0].casefold(): entry[0] for entry in file.listdir()}
    name = next((names[stream] for stream in _STREAMS if stream in names), None)
    return bytes(file.openstream(name).read()) if name else b""


def is_encrypted(records: bytes) -> bool:
    """Return whether a workbook is encrypted with a password."""
    kinds = (kind for kind, _ in zip(_iterate_kinds(records), range(_FIRST_RECORDS), strict=False))
    return _FILE_PASS in kinds


def count_unread(data: bytes) -> Mapping[str, int]:
    """Return how many comments, text boxes and charts an XLS file has; none if the file is damaged."""
    try:
        with OleFileIO(io.BytesIO(data)) as file:
            counts = Counter(_iterate_kinds(read_stream(file)))
    # The library raises many errors on damaged files.
    except Exception:
        return {}
    # Each comment has a text box.
    boxes = max(0, counts[_TEXT_BOX] - counts[_NOTE])
    return {"comments": counts[_NOTE], "text boxes": boxes, "charts": counts[_CHART]}


def _iterate_kinds(records: bytes) -> Iterator[int]:
    position = 0
    while position + _HEADER.size <= len(records):
        kind, size = _HEADER.unpack_from(records, position)
        yield kind
        position += _HEADER.size + size
