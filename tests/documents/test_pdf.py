"""Extraction of PDFs: the text, sections, pages and rectangles that a reader of the file sees."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from qa.errors import InvalidInput, QAError
from qa.text.boxes import boxes_within, rectangles_of
from qa.types import Rectangle, Span, mark_at
from qa.validation import MAX_META_VALUE
from tests.conftest import golden_documents
from tests.documents.files import pdf_with_properties
from tests.documents.fuzzing import assert_rejects_file
from tests.documents.pdf_files import drawn, extract_one, page_of, placed_at, section_of


class Manual(BaseDocTemplate):  # type: ignore[misc]
    """Two columns on each page, an outline of the headings, and a running foot."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pagesize=A4, title="The pump")
        width = (A4[0] - 100) / 2
        columns = [Frame(40 + side * (width + 20), 60, width, A4[1] - 120) for side in (0, 1)]
        self.addPageTemplates([PageTemplate(frames=columns, onPage=self.foot)])

    @staticmethod
    def foot(canvas: Canvas, document: Any) -> None:
        canvas.drawString(200, 30, f"The pump manual, page {document.page} of 9")

    def afterFlowable(self, flowable: Any) -> None:  # noqa: N802
        if isinstance(flowable, Paragraph) and flowable.style.name == "Heading1":
            self.canv.bookmarkPage(flowable.getPlainText())
            self.canv.addOutlineEntry(flowable.getPlainText(), flowable.getPlainText())


def sentences(chapter: int, number: int) -> str:
    year = 1900 + chapter * 12 + number
    return (
        f"Pump {chapter}-{number} of the harbour is oiled every six weeks by the keeper of the mill, who was appointed "
        f"in {year} by the council of Lower Hutton. It stands dry."
    )


def manual() -> bytes:
    styles = getSampleStyleSheet()
    parts: list[Paragraph] = []
    for chapter in range(6):
        parts.append(Paragraph(f"Chapter {chapter}", styles["Heading1"]))
        parts += [Paragraph(sentences(chapter, number), styles["BodyText"]) for number in range(12)]
    file = io.BytesIO()
    Manual(file).build(parts)
    return file.getvalue()


MANUAL = manual()


def test_has_columns_pages_and_outline() -> None:
    extracted = extract_one(MANUAL, "manual.pdf")
    assert extracted.title == "The pump"
    assert "page 1 of 9" not in extracted.text
    for chapter in range(6):
        for number in range(12):
            words = sentences(chapter, number)
            assert words in re.sub(r"\s+", " ", extracted.text)
            assert section_of(extracted, f"Pump {chapter}-{number} of") == f"Chapter {chapter}"
    pages = [mark.page for mark in extracted.marks if mark.page]
    assert pages == sorted(pages)
    assert page_of(extracted, "Pump 0-0") == 1
    assert page_of(extracted, "Pump 5-11") == pages[-1] > 1


def test_joins_words_hyphenated_at_line_ends() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for number, words in enumerate(
        ("The keeper wrote a long docu-", "ment on the harbour and its", "pumps. It is lost.")
    ):
        canvas.drawString(80, 700 - 14 * number, words)
    canvas.drawString(80, 600, "Another paragraph.")
    canvas.save()
    assert extract_one(file.getvalue(), "a.pdf").text == (
        "The keeper wrote a long document on the harbour and its pumps. It is lost.\n\nAnother paragraph."
    )


def test_keeps_hyphens_that_belong_to_the_word() -> None:
    lines = [
        "It was built by the engineers Smith-",
        "Jones and O'Hara, to a state-of-the-",
        "art plan, by a docu-",
        "ment that a well-known firm wrote; well-",
        "known, though not for this, from 1998-",
        "2004. It is for non-govern-",
        "mental bodies, in CAPI-",
        "TALS. It stands.",
    ]
    extracted = extract_one(drawn(lines), "a.pdf")
    assert extracted.text == (
        "It was built by the engineers Smith-Jones and O'Hara, to a state-of-the-art plan, by a document that a "
        "well-known firm wrote; well-known, though not for this, from 1998-2004. It is for "
        "non-governmental bodies, in CAPITALS. It stands."
    )
    start = extracted.text.index("Smith-Jones")
    assert len(rectangles_of(extracted.boxes, Span(start, start + len("Smith-Jones")))) == 2
    start = extracted.text.rindex("known")
    (rectangle,) = rectangles_of(extracted.boxes, Span(start, start + len("known")))
    assert rectangle.left == pytest.approx(80, abs=1)


def test_reads_columns_drawn_line_by_line_one_after_the_other() -> None:
    left = [
        "The museum opened in the spring of",
        "1931 under its first keeper. She",
        "gathered the pottery of the valley,",
        "and made a list of four thou-",
        "sand pieces. Then came the war.",
    ]
    right = [
        "Today it is run by a trust of eleven",
        "members. Entrance is free on Sundays",
        "and costs six pounds on other days.",
        "Walks start from the gate at noon.",
    ]
    heading = [(80.0, "The museum of the valley, and how it is run today, in as few words as could be found")]
    rows = [[(60.0, a), (320.0, b)] for a, b in zip(left, right, strict=False)]
    extracted = extract_one(placed_at(heading, [], *rows, [(60.0, left[-1])]), "a.pdf")
    assert extracted.text.splitlines()[0] == heading[0][1]
    assert (
        "The museum opened in the spring of 1931 under its first keeper. She gathered the pottery of the valley, and "
        "made a list of four thousand pieces. Then came the war."
    ) in extracted.text
    assert (
        "Today it is run by a trust of eleven members. Entrance is free on Sundays and costs six pounds on other days. "
        "Walks start from the gate at noon."
    ) in extracted.text
    start = extracted.text.index("Entrance")
    (entrance,) = rectangles_of(extracted.boxes, Span(start, start + len("Entrance")))
    assert entrance.left > 320


def test_table_rows_are_lines_with_bars() -> None:
    extracted = extract_one(
        placed_at(
            [(60, "The fares of the ferry are these, until the end of the season:")],
            [(60, "route"), (200, "Adult"), (300, "Child")],
            [(60, "to Mull"), (200, "7.50"), (300, "3.80 | free")],
            [(60, "Oban to Coll"), (200, "18.00"), (300, "9.00")],
            [(60, "dogs travel free of charge.")],
        ),
        "a.pdf",
    )
    assert extracted.text == (
        "The fares of the ferry are these, until the end of the season:\n\n"
        "route | Adult | Child\nto Mull | 7.50 | 3.80 | free\nOban to Coll | 18.00 | 9.00\n\n"
        "dogs travel free of charge."
    )
    # Only one of the bars is on the page.
    for words, left in (("Adult", 200), ("7.50", 200), ("3.80", 300), ("9.00", 300)):
        start = extracted.text.index(words)
        (rectangle,) = rectangles_of(extracted.boxes, Span(start, start + len(words)))
        assert rectangle.left == pytest.approx(left, abs=1)


def test_table_rows_with_long_cells_are_not_columns() -> None:
    hours = {
        "Opening hours of the museum": "Monday to Friday, 9 to 17 o'clock",
        "Opening hours of the library": "Tuesday to Sunday, 10 to 18 o'clock",
        "Opening hours of the bath": "Every day but the first, 7 to 21",
        "Grade of the last inspection": "A-",
        "Grade of the previous one": "B",
    }
    extracted = extract_one(placed_at(*([(60, label), (320, value)] for label, value in hours.items())), "a.pdf")
    assert extracted.text.splitlines() == [f"{label} | {value}" for label, value in hours.items()]


@pytest.mark.parametrize("width", [130, 150, 170, 240])
def test_justified_text_is_not_a_table(width: float) -> None:
    file = io.BytesIO()
    style = ParagraphStyle("justified", fontName="Times-Roman", fontSize=10, leading=12, alignment=TA_JUSTIFY)
    words = "\n".join(path.read_text(encoding="utf-8") for path in golden_documents())
    story = [Paragraph(escape(part), style) for part in words.split("\n") if part.strip() and "|" not in part]
    frame = Frame(60, 60, width, 720, 0, 0, 0, 0)
    document = BaseDocTemplate(file, pagesize=A4, pageTemplates=[PageTemplate(frames=[frame])])
    document.build(story)
    assert extract_one(file.getvalue(), "a.pdf").text.count(" | ") <= 2


@pytest.mark.parametrize("marker", ["•", "–", "{}.", "({})", "{}", "2.{}", "[{}]", "{roman}."])
def test_lists_are_not_tables(marker: str) -> None:
    items = ["Close the valve.", "Drain the pump.", "Take out the filter."]
    lines = [[(60.0, marker.format(number, roman="i" * number)), (90.0, item)] for number, item in enumerate(items, 1)]
    extracted = extract_one(placed_at(*lines), "a.pdf")
    assert "|" not in extracted.text
    assert all(item in extracted.text for item in items)


def test_words_have_their_rectangles() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    lines = ("The keeper wrote a long docu-", "ment on the harbour and its", "pumps. It is lost.")
    for number, words in enumerate(lines):
        canvas.drawString(80, 700 - 14 * number, words)
    canvas.showPage()
    canvas.drawString(100, 500, "No one looks for it.")
    canvas.save()
    extracted = extract_one(file.getvalue(), "a.pdf")

    def rectangles(words: str) -> Sequence[Rectangle]:
        start = extracted.text.index(words)
        return rectangles_of(extracted.boxes, Span(start, start + len(words)))

    def left_of(line: str, words: str) -> float:
        return float(80 + stringWidth(line.partition(words)[0], "Helvetica", 12))

    (keeper,) = rectangles("keeper")
    assert keeper.left == pytest.approx(left_of(lines[0], "keeper"), abs=1)
    assert keeper.right - keeper.left == pytest.approx(stringWidth("keeper", "Helvetica", 12), abs=1)
    assert keeper.bottom <= 700 <= keeper.top
    # A hyphenated word has two rectangles, and so has a phrase that spans two lines.
    first, second = rectangles("document on the")
    assert (first.left, second.left) == pytest.approx((left_of(lines[0], "docu"), 80), abs=1)
    assert second.right == pytest.approx(left_of(lines[1], " harbour"), abs=1)
    assert first.bottom > second.bottom
    # Words of one line share a rectangle; part of a word has the rectangle of the whole.
    (phrase,) = rectangles("harbour and its")
    assert phrase.left == pytest.approx(left_of(lines[1], "harbour"), abs=1)
    assert rectangles("arbou") == rectangles("harbour")
    (second_page,) = rectangles("looks")
    assert (second_page.page, second_page.bottom <= 500 <= second_page.top) == (2, True)
    whole = Span(0, len(extracted.text))
    passage = Span(extracted.text.index("ment"), extracted.text.index("pumps") + 5)
    assert rectangles_of(boxes_within(extracted.boxes, passage), whole) == rectangles_of(extracted.boxes, passage)


def test_every_word_of_a_pdf_has_a_rectangle() -> None:
    extracted = extract_one(MANUAL, "manual.pdf")
    for match in re.finditer(r"\S+", extracted.text):
        boxes = rectangles_of(extracted.boxes, Span(*match.span()))
        assert boxes, match
        mark = mark_at(extracted.marks, match.start())
        # A paragraph that spans two pages is marked with its first page.
        assert mark
        assert boxes[0].page - (mark.page or 0) in (0, 1)
        assert all(0 <= b.left < b.right <= A4[0] and 0 <= b.bottom < b.top <= A4[1] for b in boxes)


def test_removes_running_heads_but_keeps_lines_that_differ_in_a_number() -> None:
    days = [[f"On day {day} it was {degrees} degrees."] for day, degrees in ((1, 21), (2, 19), (3, 25), (4, 22))]
    extracted = extract_one(drawn(*days), "a.pdf")
    assert all(lines[0] in extracted.text for lines in days)
    rows = [[f"{2019 + n} {n * n} 200", "words", f"{n * 7 % 5}.5 {n * 3 % 4}.7"] for n in range(4)]
    extracted = extract_one(drawn(*rows), "a.pdf")
    assert all(line in extracted.text for lines in rows for line in lines)
    extracted = extract_one(
        drawn(*([f"Manual 2020, page {n} of 4", f"Page {n} says this.", f"- {n} -"] for n in range(1, 5))), "a.pdf"
    )
    assert "Manual" not in extracted.text
    assert "- 2 -" not in extracted.text
    assert "Page 2 says this." in extracted.text


def test_finds_outline_titles_in_the_text() -> None:
    lines = ["Intro", "It begins here, with words", "and more words.", "A long", "warranty", "It ends after a year."]
    extracted = extract_one(
        drawn(["Cover"], lines, outline=[("Intro", 1), ("A long warranty", 1), ("Cover", 0)]), "a.pdf"
    )
    sections = [section_of(extracted, words) for words in ("Cover", "begins", "more words", "ends")]
    assert sections == ["Cover", "Intro", "Intro", "A long warranty"]


def test_joins_words_hyphenated_at_page_ends() -> None:
    extracted = extract_one(drawn(["He wrote a docu-"], ["ment. It is kept."]), "a.pdf")
    assert "He wrote a document. It is kept." in extracted.text
    extracted = extract_one(drawn(["It is state-of-the-"], ["art. It is kept."]), "a.pdf")
    assert "It is state-of-the-art. It is kept." in extracted.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("D:20240501093000+02'00'", "2024-05-01T09:30:00+02:00"),
        ("D:20240501093000-05", "2024-05-01T09:30:00-05:00"),
        ("20240501093000Z", "2024-05-01T09:30:00+00:00"),
        ("D:2024", "2024-01-01T00:00:00+00:00"),
        ("D:20249901", None),
        ("D:20241", "2024-01-01T00:00:00+00:00"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_parses_dates_and_cleans_properties(value: str, expected: str | None) -> None:
    # The title has a character that cannot be stored, and one field cannot be decoded.
    broken = b"/Title (The\\000 pump) /Producer <FEFFD800> /Keywords <FEFFD800> "
    date = f"/CreationDate ({value}) /Author (Ada\\000 Lamb) /Subject ({'pump ' * 3000})"
    data = pdf_with_properties(broken + date.encode())
    subject = ("pump " * 3000)[:MAX_META_VALUE]
    properties = {"author": "Ada Lamb", "subject": subject, "created": expected}
    extracted = extract_one(data, "a.pdf")
    assert extracted.title == "The pump"
    assert extracted.meta == {name: text for name, text in properties.items() if text}


def test_properties_of_files_become_metadata() -> None:
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setTitle("The pump")
    canvas.setAuthor("Ada Lamb")
    canvas.setSubject("Harbours")
    canvas.setKeywords("oil, belts")
    canvas.drawString(80, 700, "It is oiled.")
    canvas.save()
    extracted = extract_one(file.getvalue(), "a.pdf")
    assert extracted.title == "The pump"
    assert {name: extracted.meta[name] for name in ("author", "subject", "keywords")} == {
        "author": "Ada Lamb",
        "subject": "Harbours",
        "keywords": "oil, belts",
    }
    assert datetime.fromisoformat(str(extracted.meta["created"])).tzinfo is not None


def test_rejects_a_pdf_with_a_password() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, encrypt="secret")
    canvas.drawString(80, 700, "hidden")
    canvas.save()
    with pytest.raises(InvalidInput, match=r"a\.pdf: encrypted with a password"):
        extract_one(file.getvalue(), "a.pdf")


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=30))
def test_damaged_files_give_text_or_a_clear_error(changes: list[tuple[float, int]]) -> None:
    data = bytearray(MANUAL)
    for position, value in changes:
        data[int(position * len(data))] = value
    for damaged in (bytes(data), bytes(data[: int(changes[0][0] * len(data))])):
        try:
            extracted = extract_one(damaged, "a.pdf")
        except QAError as error:
            assert_rejects_file(error, "a.pdf")
        else:
            assert all(0 <= mark.start <= len(extracted.text) for mark in extracted.marks)
