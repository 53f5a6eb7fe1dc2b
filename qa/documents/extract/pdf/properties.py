"""Read the properties of a PDF: its title, metadata, outline and embedded files."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from datetime import datetime

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.text_builder import clean_properties
from qa.errors import InvalidInput
from qa.types import Meta

# All parts after the year are optional; the second value supplies the missing ones.
_DATE, _EARLIEST = re.compile(r"(?:D:)?(\d{4}(?:\d\d){0,5})(?:Z|([+-]\d\d)'?(\d\d)?)?"), "00000101000000"
_MAX_EMBEDDED, _MAX_NAME = 1_000, 1_000
# Damaged outlines may be endless.
_MAX_ENTRIES = 50_000


def read_properties(pdf: pdfium.PdfDocument) -> tuple[str, Meta]:
    """Return the title and the other properties, without those that cannot be decoded."""

    def value(key: str) -> str:
        try:
            return str(pdf.get_metadata_value(key))
        except UnicodeError:
            return ""

    meta = clean_properties(
        author=value("Author"),
        subject=value("Subject"),
        keywords=value("Keywords"),
        created=_parse_date(value("CreationDate")),
        modified=_parse_date(value("ModDate")),
    )
    return value("Title"), meta


def _parse_date(text: str) -> datetime | None:
    """Parse a date such as `D:20240501093000+02'00'`; return None if it is not valid."""
    match = _DATE.match(text)
    if match is None:
        return None
    digits, hours, minutes = match[1], match[2] or "+00", match[3] or "00"
    try:
        return datetime.strptime(digits + _EARLIEST[len(digits) :] + hours + minutes, "%Y%m%d%H%M%S%z")
    except ValueError:
        return None


def open_error(error: pdfium.PdfiumError, name: str) -> InvalidInput:
    """Return the error for a file that PDFium cannot open."""
    if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
        return InvalidInput(f"{name}: encrypted with a password; save a copy without one", field=name)
    return InvalidInput(f"{name}: not a PDF, or damaged ({error}); save or download it again", field=name)


def read_outline(pdf: pdfium.PdfDocument) -> dict[int, list[str]]:
    """Return the titles of the outline by page number, without entries that cannot be read."""
    titles: dict[int, list[str]] = {}
    for number, entry in enumerate(pdf.get_toc()):
        if number >= _MAX_ENTRIES:
            break
        try:
            target = entry.get_dest()
            index, title = target.get_index() if target else None, " ".join(entry.get_title().split())
        except (pdfium.PdfiumError, ValueError):
            continue
        if index is not None and title:
            titles.setdefault(index + 1, []).append(title)
    return titles


def find_embedded_files(pdf: pdfium.PdfDocument) -> Iterator[str]:
    """Yield the names of embedded files."""
    for index in range(min(raw.FPDFDoc_GetAttachmentCount(pdf), _MAX_EMBEDDED)):
        attachment = raw.FPDFDoc_GetAttachment(pdf, index)
        length = min(raw.FPDFAttachment_GetName(attachment, None, 0), _MAX_NAME) if attachment else 0
        buffer = ctypes.create_string_buffer(max(length, 2))
        if length > 2:
            raw.FPDFAttachment_GetName(attachment, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
        yield buffer.raw.decode("utf-16-le", "replace").partition("\0")[0] or f"number {index + 1}"
