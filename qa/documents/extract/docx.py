"""DOCX: paragraphs and tables in order, with headings as sections.

The text reads as if all tracked changes were accepted.
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

from qa.documents.extract.text_builder import ExtractedText, TextBuilder, clean_properties, format_table
from qa.errors import InvalidInput, TooLarge
from qa.types import Meta

# In bytes, far more than any manual has. A small archive can unpack to terabytes.
_MAX_UNPACKED, _MAX_XML = 300_000_000, 50_000_000
_HEADING = re.compile(r"heading \d|title", re.IGNORECASE)
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_TEXT = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# Deleted and moved text, and properties.
_SKIPPED = {qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:tblPr"), qn("w:tcPr"), qn("w:sdtPr")}


def extract_docx(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file; its title is in its properties, or else on its title page.

    The other properties become its metadata.

    Raises:
        InvalidInput: the file is not a Word document, or is damaged.
        TooLarge: the file is too large when unpacked.
    """
    try:
        _check_size(data, name)
        document = docx.Document(io.BytesIO(data))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{name}: not a DOCX file, or damaged ({error}); save it again as DOCX", field=name
        ) from error
    builder = TextBuilder()
    title, meta = _read_properties(document)
    previous_style = ""
    for element in _iterate_blocks(document.element.body):
        if element.tag == _TABLE:
            rows = _iterate_children(element, _ROW)
            builder.add_block(
                format_table([[_text_of(cell) for cell in _iterate_children(row, _CELL)] for row in rows])
            )
            previous_style = ""
            continue
        style, text = _style_name(Paragraph(element, document)), _text_of(element)
        if _HEADING.fullmatch(style):
            builder.add_heading(text)
            title = title or (text if style.casefold() == "title" else "")
        elif style.startswith("List") and text:
            builder.add_block(f"- {text}", "\n" if previous_style.startswith("List") else "\n\n")
        else:
            builder.add_block(text)
        previous_style = style
    return builder.build(title, meta)


def _read_properties(document: DocxDocument) -> tuple[str, Meta]:
    """Return the title and the other properties."""
    try:
        document.part.package.part_related_by(RELATIONSHIP_TYPE.CORE_PROPERTIES)
    except KeyError:
        # python-docx would invent properties, dated now.
        return "", {}
    properties = document.core_properties
    meta = clean_properties(
        author=properties.author,
        subject=properties.subject,
        keywords=properties.keywords,
        created=properties.created,
        modified=properties.modified,
    )
    return properties.title, meta


def _check_size(data: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if size > _MAX_UNPACKED or xml > _MAX_XML:
        raise TooLarge(
            f"{name}: {size:,} bytes when unpacked, {xml:,} of them XML, over the limits of {_MAX_UNPACKED:,} and "
            f"{_MAX_XML:,}; split the file",
            field=name,
        )


def _iterate_blocks(element: Any) -> Iterator[Any]:
    """Yield paragraphs and tables, including those in content controls and tracked insertions."""
    for child in element:
        if child.tag in (_PARAGRAPH, _TABLE):
            yield child
        elif child.tag not in _SKIPPED:
            yield from _iterate_blocks(child)


def _iterate_children(element: Any, tag: str) -> Iterator[Any]:
    """Yield the rows of a table or the cells of a row, but not those of nested tables."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag not in (_TABLE, *_SKIPPED):
            yield from _iterate_children(child, tag)


def _text_of(element: Any) -> str:
    return "".join(_text_pieces(element)).strip()


def _text_pieces(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _TEXT:
            yield _TEXT[child.tag]
        elif child.tag not in _SKIPPED:
            yield from _text_pieces(child)
            if child.tag == _PARAGRAPH:
                yield "\n"


def _style_name(paragraph: Paragraph) -> str:
    return (paragraph.style.name if paragraph.style else None) or ""
