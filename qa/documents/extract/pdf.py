"""PDF: the text of each page as PDFium orders it, with its lines joined to paragraphs or rows of tables.

Columns that are drawn across are read one after the other. Words that were hyphenated at the end of a line are whole
again, and what stands at the top or bottom of most pages is left out. Sections are those of the file's outline. Text in
pictures is not read.
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

from qa.documents.extract.columns import in_columns
from qa.documents.extract.layout import Line, ends_sentence, headed, whole_words, without_running_heads
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, properties
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.text.boxes import placed
from qa.types import Meta
from qa.validation import MAX_TEXT

# PDFium may be used by one thread at a time.
_ALONE = threading.Lock()
_MAX_PAGES = 20_000
# What PDFium gives for a line's end, and instead of it for a hyphen that breaks a word.
_LINE_END, _BROKEN = (0x0A, 0x0D), (0x02, 0xFFFE)

# Of a date may be missing what is behind the year.
_DATE, _EARLIEST = re.compile(r"(?:D:)?(\d{4}(?:\d\d){0,5})(?:Z|([+-]\d\d)'?(\d\d)?)?"), "00000101000000"


def extract_pdf(data: bytes, name: str) -> ExtractedText:
    """Extract a file's text, page by page; its properties are its title and its metadata.

    Raises:
        InvalidInput: the file is damaged or needs a password, or holds pictures alone.
    """
    with _ALONE:
        try:
            pdf = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise _refusal(error, name) from error
        with closing(pdf):
            pages = _pages(pdf, name)
            outline = _outline(pdf)
            title, meta = _properties(pdf)
    if not any(pages):
        raise UnsupportedFormat(f"{name}: {len(pages)} pages of pictures without any text; it needs OCR", field=name)
    builder = TextBuilder()
    # Whether the last paragraph may go on, and whether in the middle of a word.
    goes_on, broken = False, False
    kept = list(enumerate(whole_words([in_columns(lines) for lines in without_running_heads(pages)]), 1))
    for number, lines in kept:
        builder.page(number)
        for heading, paragraphs in headed(lines, outline.get(number, [])):
            if heading is not None and heading.stands:
                builder.heading(heading.text)
                goes_on = broken = False
            elif heading is not None:
                builder.section(heading.text)
            for paragraph in paragraphs:
                text, is_table = paragraph.text, paragraph.is_table
                begun = goes_on and not is_table and (broken or text[:1].islower())
                builder.block(text, ("" if broken else " ") if begun else "\n\n")
                broken = paragraph.broken
                goes_on = broken or not (is_table or ends_sentence(text))
    made = builder.made(title, meta)
    return replace(made, boxes=placed(made.text, kept))


def _pages(pdf: pdfium.PdfDocument, name: str) -> list[list[Line]]:
    """Return the lines of each page.

    Raises:
        TooLarge: they hold more than a document may; pages that are not read yet may go on for ever.
    """
    pages: list[list[Line]] = []
    characters = 0
    if len(pdf) > _MAX_PAGES:
        raise TooLarge(f"{name}: {len(pdf):,} pages, over {_MAX_PAGES:,}", field=name)
    for page in pdf:
        pages.append(list(_lines(page)))
        characters += sum(len(line.text) for line in pages[-1])
        if characters > MAX_TEXT:
            raise TooLarge(f"{name}: over {MAX_TEXT:,} characters on the first {len(pages):,} pages", field=name)
    return pages


def _properties(pdf: pdfium.PdfDocument) -> tuple[str, Meta]:
    """Return the title and the other properties; what cannot be decoded is left out."""

    def told(key: str) -> str:
        try:
            return str(pdf.get_metadata_value(key))
        except UnicodeError:
            return ""

    meta = properties(
        author=told("Author"),
        subject=told("Subject"),
        keywords=told("Keywords"),
        created=_date(told("CreationDate")),
        modified=_date(told("ModDate")),
    )
    return told("Title"), meta


def _date(told: str) -> datetime | None:
    """Read `D:20240501093000+02'00'`; None if it is no date."""
    found = _DATE.match(told)
    if found is None:
        return None
    digits, hours, minutes = found[1], found[2] or "+00", found[3] or "00"
    try:
        return datetime.strptime(digits + _EARLIEST[len(digits) :] + hours + minutes, "%Y%m%d%H%M%S%z")
    except ValueError:
        return None


def _refusal(error: pdfium.PdfiumError, name: str) -> InvalidInput:
    if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
        return InvalidInput(f"{name}: needs a password", field=name)
    return InvalidInput(f"{name}: not a PDF that can be read ({error})", field=name)


def _lines(page: pdfium.PdfPage) -> Iterator[Line]:
    with closing(page.get_textpage()) as text:
        characters: list[tuple[str, int]] = []
        for place in range(text.count_chars()):
            code = raw.FPDFText_GetUnicode(text, place)
            if code in (*_LINE_END, *_BROKEN):
                yield from _line(text, characters, broken=code in _BROKEN)
                characters = []
            elif code and not 0xD800 <= code < 0xE000:
                characters.append((chr(code), place))
        yield from _line(text, characters, broken=False)


def _line(page: pdfium.PdfTextPage, characters: Sequence[tuple[str, int]], *, broken: bool) -> Iterator[Line]:
    shown = [(c, place) for c, place in characters if not c.isspace() and c.isprintable()]
    if not shown:
        return
    # Format characters, such as soft hyphens, show nothing.
    text = "".join(" " if c.isspace() else c for c, _ in characters if c.isspace() or c.isprintable())
    boxes = [page.get_charbox(place, loose=True) for _, place in (shown[0], shown[len(shown) // 2], shown[-1])]
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    words = list(_words(page, characters))
    yield Line(" ".join(text.split()), boxes[0][0], boxes[-1][2], bottom, max(top - bottom, 1.0), broken, words)


def _words(page: pdfium.PdfTextPage, characters: Sequence[tuple[str, int]]) -> Iterator[tuple[str, float, float]]:
    visible = ((c, place) for c, place in characters if c.isspace() or c.isprintable())
    for is_space, run in groupby(visible, key=lambda one: one[0].isspace()):
        if not is_space:
            word = list(run)
            left, right = (page.get_charbox(place, loose=True) for _, place in (word[0], word[-1]))
            yield "".join(c for c, _ in word), left[0], right[2]


def _outline(pdf: pdfium.PdfDocument) -> dict[int, list[str]]:
    """Return the titles of the outline by page."""
    titles: dict[int, list[str]] = {}
    for entry in pdf.get_toc():
        target = entry.get_dest()
        index, title = target.get_index() if target else None, " ".join(entry.get_title().split())
        if index is not None and title:
            titles.setdefault(index + 1, []).append(title)
    return titles
