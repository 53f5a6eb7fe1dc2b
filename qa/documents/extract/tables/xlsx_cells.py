"""Cells of an XLSX workbook: errors, percentages and formulas without values, which the library does not return."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.xml_tree import attribute, integer
from qa.documents.extract.tables.sheet_cells import Place, SheetCells
from qa.errors import InvalidInput

# In bytes of XML; larger sheets are read without these.
_MAX_XML = 50_000_000
# A large sheet has millions of cells, and a parser of XML takes many times as long. Each search ends at the next tag.
_CELL = re.compile(
    rb"<(?:\w+:)?c(\s[^<>]*)>"
    rb"(\s*<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>))?"
    rb"(?:\s*<(?:\w+:)?v(?:\s[^<>]*)?>([^<]*)</)?"
)
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_KIND, _STYLE = re.compile(rb"""\st=["'](\w+)["']"""), re.compile(rb"""\ss=["'](\d+)["']""")
_BUILT_IN = frozenset({9, 10})
# Parts of a number format that are shown as they are.
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_ERROR = re.compile(rb"""\st=["']e["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


def read_xlsx_cells(data: bytes, name: str) -> Mapping[str, SheetCells]:
    """Return the cells of each sheet, by the name of the sheet; none if the XML is damaged or too large."""
    try:
        archive = OfficeArchive(data, name, "XLSX")
        parts = archive.relationships(archive.main_part)
        styles = _percentage_styles(archive)
        cells: dict[str, SheetCells] = {}
        budget = _MAX_XML
        for sheet in archive.read_xml(archive.main_part).iter("{*}sheet"):
            relationship = parts.get(attribute(sheet, "r:id") or "")
            if relationship is None or relationship.is_external or relationship.target not in archive:
                continue
            xml = archive.read(relationship.target)
            budget -= len(xml)
            if budget < 0:
                break
            if styles or _ERROR.search(xml) or _FORMULA.search(xml):
                cells[sheet.get("name", "")] = _read_cells(xml, styles)
    except InvalidInput:
        return {}
    return cells


def _percentage_styles(archive: OfficeArchive) -> Collection[str]:
    """Return the styles of cells that show percentages."""
    part = next(archive.related(archive.main_part, "styles"), None)
    if part is None:
        return ()
    root = archive.read_xml(part)
    formats = {
        integer(element.get("numFmtId")): "%" in _LITERAL.sub("", element.get("formatCode", ""))
        for element in root.iter("{*}numFmt")
    }
    styles = (style for group in root.iter("{*}cellXfs") for style in group.iterchildren("{*}xf"))
    ids = (integer(style.get("numFmtId")) for style in styles)
    return {str(number) for number, id in enumerate(ids) if formats.get(id, id in _BUILT_IN)}


def _read_cells(xml: bytes, percentage_styles: Collection[str]) -> SheetCells:
    cells = SheetCells()
    for match in _CELL.finditer(xml):
        attributes, formula, value = match.groups()
        kind, is_stored = _KIND.search(attributes), bool(value and value.strip())
        # The value of a formula may be a text of no characters.
        if formula and not is_stored and not (kind and kind[1] == b"str"):
            cells.without_value += 1
        if not is_stored:
            continue
        style = _STYLE.search(attributes) if percentage_styles else None
        place = _place(attributes)
        if place and kind and kind[1] == b"e":
            cells.texts[place] = value.decode("utf-8", "replace").strip()
        elif place and style and style[1].decode() in percentage_styles:
            cells.percentages.add(place)
    return cells


def _place(attributes: bytes) -> Place | None:
    """Return the row and the column of a cell from its reference, such as `B7`."""
    match = _REFERENCE.search(attributes)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + letter - ord("A") + 1
    return int(match[2]) - 1, column - 1
