"""Merged cells of an ODS workbook, which the library for workbooks does not report."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

from qa.documents.extract.office.xml_tree import DamagedXML, Element, attribute, children, integer, parse_xml, qn

Range = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a range: row and column, from 0."""

# In bytes of XML; larger workbooks are read without repeating merged cells.
_MAX_XML = 50_000_000
_SPANS = b"-spanned="
_ROWS = frozenset({qn("table:table-row-group"), qn("table:table-header-rows"), qn("table:table-rows")})
_CELLS = frozenset({qn("table:table-cell"), qn("table:covered-table-cell")})


def read_merged_ranges(data: bytes) -> Mapping[str, Sequence[Range]]:
    """Return the merged ranges of each sheet, by the name of the sheet; none if the XML is damaged or too large."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "content.xml" not in archive.namelist() or archive.getinfo("content.xml").file_size > _MAX_XML:
            return {}
        content = archive.read("content.xml")
    if _SPANS not in content:
        return {}
    try:
        root = parse_xml(content)
    except DamagedXML:
        return {}
    return {
        attribute(table, "table:name") or "": list(_iterate_ranges(table)) for table in root.iter(qn("table:table"))
    }


def _iterate_ranges(table: Element) -> Iterator[Range]:
    row = 0
    for element in _iterate_rows(table):
        column = 0
        for cell in children(element):
            if cell.tag not in _CELLS:
                continue
            height = integer(attribute(cell, "table:number-rows-spanned"), 1)
            width = integer(attribute(cell, "table:number-columns-spanned"), 1)
            if height > 1 or width > 1:
                yield (row, column), (row + max(1, height) - 1, column + max(1, width) - 1)
            column += integer(attribute(cell, "table:number-columns-repeated"), 1)
        row += integer(attribute(element, "table:number-rows-repeated"), 1)


def _iterate_rows(element: Element) -> Iterator[Element]:
    """Yield the rows of a table, which may be in groups."""
    for child in children(element):
        if child.tag == qn("table:table-row"):
            yield child
        elif child.tag in _ROWS:
            yield from _iterate_rows(child)
