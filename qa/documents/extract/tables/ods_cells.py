"""Cells of an ODS workbook: merged cells, texts without a type and percentages, which the library does not return."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from itertools import islice, product

from qa.documents.extract.office.xml_tree import DamagedXML, Element, attribute, children, integer, parse_xml, qn
from qa.documents.extract.tables.sheet_cells import Place, SheetCells

# In bytes of XML; larger workbooks are read without these.
_MAX_XML = 50_000_000
# Cells of a sheet that one cell may stand for because it is repeated, and all of them together.
_MAX_REPEATED, _MAX_PLACES = 10_000, 500_000
_MARKS = re.compile(rb'-spanned=|="percentage"|<table:table-cell(?![^<>]*office:value-type)[^<>]*(?<!/)>')
_ROWS = frozenset({qn("table:table-row-group"), qn("table:table-header-rows"), qn("table:table-rows")})
_CELLS = frozenset({qn("table:table-cell"), qn("table:covered-table-cell")})


def read_ods_cells(data: bytes) -> Mapping[str, SheetCells]:
    """Return the cells of each sheet, by the name of the sheet; none if the XML is damaged or too large."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "content.xml" not in archive.namelist() or archive.getinfo("content.xml").file_size > _MAX_XML:
            return {}
        content = archive.read("content.xml")
    if not _MARKS.search(content):
        return {}
    try:
        root = parse_xml(content)
    except DamagedXML:
        return {}
    return {attribute(table, "table:name") or "": _read_cells(table) for table in root.iter(qn("table:table"))}


def iterate_cells(table: Element) -> Iterator[tuple[Element, Place, Place]]:
    """Yield the cells of a table with their place, and the rows and columns in which each is repeated."""
    row = 0
    for element in _iterate_rows(table):
        column, height = 0, max(1, integer(attribute(element, "table:number-rows-repeated"), 1))
        for cell in children(element):
            if cell.tag in _CELLS:
                width = max(1, integer(attribute(cell, "table:number-columns-repeated"), 1))
                yield cell, (row, column), (height, width)
                column += width
        row += height


def _read_cells(table: Element) -> SheetCells:
    cells = SheetCells()
    for cell, place, size in iterate_cells(table):
        _read_cell(cell, cells, place, size)
    return cells


def _read_cell(cell: Element, cells: SheetCells, place: Place, size: Place) -> None:
    row, column = place
    height = integer(attribute(cell, "table:number-rows-spanned"), 1)
    width = integer(attribute(cell, "table:number-columns-spanned"), 1)
    if height > 1 or width > 1:
        cells.ranges.append((place, (row + max(1, height) - 1, column + max(1, width) - 1)))
    # Another cell hides a covered one.
    if cell.tag == qn("table:covered-table-cell") or len(cells.texts) + len(cells.percentages) > _MAX_PLACES:
        return
    kind = attribute(cell, "office:value-type")
    text = _text(cell) if kind is None else ""
    if text or kind == "percentage":
        repeated = product(range(row, row + size[0]), range(column, column + size[1]))
        places = islice(repeated, _MAX_REPEATED)
        if text:
            cells.texts.update(dict.fromkeys(places, text))
        else:
            cells.percentages.update(places)


def _text(cell: Element) -> str:
    paragraphs = ("".join(paragraph.itertext()) for paragraph in cell.iterchildren(qn("text:p")))
    return "\n".join(paragraphs).strip()


def _iterate_rows(element: Element) -> Iterator[Element]:
    """Yield the rows of a table, which may be in groups."""
    for child in children(element):
        if child.tag == qn("table:table-row"):
            yield child
        elif child.tag in _ROWS:
            yield from _iterate_rows(child)
