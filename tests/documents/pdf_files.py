"""Draw small PDFs, and find words in what is extracted from them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.formats import extract
from qa.documents.extract.text_builder import ExtractedText
from qa.text.boxes import rectangles_of
from qa.types import Mark, Rectangle, Span, mark_at


def extract_one(data: bytes, name: str) -> ExtractedText:
    (extracted,) = extract(data, name)
    return extracted


def mark_of(extracted: ExtractedText, words: str) -> Mark:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    assert mark
    return mark


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def page_of(extracted: ExtractedText, words: str) -> int | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.page if mark else None


def rectangles(extracted: ExtractedText, words: str) -> Sequence[Rectangle]:
    start = extracted.text.index(words)
    return rectangles_of(extracted.boxes, Span(start, start + len(words)))


def painted(*painters: Callable[[Canvas], object], size: tuple[float, float] = A4) -> bytes:
    """Return a PDF with a page that each painter draws."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=size)
    for paint in painters:
        paint(canvas)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def placed_at(*lines: Sequence[tuple[float, str]], step: float = 14) -> bytes:
    """Return a PDF of one page with lines whose parts have these left edges."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for number, parts in enumerate(lines):
        for left, words in parts:
            canvas.drawString(left, 760 - step * number, words)
    canvas.save()
    return file.getvalue()


def drawn(*pages: Sequence[str], outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """Return a PDF with these lines on its pages, and titles of the outline on these pages."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for page_number, lines in enumerate(pages):
        for title, page in outline:
            if page == page_number:
                canvas.bookmarkPage(title)
                canvas.addOutlineEntry(title, title)
        for number, words in enumerate(lines):
            canvas.drawString(80, 700 - 14 * number, words)
        canvas.showPage()
    canvas.save()
    return file.getvalue()
