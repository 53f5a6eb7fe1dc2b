"""Read the pages of a PDF: their lines, the lines drawn on them, comments, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from math import sqrt

import pypdfium2 as pdfium

from qa.documents.extract.images import ocr
from qa.documents.extract.images.ocr import Recognising
from qa.documents.extract.pdf.annotations import read_annotations
from qa.documents.extract.pdf.characters import Direction, page_frame, read_text
from qa.documents.extract.pdf.geometry import Box, Frame, turn_back
from qa.documents.extract.pdf.grids import Rules
from qa.documents.extract.pdf.layout import Line
from qa.documents.extract.pdf.pictures import Drawings
from qa.documents.extract.pdf.placed_text import PlacedText, insert_texts
from qa.documents.extract.pdf.rules import read_rules

DAMAGED_PAGE = "a damaged page; save the file again with another program"
_UNKNOWN_CHARACTERS = "text in fonts that do not say which characters they show; " + ocr.WITHOUT_OCR.partition("; ")[2]
# The least number of characters without a meaning that make a page illegible, if fewer are legible.
_MIN_UNKNOWN = 20
_DOTS_PER_POINT, _MAX_PIXELS = 300 / 72, 20_000_000
_UPRIGHT = Direction()


@dataclass(frozen=True, slots=True)
class Page:
    """What was read from a page.

    Attributes:
        number: counted from 1.
        view: the part of the page that a viewer shows.
        lines: the lines of each direction, in the coordinates of the view turned by its quarter turns.
        rules: the lines drawn on the page, in the coordinates of the page.
        comments: comments on the text, in the coordinates of the view.
        unread: why parts of the page were not read.
    """

    number: int
    view: Frame = field(default_factory=Frame)
    lines: Mapping[Direction, Sequence[Line]] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    comments: Sequence[PlacedText] = ()
    unread: Sequence[str] = ()


def read_page(
    pdf: pdfium.PdfDocument, number: int, seen: set[bytes], *, use_ocr: bool, recognising: Recognising = nullcontext
) -> Page:
    """Return what can be read from a page; a damaged page has only the reason why it was not read.

    Args:
        pdf: the document.
        number: the number of the page, from 1.
        seen: digests of small pictures of earlier pages, which are not read again; those of this page are added.
        use_ocr: whether to recognise the text of pages that are pictures.
        recognising: makes the context in which a page is recognised.
    """
    try:
        page = pdf.get_page(number - 1)
    except pdfium.PdfiumError:
        return Page(number, unread=[DAMAGED_PAGE])
    try:
        return _read_page(page, number, seen, use_ocr=use_ocr, recognising=recognising)
    except pdfium.PdfiumError:
        return Page(number, unread=[DAMAGED_PAGE])
    finally:
        page.close()


def _read_page(page: pdfium.PdfPage, number: int, seen: set[bytes], *, use_ocr: bool, recognising: Recognising) -> Page:
    view = page_frame(page)
    drawings = Drawings(page, view)
    text = read_text(page, view, drawings)
    lines = text.lines
    texts = list(read_annotations(page, view))
    values = [placed for placed in texts if not placed.is_comment]
    if values:
        lines[_UPRIGHT] = insert_texts(lines.get(_UPRIGHT, ()), values)
        lines = {direction: rows for direction, rows in lines.items() if rows}
    readable = sum(len(line.text) for rows in lines.values() for line in rows)
    is_unknown = text.unknown >= max(_MIN_UNKNOWN, readable)
    boxes = [box for direction, rows in lines.items() for box in _line_boxes(rows, direction, view)]
    recognised_before = sum(
        len(line.text) for direction, rows in lines.items() if direction.is_recognised for line in rows
    )
    if recognised_before and drawings.holds_more(recognised_before):
        # Such as a number that a program stamped on a scan.
        lines, recognised_before = _mark_as_text(lines), 0
    use_ocr = use_ocr and ocr.is_available()
    unread: list[str] = []
    pictures: Sequence[Box] = ()
    if not (is_unknown or recognised_before):
        pictures = drawings.find_unread(boxes, readable, seen, use_ocr=use_ocr)
    if is_unknown or pictures:
        if use_ocr:
            is_figure = bool(boxes) and not is_unknown and not drawings.is_mostly_picture
            recognised = _recognise(page, view, pictures if is_figure else None, recognising)
            rows = recognised.lines
            if recognised.unread:
                unread.append(ocr.ILLEGIBLE if is_figure else recognised.unread)
            if is_figure and recognised.is_uncertain:
                rows = []
            direction = Direction(recognised.turns, is_recognised=True)
            if is_unknown:
                lines = {}
            elif not recognised.turns:
                rows = [line for line in rows if not any(_is_within(line, box) for box in boxes)]
            if rows:
                lines[direction] = list(rows)
        else:
            unread.append(_UNKNOWN_CHARACTERS if is_unknown else ocr.without_ocr(len(pictures)))
    comments = [placed for placed in texts if placed.is_comment]
    return Page(number, view, lines, read_rules(page) if lines else Rules(), comments, unread)


def _line_boxes(lines: Sequence[Line], direction: Direction, view: Frame) -> Iterator[Box]:
    """Yield the boxes of lines in the coordinates of the page's view."""
    turned = view.turn(direction.turns)
    for line in lines:
        box = (line.left, line.bottom, line.right, line.bottom + line.height)
        yield turn_back(box, turned.width, turned.height, direction.turns)


def _is_within(line: Line, box: Box) -> bool:
    x, y = (line.left + line.right) / 2, line.bottom + line.height / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _mark_as_text(lines: Mapping[Direction, list[Line]]) -> dict[Direction, list[Line]]:
    """Return the lines of each direction, in which none count as recognised."""
    marked: dict[Direction, list[Line]] = {}
    for direction, rows in lines.items():
        marked.setdefault(replace(direction, is_recognised=False), []).extend(rows)
    return marked


def _recognise(
    page: pdfium.PdfPage, view: Frame, pictures: Sequence[Box] | None, recognising: Recognising
) -> ocr.RecognisedPage:
    """Recognise the text of a page, or only that of its pictures."""
    scale = min(_DOTS_PER_POINT, sqrt(_MAX_PIXELS / max(1.0, view.width * view.height)))
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        image = bitmap.to_pil()
        if pictures is not None:
            image = ocr.keep_parts(image, pictures, scale)
        with recognising():
            return ocr.recognise_page(image, view.width, view.height)
    finally:
        bitmap.close()
