"""Texts on the sheets of an ODS workbook that are not in cells: comments and text boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from qa.documents.extract.office.xml_tree import Element, attribute, children, find_all, parse_xml, qn
from qa.documents.extract.tables.ods_cells import iterate_cells
from qa.documents.extract.tables.sheet_cells import Place
from qa.text.tables import column_letters

_NOTES = re.compile(rb"<(?:office:annotation|draw:[\w-]+)[\s>]")
_COMMENT, _PARAGRAPH = qn("office:annotation"), qn("text:p")
_DRAWING = qn("draw:frame").removesuffix("frame")


def has_notes(content: bytes) -> bool:
    """Return whether the XML of a workbook may have comments or text boxes."""
    return _NOTES.search(content) is not None


def read_ods_notes(content: bytes) -> Mapping[str, Sequence[str]]:
    """Return the comments and text boxes of each sheet that has any, by the name of the sheet.

    Args:
        content: the XML of the workbook.

    Raises:
        DamagedXML: the XML is damaged.
    """
    notes = ((attribute(table, "table:name") or "", [*_read_notes(table)]) for table in _sheets(content))
    return {name: texts for name, texts in notes if texts}


def _sheets(content: bytes) -> Iterator[Element]:
    for spreadsheet in parse_xml(content).iter(qn("office:spreadsheet")):
        yield from find_all(spreadsheet, "table:table")


def _read_notes(table: Element) -> Iterator[str]:
    for shapes in find_all(table, "table:shapes"):
        for drawing in children(shapes):
            yield from filter(None, [_text(drawing)])
    for cell, place, _ in iterate_cells(table):
        # The library returns the drawings of a cell whose text is nowhere else as its text.
        is_read = attribute(cell, "office:value-type") == "string" and attribute(cell, "office:string-value") is None
        for child in children(cell):
            if child.tag == _COMMENT:
                yield from _comment(child, place)
            elif str(child.tag).startswith(_DRAWING) and not is_read:
                yield from filter(None, [_text(child)])


def _comment(element: Element, place: Place) -> Iterator[str]:
    text = " ".join(_text(element).split())
    if text:
        yield f"{column_letters(place[1] + 1)}{place[0] + 1}: {text}"


def _text(element: Element) -> str:
    """Return the paragraphs of a comment or drawing, one line each."""
    paragraphs = ("".join(paragraph.itertext()).strip() for paragraph in element.iter(_PARAGRAPH))
    return "\n".join(filter(None, paragraphs))
