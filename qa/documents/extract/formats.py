"""Choose the extractor for a file's format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from qa.documents.extract.signatures import Format, Unsupported
from qa.documents.extract.sniffing import sniff
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, UnsupportedFormat

if TYPE_CHECKING:
    from qa.documents.extract.images.ocr import Recognising

Extract = Callable[[bytes, str, Columns | None], list[ExtractedText]]
"""Extracts the documents of a file, given its bytes, its name and the columns of a table."""

Progress = Callable[[int, int], None]
"""Called with the number of pages done and the number of pages."""


def extract(
    data: bytes,
    name: str,
    columns: Columns | None = None,
    *,
    ocr: bool = False,
    progress: Progress | None = None,
    recognising: Recognising = nullcontext,
    depth: int = 0,
) -> list[ExtractedText]:
    """Extract the documents of a file: one, or one for each row of a table, or those attached to a mail too.

    Args:
        data: the whole file, whose format its content decides, and only where it does not, its name.
        name: the file's name or path, which error messages name.
        columns: the columns of a table; the usual names if None.
        ocr: recognise text in pictures.
        progress: called after each page of a PDF or a picture, which may be attached to a mail.
        recognising: makes the context in which a page is recognised.
        depth: how many mails the file is attached inside of.

    Raises:
        UnsupportedFormat: the format is not supported.
        InvalidInput: the file is damaged.
    """
    format = sniff(data, name)
    if isinstance(format, Unsupported):
        # An encrypted file has a supported format, so a folder that contains it reports it.
        error_class = InvalidInput if format is Unsupported.ENCRYPTED else UnsupportedFormat
        raise error_class(f"{name}: {format.value}", field=name)
    try:
        extracted = (
            _extract_table(format, data, name, columns or Columns())
            or _extract_mail(format, data, name, ocr=ocr, progress=progress, recognising=recognising, depth=depth)
            or _extract_pages(format, data, name, ocr=ocr, progress=progress, recognising=recognising)
            or _extract_text(format, data, name)
        )
    except (QAError, MemoryError):
        raise
    except Exception as error:
        # Parsers raise undocumented exceptions on damaged files. The fault is the file's, so the error names it.
        raise InvalidInput(
            f"{name}: damaged ({type(error).__name__}: {error}); save or download the file again", field=name
        ) from error
    return extracted if isinstance(extracted, list) else [extracted]


# Each parser is imported where a file needs it.
def _extract_table(format: Format, data: bytes, name: str, columns: Columns) -> list[ExtractedText] | None:
    match format:
        case Format.CSV:
            from qa.documents.extract.tables.csv_tables import extract_csv

            return extract_csv(data, name, columns)
        case Format.JSON_LINES:
            from qa.documents.extract.tables.json_records import extract_json_lines

            return extract_json_lines(data, name, columns)
        case Format.JSON:
            from qa.documents.extract.tables.json_records import extract_json

            return extract_json(data, name, columns)
        case Format.WORKBOOK:
            from qa.documents.extract.tables.spreadsheets import extract_workbook

            return extract_workbook(data, name, columns)
    return None


def _extract_mail(
    format: Format,
    data: bytes,
    name: str,
    *,
    ocr: bool,
    progress: Progress | None,
    recognising: Recognising,
    depth: int,
) -> list[ExtractedText] | None:
    from qa.documents.extract.mail.attachments import MAX_DEPTH

    def extract_part(data: bytes, name: str) -> list[ExtractedText]:
        if depth >= MAX_DEPTH:
            raise InvalidInput(f"{name}: attached inside {depth + 1} mails; add it by itself", field=name)
        return extract(data, name, ocr=ocr, progress=progress, recognising=recognising, depth=depth + 1)

    match format:
        case Format.MAIL:
            from qa.documents.extract.mail.eml import extract_eml

            return extract_eml(data, name, extract_part)
        case Format.MAILBOX:
            from qa.documents.extract.mail.eml import extract_mbox

            return extract_mbox(data, name, extract_part)
        case Format.OUTLOOK:
            from qa.documents.extract.mail.msg import extract_msg

            return extract_msg(data, name, extract_part)
    return None


def _extract_pages(
    format: Format, data: bytes, name: str, *, ocr: bool, progress: Progress | None, recognising: Recognising
) -> ExtractedText | None:
    match format:
        case Format.PDF:
            from qa.documents.extract.pdf.document import extract_pdf

            return extract_pdf(data, name, ocr=ocr, progress=progress, recognising=recognising)
        case Format.PICTURE:
            from qa.documents.extract.images.pictures import extract_picture

            return extract_picture(data, name, ocr=ocr, progress=progress, recognising=recognising)
    return None


def _extract_text(format: Format, data: bytes, name: str) -> ExtractedText:
    match format:
        case Format.DOCX:
            from qa.documents.extract.docx.document import extract_docx

            return extract_docx(data, name)
        case Format.PPTX:
            from qa.documents.extract.pptx.document import extract_pptx

            return extract_pptx(data, name)
        case Format.ODT:
            from qa.documents.extract.odt.document import extract_odt

            return extract_odt(data, name)
        case Format.RTF:
            from qa.documents.extract.rtf.document import extract_rtf

            return extract_rtf(data, name)
        case Format.EPUB:
            from qa.documents.extract.epub.book import extract_epub

            return extract_epub(data, name)
        case Format.NOTEBOOK:
            from qa.documents.extract.notebook import extract_notebook

            return extract_notebook(data, name)
        case Format.HTML:
            from qa.documents.extract.html.page import extract_html

            return extract_html(data, name)
        case Format.MARKDOWN:
            from qa.documents.extract.markdown.document import extract_markdown

            return extract_markdown(data, name)
    from qa.documents.extract.plain_text import extract_plain

    return extract_plain(data, name)
