"""DOCX: paragraphs and tables in order, with headings as sections.

Text is taken as it would be if all changes that were tracked were accepted.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from qa.documents.extract.text_builder import ExtractedText, TextBuilder, as_rows, properties
from qa.errors import InvalidInput, TooLarge
from qa.types import Meta

# Far more than any manual has; a small file may claim to hold terabytes.
_MAX_UNPACKED, _MAX_XML = 300_000_000, 50_000_000
_HEADING = re.compile(r"heading \d|title", re.IGNORECASE)
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_TEXT = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# What was deleted, is a field's instruction or a second form of the same.
_LEFT_OUT = {qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:tblPr"), qn("w:tcPr"), qn("w:sdtPr")}


def extract_docx(data: bytes, name: str) -> ExtractedText:
    """Extract a file's text; its title is the one in its properties, or else that of its title page.

    What else its properties tell is its metadata.

    Raises:
        InvalidInput: it is not a Word document that can be read.
        TooLarge: it unpacks to too much.
    """
    try:
        _checked_size(data, name)
        document = docx.Document(io.BytesIO(data))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"{name}: not a DOCX file that can be read ({error})", field=name) from error
    builder = TextBuilder()
    title, meta = _properties(document)
    above = ""
    for element in _blocks(document.element.body):
        if element.tag == _TABLE:
            builder.block(as_rows([[_words(cell) for cell in _inside(row, _CELL)] for row in _inside(element, _ROW)]))
            above = ""
            continue
        style, text = _style(Paragraph(element, document)), _words(element)
        if _HEADING.fullmatch(style):
            builder.heading(text)
            title = title or (text if style.casefold() == "title" else "")
        elif style.startswith("List") and text:
            builder.block(f"- {text}", "\n" if above.startswith("List") else "\n\n")
        else:
            builder.block(text)
        above = style
    return builder.made(title, meta)


def _properties(document: DocxDocument) -> tuple[str, Meta]:
    """Return the title and the other properties."""
    try:
        document.part.package.part_related_by(RELATIONSHIP_TYPE.CORE_PROPERTIES)
    except KeyError:
        # python-docx would make some up, with the time of now.
        return "", {}
    told = document.core_properties
    meta = properties(
        author=told.author,
        subject=told.subject,
        keywords=told.keywords,
        created=told.created,
        modified=told.modified,
    )
    return told.title, meta


def _checked_size(data: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = packed.infolist()
    size = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if size > _MAX_UNPACKED or xml > _MAX_XML:
        raise TooLarge(
            f"{name}: {size:,} bytes when unpacked, {xml:,} of them XML; at most {_MAX_UNPACKED:,} and {_MAX_XML:,}",
            field=name,
        )


def _blocks(element: Any) -> Iterator[Any]:
    """Yield paragraphs and tables, those in content controls and tracked insertions too."""
    for child in element:
        if child.tag in (_PARAGRAPH, _TABLE):
            yield child
        elif child.tag not in _LEFT_OUT:
            yield from _blocks(child)


def _inside(element: Any, tag: str) -> Iterator[Any]:
    """Yield the rows of a table or the cells of a row, but none of tables inside it."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag not in (_TABLE, *_LEFT_OUT):
            yield from _inside(child, tag)


def _words(element: Any) -> str:
    return "".join(_pieces(element)).strip()


def _pieces(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _TEXT:
            yield _TEXT[child.tag]
        elif child.tag not in _LEFT_OUT:
            yield from _pieces(child)
            if child.tag == _PARAGRAPH:
                yield "\n"


def _style(paragraph: Paragraph) -> str:
    return (paragraph.style.name if paragraph.style else None) or ""
