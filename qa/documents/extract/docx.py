"""DOCX: paragraphs and tables in order, with headings as sections."""

from __future__ import annotations

import io
import re
import zipfile

import docx
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph

from qa.documents.extract.text import ExtractedText, TextBuilder, as_rows
from qa.errors import InvalidInput, TooLarge

# Far more than any manual has; a small file may claim to hold terabytes.
_MAX_UNPACKED = 300_000_000
_HEADING = re.compile(r"heading \d|title", re.IGNORECASE)


def extract_docx(data: bytes, name: str) -> ExtractedText:
    """Extract a file's text; its title is the one in its properties, or else that of its title page.

    Raises:
        InvalidInput: it is not a Word document that can be read.
        TooLarge: it unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > _MAX_UNPACKED:
            raise TooLarge(f"{name}: {size:,} bytes when unpacked, over {_MAX_UNPACKED:,}", field=name)
        document = docx.Document(io.BytesIO(data))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"{name}: not a DOCX file that can be read ({error})", field=name) from error
    builder = TextBuilder()
    title = document.core_properties.title
    above = ""
    for part in document.iter_inner_content():
        style = "" if isinstance(part, Table) else _style(part)
        if isinstance(part, Table):
            builder.block(as_rows([[cell.text for cell in row.cells] for row in part.rows]))
        elif _HEADING.fullmatch(style):
            builder.heading(part.text)
            title = title or (part.text if style.casefold() == "title" else "")
        elif style.startswith("List") and part.text.strip():
            builder.block(f"- {part.text}", "\n" if above.startswith("List") else "\n\n")
        else:
            builder.block(part.text)
        above = style
    return builder.made(title)


def _style(paragraph: Paragraph) -> str:
    return (paragraph.style.name if paragraph.style else None) or ""
