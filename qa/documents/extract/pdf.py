"""PDF: the text of each page as PDFium orders it, with its lines joined to paragraphs.

Words that were hyphenated at the end of a line are whole again, and what stands at the top or bottom of most pages is
left out. Sections are those of the file's outline. Text in pictures is not read.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.text import ExtractedText, TextBuilder
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.limits import MAX_TEXT

# PDFium may be used by one thread at a time.
_ALONE = threading.Lock()
# A line belongs to the paragraph of the one above within so many of its heights, and if they are about as high.
_STEP, _ALIKE = 1.7, 1.25
# A line that reaches as far as others around it runs on in the next.
_FULL = 0.85
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ITEM = re.compile(r"[•‣▪◦–*-] |\(?(\d{1,2}|[a-z])[.)] ")
_FEWEST_PAGES = 3
# What PDFium gives for a line's end, and instead of it for a hyphen that breaks a word.
_LINE_END, _BROKEN = (0x0A, 0x0D), (0x02, 0xFFFE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line and its box, in points from the lower left corner; `broken` if its last word goes on in the next."""

    text: str
    left: float
    right: float
    bottom: float
    height: float
    broken: bool


def extract_pdf(data: bytes, name: str) -> ExtractedText:
    """Extract a file's text, page by page.

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
            title = pdf.get_metadata_value("Title")
    if not any(pages):
        raise UnsupportedFormat(f"{name}: {len(pages)} pages of pictures without any text; it needs OCR", field=name)
    builder = TextBuilder()
    around = _repeated(pages)
    open_end = False
    for number, lines in enumerate(pages, 1):
        builder.page(number)
        titles = outline.get(number, [])
        kept = [line for place, line in enumerate(lines) if not _at_edge(place, lines) or _shape(line) not in around]
        for title_ in titles:
            if not any(_same(title_, line.text) for line in kept):
                builder.section(title_)
        for paragraph in _paragraphs(kept):
            named = next((t for t in titles if _same(t, paragraph)), None)
            if named:
                builder.heading(paragraph)
            else:
                builder.block(paragraph, " " if open_end and paragraph[:1].islower() else "\n\n")
            open_end = not named and not _SENTENCE_END.search(paragraph)
    return builder.made(title.strip())


def _pages(pdf: pdfium.PdfDocument, name: str) -> list[list[_Line]]:
    """Return the lines of each page.

    Raises:
        TooLarge: they hold more than a document may; pages that are not read yet may go on for ever.
    """
    pages: list[list[_Line]] = []
    characters = 0
    for page in pdf:
        pages.append(list(_lines(page)))
        characters += sum(len(line.text) for line in pages[-1])
        if characters > MAX_TEXT:
            raise TooLarge(f"{name}: over {MAX_TEXT:,} characters on the first {len(pages):,} pages", field=name)
    return pages


def _refusal(error: pdfium.PdfiumError, name: str) -> InvalidInput:
    if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
        return InvalidInput(f"{name}: needs a password", field=name)
    return InvalidInput(f"{name}: not a PDF that can be read ({error})", field=name)


def _lines(page: pdfium.PdfPage) -> Iterator[_Line]:
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


def _line(page: pdfium.PdfTextPage, characters: Sequence[tuple[str, int]], *, broken: bool) -> Iterator[_Line]:
    shown = [(c, place) for c, place in characters if not c.isspace() and c.isprintable()]
    if not shown:
        return
    text = "".join(c if c.isprintable() else " " for c, _ in characters)
    boxes = [page.get_charbox(place, loose=True) for _, place in (shown[0], shown[len(shown) // 2], shown[-1])]
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    yield _Line(" ".join(text.split()), boxes[0][0], boxes[-1][2], bottom, max(top - bottom, 1.0), broken)


def _paragraphs(lines: Sequence[_Line]) -> Iterator[str]:
    text, above = "", None
    for line in lines:
        if above is None:
            text = line.text
        elif above.broken:
            text += line.text
        elif not _goes_on(above, line):
            yield text
            text = line.text
        else:
            text += (" " if _is_full(above, lines) and not _ITEM.match(line.text) else "\n") + line.text
        above = line
    if text:
        yield text


def _goes_on(above: _Line, line: _Line) -> bool:
    """Tell whether a line belongs to the paragraph of the one above, be it in the next column."""
    alike = max(above.height, line.height) <= _ALIKE * min(above.height, line.height)
    if alike and 0 < above.bottom - line.bottom <= _STEP * line.height:
        return True
    return not _SENTENCE_END.search(above.text) and line.text[:1].islower()


def _is_full(line: _Line, lines: Sequence[_Line]) -> bool:
    """Tell whether a line reaches as far to the right as those that begin where it does."""
    widths = [other.right - other.left for other in lines if abs(other.left - line.left) < 2 * line.height]
    return line.right - line.left >= _FULL * max(widths)


def _outline(pdf: pdfium.PdfDocument) -> dict[int, list[str]]:
    """Return the titles of the outline by page."""
    titles: dict[int, list[str]] = {}
    for entry in pdf.get_toc():
        target = entry.get_dest()
        index, title = target.get_index() if target else None, " ".join(entry.get_title().split())
        if index is not None and title:
            titles.setdefault(index + 1, []).append(title)
    return titles


def _repeated(pages: Sequence[Sequence[_Line]]) -> set[str]:
    """Return the first and last lines that most pages have, whatever numbers are in them."""
    seen = Counter(shape for lines in pages for shape in {_shape(line) for line in (*lines[:1], *lines[-1:])})
    return {shape for shape, count in seen.items() if count >= max(_FEWEST_PAGES, len(pages) / 2)}


def _at_edge(place: int, lines: Sequence[_Line]) -> bool:
    return place in (0, len(lines) - 1)


def _shape(line: _Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _same(title: str, text: str) -> bool:
    return title.casefold() == re.sub(r"^[\d.]+\s+", "", text).casefold() or title.casefold() == text.casefold()
