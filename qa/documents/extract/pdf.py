"""PDF: the text of each page as PDFium orders it, with its lines joined to paragraphs.

Words that were hyphenated at the end of a line are whole again, and what stands at the top or bottom of most pages is
left out. Sections are those of the file's outline. Text in pictures is not read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.text import ExtractedText, TextBuilder
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.limits import MAX_TEXT

# PDFium may be used by one thread at a time.
_ALONE = threading.Lock()
# A line belongs to the paragraph of the one above within so many of its heights, and if they are about as high.
_STEP, _ALIKE = 1.7, 1.25
_FULL = 0.85
# Points: lines that begin so near to each other stand in one column.
_COLUMN = 12
_HEADING_LINES = 3
_DIGITS = re.compile(r"\d{1,9}")
_HYPHEN = re.compile(r"[^\W\d_]-$")
_MOST_NUMBERS = 4
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_ITEM = re.compile(r"[•‣▪◦–*-] |\(?(\d{1,2}|[a-z])[.)] ")
_FEWEST_PAGES = 3
_MAX_PAGES = 20_000
# What PDFium gives for a line's end, and instead of it for a hyphen that breaks a word.
_LINE_END, _BROKEN = (0x0A, 0x0D), (0x02, 0xFFFE)


_Shape = tuple[str, tuple[tuple[int, int], ...]]


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
    # Whether the last paragraph may go on, and whether in the middle of a word.
    goes_on, broken = False, False
    for number, lines in enumerate(_whole_words(_without_running_heads(pages)), 1):
        builder.page(number)
        for heading, paragraphs in _headed(lines, outline.get(number, [])):
            if heading is not None and heading.stands:
                builder.heading(heading.text)
                goes_on = broken = False
            elif heading is not None:
                builder.section(heading.text)
            for paragraph, paragraph_broken in paragraphs:
                begun = goes_on and (broken or paragraph[:1].islower())
                builder.block(paragraph, ("" if broken else " ") if begun else "\n\n")
                goes_on, broken = paragraph_broken or not _SENTENCE_END.search(paragraph), paragraph_broken
    return builder.made(title.strip())


def _pages(pdf: pdfium.PdfDocument, name: str) -> list[list[_Line]]:
    """Return the lines of each page.

    Raises:
        TooLarge: they hold more than a document may; pages that are not read yet may go on for ever.
    """
    pages: list[list[_Line]] = []
    characters = 0
    if len(pdf) > _MAX_PAGES:
        raise TooLarge(f"{name}: {len(pdf):,} pages, over {_MAX_PAGES:,}", field=name)
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
    # Format characters, such as soft hyphens, show nothing.
    text = "".join(" " if c.isspace() else c for c, _ in characters if c.isspace() or c.isprintable())
    boxes = [page.get_charbox(place, loose=True) for _, place in (shown[0], shown[len(shown) // 2], shown[-1])]
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    yield _Line(" ".join(text.split()), boxes[0][0], boxes[-1][2], bottom, max(top - bottom, 1.0), broken)


@dataclass(frozen=True, slots=True)
class _Heading:
    """A title of the outline; `stands` where a line of the page is it."""

    text: str
    stands: bool


_Part = tuple[_Heading | None, list[tuple[str, bool]]]


def _headed(lines: Sequence[_Line], titles: Sequence[str]) -> Iterator[_Part]:
    """Yield a page's paragraphs under the headings that the outline has on it, first those before any.

    A heading may take several lines. A title that no line is counts from the top of the page.
    """
    found: dict[int, tuple[int, str]] = {}
    missing = None
    for title in titles:
        place = next((p for p in _places(lines, title) if p[0] not in found), None)
        if place:
            found[place[0]] = (place[1], " ".join(line.text for line in lines[place[0] : place[1]]))
        else:
            missing = title
    edges = sorted(found)
    first = edges[0] if edges else len(lines)
    yield _Heading(missing, stands=False) if missing else None, list(_paragraphs(lines[:first]))
    for start, following in zip(edges, [*edges, len(lines)][1:], strict=True):
        end, text = found[start]
        yield _Heading(text, stands=True), list(_paragraphs(lines[end:following]))


def _places(lines: Sequence[_Line], title: str) -> Iterator[tuple[int, int]]:
    """Yield the first line of each run of lines that is a title, and the one behind the last."""
    for start in range(len(lines)):
        for end in range(start + 1, min(start + _HEADING_LINES, len(lines)) + 1):
            if _same(title, " ".join(line.text for line in lines[start:end])):
                yield start, end


def _paragraphs(lines: Sequence[_Line]) -> Iterator[tuple[str, bool]]:
    """Yield the text of each paragraph, and whether it ends in the middle of a word."""
    widest: dict[int, float] = {}
    for line in lines:
        widest[_column(line)] = max(widest.get(_column(line), 0.0), line.right - line.left)
    text, above = "", None
    for line in lines:
        if above is None:
            text = line.text
        elif above.broken:
            text += line.text
        elif not _goes_on(above, line):
            yield text, False
            text = line.text
        else:
            # A line that reaches as far as those that begin where it does runs on in the next.
            full = above.right - above.left >= _FULL * widest[_column(above)]
            text += (" " if full and not _ITEM.match(line.text) else "\n") + line.text
        above = line
    if above:
        yield text, above.broken


def _column(line: _Line) -> int:
    return round(line.left / _COLUMN)


def _goes_on(above: _Line, line: _Line) -> bool:
    """Tell whether a line belongs to the paragraph of the one above, be it in the next column."""
    alike = max(above.height, line.height) <= _ALIKE * min(above.height, line.height)
    if alike and 0 < above.bottom - line.bottom <= _STEP * line.height:
        return True
    return not _SENTENCE_END.search(above.text) and line.text[:1].islower()


def _outline(pdf: pdfium.PdfDocument) -> dict[int, list[str]]:
    """Return the titles of the outline by page."""
    titles: dict[int, list[str]] = {}
    for entry in pdf.get_toc():
        target = entry.get_dest()
        index, title = target.get_index() if target else None, " ".join(entry.get_title().split())
        if index is not None and title:
            titles.setdefault(index + 1, []).append(title)
    return titles


def _without_running_heads(pages: Sequence[Sequence[_Line]]) -> list[Sequence[_Line]]:
    """Return pages without their first and last lines where most have the same, but for the number of the page."""
    kept = list(pages)
    for edge in (0, -1):
        at: dict[_Shape, list[int]] = {}
        for number, lines in enumerate(kept):
            # Never a page's only line.
            for shape in _shapes(lines[edge].text, number) if len(lines) > 1 else ():
                at.setdefault(shape, []).append(number)
        enough = max(_FEWEST_PAGES, len(pages) / 2)
        for number in {number for numbers in at.values() if len(numbers) >= enough for number in numbers}:
            kept[number] = kept[number][1:] if edge == 0 else kept[number][:-1]
    return kept


def _shapes(text: str, page: int) -> Iterator[_Shape]:
    """Yield what a line may have in common with those of other pages: each number is the same, or rises with theirs."""
    numbers = [int(digits) for digits in _DIGITS.findall(text)]
    choices = (
        [((n, 0), (n - page, 1)) for n in numbers] if len(numbers) <= _MOST_NUMBERS else [((n, 0),) for n in numbers]
    )
    for chosen in product(*choices):
        yield _DIGITS.sub("0", text), chosen


def _whole_words(pages: Sequence[Sequence[_Line]]) -> Iterator[Sequence[_Line]]:
    """Yield pages, told where the last word of one goes on in the next: PDFium sees that within a page only."""
    for lines, following in zip(pages, [*pages[1:], ()], strict=True):
        last = lines[-1] if lines else None
        if last and following and _HYPHEN.search(last.text) and following[0].text[:1].islower():
            yield [*lines[:-1], replace(last, text=last.text[:-1], broken=True)]
        else:
            yield lines


def _same(title: str, text: str) -> bool:
    return title.casefold() == re.sub(r"^[\d.]+\s+", "", text).casefold() or title.casefold() == text.casefold()
