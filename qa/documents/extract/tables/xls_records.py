"""Records of an XLS workbook: errors in cells, and what it holds beside cells, which the library does not read."""

from __future__ import annotations

import io
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from olefile import OleFileIO

from qa.documents.extract.tables.sheet_cells import ERRORS, SheetCells

_HEADER = struct.Struct("<HH")
_FILE_PASS, _NOTE, _TEXT_BOX, _CHART = 0x2F, 0x1C, 0x1B6, 0x1002
# The encryption of a workbook is described in one of its first records.
_FIRST_RECORDS = 10
_STREAMS = ("workbook", "book")
_BEGIN, _END, _SHEET, _FORMULA, _ERROR = 0x809, 0x0A, 0x85, 0x06, 0x205
# Where a sheet begins in the stream; the row and the column of a cell, its style, and its error.
_OFFSET, _ERROR_CELL, _FORMULA_CELL = struct.Struct("<I"), struct.Struct("<HHHBB"), struct.Struct("<HHHBxBxxxH")
_ERROR_VALUE, _NO_NUMBER = 2, 0xFFFF


def read_stream(file: OleFileIO) -> bytes:
    """Return the records of the workbook in an OLE file; none for a file that is no workbook."""
    names = {entry[0].casefold(): entry[0] for entry in file.listdir()}
    name = next((names[stream] for stream in _STREAMS if stream in names), None)
    return bytes(file.openstream(name).read()) if name else b""


def is_encrypted(records: bytes) -> bool:
    """Return whether a workbook is encrypted with a password."""
    return _FILE_PASS in (kind for kind, _, _ in islice(_iterate(records), _FIRST_RECORDS))


def read_xls_cells(data: bytes) -> Sequence[SheetCells]:
    """Return the errors in the cells of each sheet, in their order; none if the file is damaged."""
    try:
        with OleFileIO(io.BytesIO(data)) as file:
            records = read_stream(file)
    # The library raises many errors on damaged files.
    except Exception:
        return []
    starts = []
    for kind, position, size in _iterate(records):
        if kind == _END:
            break
        if kind == _SHEET and size >= _OFFSET.size:
            starts.append(_OFFSET.unpack_from(records, position)[0])
    # Several sheets at one place are damage, and would be read many times.
    return [_read_errors(records, start) for start in starts] if len(set(starts)) == len(starts) else []


def _read_errors(records: bytes, start: int) -> SheetCells:
    cells, depth = SheetCells(), 0
    for kind, position, size in _iterate(records, start):
        # A chart inside a sheet begins and ends too.
        depth += (kind == _BEGIN) - (kind == _END)
        if depth <= 0:
            break
        code = None
        if kind == _ERROR and size >= _ERROR_CELL.size:
            row, column, _, value, is_error = _ERROR_CELL.unpack_from(records, position)
            code = value if is_error else None
        elif kind == _FORMULA and size >= _FORMULA_CELL.size:
            row, column, _, type, value, number = _FORMULA_CELL.unpack_from(records, position)
            code = value if (type, number) == (_ERROR_VALUE, _NO_NUMBER) else None
        if code in ERRORS:
            cells.texts[row, column] = ERRORS[code]
    return cells


def count_unread(data: bytes) -> Mapping[str, int]:
    """Return how many comments, text boxes and charts an XLS file has; none if the file is damaged."""
    try:
        with OleFileIO(io.BytesIO(data)) as file:
            counts = Counter(kind for kind, _, _ in _iterate(read_stream(file)))
    # The library raises many errors on damaged files.
    except Exception:
        return {}
    # Each comment has a text box.
    boxes = max(0, counts[_TEXT_BOX] - counts[_NOTE])
    return {"comments": counts[_NOTE], "text boxes": boxes, "charts": counts[_CHART]}


def _iterate(records: bytes, position: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield the kind of each complete record, and the position and size of its data."""
    while position + _HEADER.size <= len(records):
        kind, size = _HEADER.unpack_from(records, position)
        position += _HEADER.size
        if position + size > len(records):
            break
        yield kind, position, size
        position += size
