"""PDF: the text of each page in PDFium's order, with lines joined to paragraphs and table rows.

Columns are read one after the other, even where the file draws across them. Words hyphenated at a line end are joined,
and running headers and footers are dropped. Sections come from the file's outline. Text in pictures is not read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import groupby

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.columns import arrange_lines
from qa.documents.extract.layout import Line, ends_sentence, group_by_heading, remove_running_heads, resolve_hyphens
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, clean_properties
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.text.boxes import pack_boxes
from qa.text.tables import CELL_SEPARATOR
from qa.types import Meta, Rectangle
from qa.validation import MAX_TEXT

# PDFium is not thread-safe.
_PDFIUM_LOCK = threading.Lock()
_MAX_PAGES = 20_000
# PDFium's codes for the end of a line, and for a line end where a hyphen breaks a word.
_LINE_END, _HYPHEN = (0x0A, 0x0D), (0x02, 0xFFFE)

# All parts after the year are optional; the second value supplies the missing ones.
_DATE, _EARLIEST = re.compile(r"(?:D:)?(\d{4}(?:\d\d){0,5})(?:Z|([+-]\d\d)'?(\d\d)?)?"), "00000101000000"


def extract_pdf(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file, page by page; its properties give its title and its metadata.

    Raises:
        InvalidInput: the file is damaged or encrypted with a password.
        UnsupportedFormat: the file contains only pictures.
        TooLarge: the file has too many pages or too much text.
    """
    with _PDFIUM_LOCK:
        try:
            pdf = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise _open_error(error, name) from error
        with closing(pdf):
            pages = _read_pages(pdf, name)
            outline = _read_outline(pdf)
            title, meta = _read_properties(pdf)
    if not any(pages):
        raise UnsupportedFormat(
            f"{name}: no text on {len(pages)} pages, only pictures; run OCR on the file first", field=name
        )
    builder = TextBuilder()
    # Whether the last paragraph may continue, and whether it ends in the middle of a word.
    is_open, ends_mid_word = False, False
    arranged = [arrange_lines(lines) for lines in remove_running_heads(pages)]
    numbered = list(enumerate(resolve_hyphens(arranged), 1))
    for number, lines in numbered:
        builder.start_page(number)
        for heading, paragraphs in group_by_heading(lines, outline.get(number, [])):
            if heading is not None and heading.on_page:
                builder.add_heading(heading.text)
                is_open = ends_mid_word = False
            elif heading is not None:
                builder.start_section(heading.text)
            for paragraph in paragraphs:
                text, is_table = paragraph.text, paragraph.is_table
                continues = is_open and not is_table and (ends_mid_word or text[:1].islower())
                builder.add_block(text, ("" if ends_mid_word else " ") if continues else "\n\n")
                ends_mid_word = paragraph.ends_mid_word
                is_open = ends_mid_word or not (is_table or ends_sentence(text))
    extracted = builder.build(title, meta)
    return replace(extracted, boxes=pack_boxes(extracted.text, _placed_words(numbered), CELL_SEPARATOR.strip()))


def _placed_words(pages: Sequence[tuple[int, Sequence[Line]]]) -> Iterator[tuple[str, Rectangle]]:
    """Yield the words of numbered pages with their rectangles."""
    for number, lines in pages:
        for line in lines:
            for word, left, right in line.words:
                yield word, Rectangle(number, left, line.bottom, right, line.bottom + line.height)


def _read_pages(pdf: pdfium.PdfDocument, name: str) -> list[list[Line]]:
    """Return the lines of each page.

    Raises:
        TooLarge: the pages have more text than a document may; reading stops at that page, because a small file can
            contain endless text.
    """
    pages: list[list[Line]] = []
    characters = 0
    if len(pdf) > _MAX_PAGES:
        raise TooLarge(f"{name}: {len(pdf):,} pages, over the limit of {_MAX_PAGES:,}; split the file", field=name)
    for page in pdf:
        pages.append(list(_read_lines(page)))
        characters += sum(len(line.text) for line in pages[-1])
        if characters > MAX_TEXT:
            raise TooLarge(
                f"{name}: over {MAX_TEXT:,} characters on the first {len(pages):,} pages; split the file", field=name
            )
    return pages


def _read_properties(pdf: pdfium.PdfDocument) -> tuple[str, Meta]:
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


def _open_error(error: pdfium.PdfiumError, name: str) -> InvalidInput:
    """Return the error for a file that PDFium cannot open."""
    if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
        return InvalidInput(f"{name}: encrypted with a password; save a copy without one", field=name)
    return InvalidInput(f"{name}: not a PDF, or damaged ({error}); save or download it again", field=name)


def _read_lines(page: pdfium.PdfPage) -> Iterator[Line]:
    with closing(page.get_textpage()) as text_page:
        characters: list[tuple[str, int]] = []
        for index in range(text_page.count_chars()):
            code = raw.FPDFText_GetUnicode(text_page, index)
            if code in (*_LINE_END, *_HYPHEN):
                yield from _build_line(text_page, characters, ends_mid_word=code in _HYPHEN)
                characters = []
            elif code and not 0xD800 <= code < 0xE000:
                characters.append((chr(code), index))
        yield from _build_line(text_page, characters, ends_mid_word=False)


def _build_line(
    page: pdfium.PdfTextPage, characters: Sequence[tuple[str, int]], *, ends_mid_word: bool
) -> Iterator[Line]:
    """Yield the line of characters, each with its index on the page; nothing if none of them is visible."""
    visible = [(c, index) for c, index in characters if not c.isspace() and c.isprintable()]
    if not visible:
        return
    # Format characters, such as soft hyphens, are not visible.
    text = "".join(" " if c.isspace() else c for c, _ in characters if c.isspace() or c.isprintable())
    sample = (visible[0], visible[len(visible) // 2], visible[-1])
    boxes = [page.get_charbox(index, loose=True) for _, index in sample]
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    words = list(_find_words(page, characters))
    yield Line(" ".join(text.split()), boxes[0][0], boxes[-1][2], bottom, max(top - bottom, 1.0), ends_mid_word, words)


def _find_words(page: pdfium.PdfTextPage, characters: Sequence[tuple[str, int]]) -> Iterator[tuple[str, float, float]]:
    """Yield the words of a line, each with its left and right edge."""
    printable = ((c, index) for c, index in characters if c.isspace() or c.isprintable())
    for is_space, group in groupby(printable, key=lambda character: character[0].isspace()):
        if not is_space:
            word = list(group)
            left, right = (page.get_charbox(index, loose=True) for _, index in (word[0], word[-1]))
            yield "".join(c for c, _ in word), left[0], right[2]


def _read_outline(pdf: pdfium.PdfDocument) -> dict[int, list[str]]:
    """Return the titles of the outline by page number."""
    titles: dict[int, list[str]] = {}
    for entry in pdf.get_toc():
        target = entry.get_dest()
        index, title = target.get_index() if target else None, " ".join(entry.get_title().split())
        if index is not None and title:
            titles.setdefault(index + 1, []).append(title)
    return titles
