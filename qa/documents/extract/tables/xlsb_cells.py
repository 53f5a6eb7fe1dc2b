"""Cells of an XLSB workbook: errors and merged cells, which the library for workbooks does not return."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
from collections.abc import Iterator, Mapping

from qa.documents.extract.office.xml_tree import DamagedXML, parse_xml
from qa.documents.extract.tables.sheet_cells import ERRORS, SheetCells
from qa.documents.extract.zip_archive import DAMAGED

# In bytes; larger sheets are read without these.
_MAX_SIZE = 50_000_000
_WORKBOOK, _RELATIONSHIPS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_SHEET, _ROW, _ERROR, _FORMULA_ERROR, _MERGED = 156, 0, 3, 11, 176
_NUMBER, _CELL, _RANGE = struct.Struct("<I"), struct.Struct("<IIB"), struct.Struct("<4I")
# Before the texts of a sheet: its state and its id.
_TEXTS = 8


def read_xlsb_cells(data: bytes) -> Mapping[str, SheetCells]:
    """Return the cells of each sheet, by the name of the sheet; none for other workbooks and damaged ones."""
    cells: dict[str, SheetCells] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if _WORKBOOK not in archive.namelist():
                return {}
            relationships = parse_xml(archive.read(_RELATIONSHIPS)).iterfind("{*}Relationship")
            parts = {element.get("Id"): posixpath.join("xl", element.get("Target", "")) for element in relationships}
            budget = _MAX_SIZE
            for id, name in _iterate_sheets(archive.read(_WORKBOOK)):
                records = archive.read(parts[id].removeprefix("/"))
                budget -= len(records)
                if budget < 0:
                    break
                cells[name] = _read_cells(records)
    except (*DAMAGED, DamagedXML, LookupError, ValueError, struct.error):
        return {}
    return cells


def _iterate_sheets(records: bytes) -> Iterator[tuple[str, str]]:
    """Yield the id of the relationship and the name of each sheet."""
    for kind, start, _ in _iterate(records):
        if kind == _SHEET:
            id, end = _read_text(records, start + _TEXTS)
            yield id, _read_text(records, end)[0]


def _read_text(records: bytes, start: int) -> tuple[str, int]:
    """Return a text, which is after its length, and where it ends."""
    (length,) = _NUMBER.unpack_from(records, start)
    start += _NUMBER.size
    return records[start : start + 2 * length].decode("utf-16-le"), start + 2 * length


def _read_cells(records: bytes) -> SheetCells:
    cells, row = SheetCells(), 0
    for kind, start, _ in _iterate(records):
        if kind == _ROW:
            (row,) = _NUMBER.unpack_from(records, start)
        elif kind in (_ERROR, _FORMULA_ERROR):
            column, _, code = _CELL.unpack_from(records, start)
            if code in ERRORS:
                cells.texts[row, column] = ERRORS[code]
        elif kind == _MERGED:
            top, bottom, left, right = _RANGE.unpack_from(records, start)
            cells.ranges.append(((top, left), (bottom, right)))
    return cells


def _iterate(records: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the kind of each record, and where its data begins and ends. Both numbers before it have 7 bits a byte."""
    position = 0
    while position < len(records):
        kind, position = _read_number(records, position, 2)
        size, position = _read_number(records, position, 4)
        yield kind, position, position + size
        position += size


def _read_number(records: bytes, position: int, most: int) -> tuple[int, int]:
    """Return a number of up to `most` bytes, of which all but the last have the highest bit set, and where it ends."""
    number = 0
    for place in range(most):
        byte = records[position + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return number, position + place + 1
