"""PDF: the text of each page in PDFium's order, with lines joined to paragraphs and table rows.

Columns are read one after the other, even where the file draws across them. Words hyphenated at a line end are joined,
and running heads and feet are dropped. Sections come from the file's outline. Values of form fields and typed notes are
part of the text. Tables of contents and indexes are marked, and so is text that OCR recognised in pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.images.ocr import Recognising
from qa.documents.extract.pdf.characters import Direction
from qa.documents.extract.pdf.columns import arrange_lines
from qa.documents.extract.pdf.contents_pages import find_contents
from qa.documents.extract.pdf.file import open_pdf
from qa.documents.extract.pdf.geometry import turn_back, view_rules
from qa.documents.extract.pdf.layout import Line, ends_sentence, group_by_heading, resolve_hyphens
from qa.documents.extract.pdf.pages import DAMAGED_PAGE, Page, read_page
from qa.documents.extract.pdf.placed_text import build_lines
from qa.documents.extract.pdf.properties import find_embedded_files, read_outline, read_properties
from qa.documents.extract.pdf.running_heads import find_copies, remove_running_heads
from qa.documents.extract.pdf.titles import clean_title
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.text.boxes import pack_boxes
from qa.text.tables import CELL_SEPARATOR
from qa.types import Rectangle, TextKind
from qa.validation import MAX_TEXT

_MAX_PAGES = 20_000
# Where a title is looked for in the text.
_BEGINNING_LINES = 100
# In points: lines whose left edges differ less are in one column. A line that continues is this wide, as a share of
# the widest in its column.
_SAME_MARGIN, _MARGIN_SHARE = 15, 0.7
# In line heights: parts of a line further apart are no prose.
_MAX_WORD_GAP = 2.5
_COMMENT = "Note:"
_XFA = "a dynamic form (XFA), of which only the static pages were read; print it to PDF and add that file"


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines of a page that run in one direction and have one kind."""

    page: Page
    direction: Direction
    kind: TextKind
    lines: Sequence[Line]
    is_comment: bool = False


def extract_pdf(
    data: bytes,
    name: str,
    *,
    ocr: bool = False,
    progress: Callable[[int, int], None] | None = None,
    recognising: Recognising = nullcontext,
) -> ExtractedText:
    """Extract the text of a file, page by page; its properties give its title and its metadata.

    Args:
        data: the whole file.
        name: the file's name for error messages.
        ocr: whether to recognise the text of pages that are pictures, if the extra `ocr` is installed.
        progress: called with the number of pages read and of all pages, after each page.
        recognising: makes the context in which a page is recognised.

    Raises:
        InvalidInput: the file is damaged or encrypted with a password.
        UnsupportedFormat: the file contains only pictures.
        TooLarge: the file has too many pages or too much text.
    """
    builder = TextBuilder()
    with open_pdf(data, name) as pdf:
        is_dynamic = pdf.get_formtype() == raw.FORMTYPE_XFA_FULL
        pdf.init_forms()
        pages = list(_read_pages(pdf, name, use_ocr=ocr, progress=progress, recognising=recognising))
        outline = read_outline(pdf)
        title, meta = read_properties(pdf)
        embedded = list(find_embedded_files(pdf))
    _check_text(pages, name)
    for page in pages:
        for reason in page.unread:
            builder.report_unread(reason, page.number)
    if is_dynamic:
        builder.report_unread(_XFA)
    for file in embedded:
        builder.report_unread(f"the embedded file {file!r}; add it separately")
    parts = list(_split_parts(pages))
    resolved = resolve_hyphens([part.lines for part in parts]) if parts else ()
    parts = [replace(part, lines=lines) for part, lines in zip(parts, resolved, strict=True)]
    _add_parts(builder, parts, outline)
    beginning = " ".join(islice((line.text for part in parts for line in part.lines), _BEGINNING_LINES))
    extracted = builder.build(clean_title(title, beginning), meta)
    return replace(extracted, boxes=pack_boxes(extracted.text, _placed_words(parts), CELL_SEPARATOR.strip()))


def _read_pages(
    pdf: pdfium.PdfDocument,
    name: str,
    *,
    use_ocr: bool,
    progress: Callable[[int, int], None] | None,
    recognising: Recognising,
) -> Iterator[Page]:
    """Yield the pages.

    Raises:
        TooLarge: the pages have more text than a document may; reading stops at that page, because a small file can
            contain endless text.
    """
    count, characters = len(pdf), 0
    seen = set[bytes]()
    if count > _MAX_PAGES:
        raise TooLarge(f"{name}: {count:,} pages, over the limit of {_MAX_PAGES:,}; split the file", field=name)
    for number in range(1, count + 1):
        page = read_page(pdf, number, seen, use_ocr=use_ocr, recognising=recognising)
        yield page
        characters += sum(len(line.text) for lines in page.lines.values() for line in lines)
        if characters > MAX_TEXT:
            raise TooLarge(
                f"{name}: over {MAX_TEXT:,} characters on the first {number:,} pages; split the file", field=name
            )
        if progress:
            progress(number, count)


def _check_text(pages: Sequence[Page], name: str) -> None:
    """Raise an error that says why a file has no text; blank pages are none."""
    if any(page.lines or page.comments for page in pages):
        return
    unread = [(page.number, reason) for page in pages for reason in page.unread]
    number, reason = next(((number, reason) for number, reason in unread if reason != DAMAGED_PAGE), (0, ""))
    if number:
        raise UnsupportedFormat(
            f"{name}: no text can be read; page {number} of {len(pages):,} has only {reason}", field=name
        )
    if unread or not pages:
        raise InvalidInput(f"{name}: no page can be read; save or download it again", field=name)


def _split_parts(pages: Sequence[Page]) -> Iterator[_Part]:
    """Yield the parts of each page, without running heads and with columns and tables arranged."""
    trimmed: dict[tuple[int, Direction], Sequence[Line]] = {}
    contents: dict[tuple[int, Direction], Sequence[range]] = {}
    for direction in {direction for page in pages for direction in page.lines}:
        heights = [page.view.turn(direction.turns).height for page in pages]
        # Recognised text is beside a line that a program stamped on the scan, but is what the page says.
        margins = {
            number
            for number, page in enumerate(pages)
            if not direction.is_recognised and direction in _order_directions(page.lines)[1:]
        }
        lines_by_page = [page.lines.get(direction, ()) for page in pages]
        # A sheet that was scanned several times says the same each time.
        copies = find_copies(lines_by_page) if direction.is_recognised else set[int]()
        lines_by_page = remove_running_heads(lines_by_page, heights, margins=margins, complete=copies)
        for page, lines, ranges in zip(pages, lines_by_page, find_contents(lines_by_page), strict=True):
            trimmed[page.number, direction] = lines
            contents[page.number, direction] = ranges
    for page in pages:
        # What was recognised in a figure follows the text around it.
        for direction in sorted(_order_directions(page.lines), key=lambda direction: direction.is_recognised):
            lines = trimmed[page.number, direction]
            kind: TextKind = "ocr" if direction.is_recognised else "text"
            rules = view_rules(page.rules, page.view.turn(direction.turns))
            start = 0
            for table in [*contents[page.number, direction], range(len(lines), len(lines))]:
                if start < table.start:
                    yield _Part(page, direction, kind, arrange_lines(lines[start : table.start], rules))
                if table:
                    yield _Part(page, direction, "contents", lines[table.start : table.stop])
                start = table.stop
        for comment in page.comments:
            lines = build_lines(replace(comment, text=f"{_COMMENT} {comment.text}"))
            yield _Part(page, Direction(), "text", lines, is_comment=True)


def _order_directions(lines: Mapping[Direction, Sequence[Line]]) -> Sequence[Direction]:
    """Return the directions of a page, that of the most text first."""
    return sorted(lines, key=lambda direction: -sum(len(line.text) for line in lines[direction]))


def _add_parts(builder: TextBuilder, parts: Sequence[_Part], outline: Mapping[int, Sequence[str]]) -> None:
    # Whether the last paragraph may continue, and whether it ends in the middle of a word.
    is_open, ends_mid_word = False, False
    previous: _Part | None = None
    for part, titles in zip(parts, _assign_titles(parts, outline), strict=True):
        builder.start_page(part.page.number)
        builder.start_kind(part.kind)
        is_plain = part.kind != "contents" and not part.is_comment
        if not (previous and is_plain and (part.kind, part.direction) == (previous.kind, previous.direction)):
            is_open = ends_mid_word = False
        previous = part
        if not is_plain:
            builder.add_block("\n".join(line.text for line in part.lines))
            continue
        for heading, paragraphs in group_by_heading(part.lines, titles):
            if heading is not None and heading.on_page:
                builder.add_heading(heading.text)
                is_open = ends_mid_word = False
            elif heading is not None:
                builder.start_section(heading.text)
            for paragraph in paragraphs:
                if paragraph.is_table:
                    builder.add_table(paragraph.rows, header_rows=paragraph.header_rows, labelled=paragraph.labelled)
                    is_open = ends_mid_word = False
                    continue
                text, is_code = paragraph.text, paragraph.is_code
                continues = is_open and not is_code and (ends_mid_word or text[:1].islower())
                builder.add_block(text, ("" if ends_mid_word else " ") if continues else "\n\n")
                ends_mid_word = paragraph.ends_mid_word
                is_open = ends_mid_word or not (is_code or ends_sentence(text))
        is_open = is_open and (ends_mid_word or _reaches_margin(part.lines))


def _reaches_margin(lines: Sequence[Line]) -> bool:
    """Return whether the last line is as wide as the lines above it, so that its paragraph may continue."""
    if not lines:
        return False
    last = lines[-1]
    if any(right[1] - left[2] > _MAX_WORD_GAP * last.height for left, right in pairwise(last.words)):
        return False
    widths = [line.right - line.left for line in lines if abs(line.left - last.left) <= _SAME_MARGIN]
    return len(widths) == len(lines) == 1 or (len(widths) > 1 and widths[-1] >= _MARGIN_SHARE * max(widths))


def _assign_titles(parts: Sequence[_Part], outline: Mapping[int, Sequence[str]]) -> list[list[str]]:
    """Return the titles of the outline for each part: those of its page that it has, or that no part has."""
    assigned: list[list[str]] = [[] for _ in parts]
    by_page: dict[int, list[int]] = {}
    for number, part in enumerate(parts):
        if part.kind != "contents" and not part.is_comment:
            by_page.setdefault(part.page.number, []).append(number)
    for page, numbers in by_page.items():
        titles = outline.get(page, ())
        texts = [" ".join(line.text for line in parts[number].lines).casefold() for number in numbers] if titles else []
        for title in titles:
            having = (number for number, text in zip(numbers, texts, strict=True) if title.casefold() in text)
            assigned[next(having, numbers[0])].append(title)
    return assigned


def _placed_words(parts: Sequence[_Part]) -> Iterator[tuple[str, Rectangle]]:
    """Yield the words of parts with their rectangles, in the coordinates of the pages that a viewer shows."""
    for part in parts:
        view, turns = part.page.view.turn(part.direction.turns), part.direction.turns
        for row in part.lines:
            for line in row.parts:
                for word, left, right in line.words:
                    box = (left, line.bottom, right, line.bottom + line.height)
                    if turns:
                        box = turn_back(box, view.width, view.height, turns)
                    yield word, Rectangle(part.page.number, *box)
