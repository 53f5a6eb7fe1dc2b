"""Each format: text, sections and pages, as a reader of the file sees them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from qa.documents.extract.formats import extract
from qa.documents.extract.text_builder import ExtractedText
from qa.documents.files import documents_in
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.text.boxes import boxes_within, rectangles_of
from qa.types import Mark, Rectangle, Span, mark_at
from qa.validation import MAX_META_VALUE
from tests.conftest import golden_documents
from tests.documents.files import docx_of_much_text, pdf_with_properties


def made(data: bytes, name: str) -> ExtractedText:
    (only,) = extract(data, name)
    return only


def section_of(read: ExtractedText, words: str) -> str | None:
    mark = mark_at(read.marks, read.text.index(words))
    return mark.section if mark else None


def page_of(read: ExtractedText, words: str) -> int | None:
    mark = mark_at(read.marks, read.text.index(words))
    return mark.page if mark else None


def test_markdown() -> None:
    read = made(
        b"---\ntitle: The pump\ndate: 2024-05-01\ntags: [a, b]\n---\nBefore.\n\n# Oil\n\nEvery *six* "
        b"[weeks](http://x.org).\nNever **dry**.\n\n## Parts\n\n| Part | Price |\n|---|---|\n| Belt | 3 `euro` |\n\n"
        b"- one\n  1. inner\n- two\n\n> said\n\n```\nrun it\n```\n\n<table><tr><td>cell</td></tr></table>\n",
        "pump.md",
    )
    assert read.text == (
        "Before.\n\nOil\n\nEvery six weeks.\nNever dry.\n\nParts\n\nPart | Price\nBelt | 3 euro\n\n"
        "- one\n  1. inner\n- two\n\nsaid\n\nrun it\n\ncell"
    )
    assert (read.title, read.meta) == ("The pump", {"date": "2024-05-01", "tags": "a, b"})
    assert [section_of(read, words) for words in ("Before", "Oil", "dry", "Belt")] == [None, "Oil", "Oil", "Parts"]


def test_markdown_without_front_matter() -> None:
    read = made(b"---\nA rule, and words.\n---\n\n# Title\n", "a.md")
    assert (read.title, read.meta) == ("Title", {})
    assert read.text == "A rule, and words.\n\nTitle"
    read = made(b"---\n*Note*: this: is prose\n---\n", "a.md")
    assert (read.text, read.meta) == ("Note: this: is prose", {})
    assert made(b"---\n---\nWords.", "a.md").text == "Words."


def test_markdown_with_html_in_it() -> None:
    read = made(b"one<br>two\n\n| a |\n|---|\n| b<br/>c |\n\n- item\n\n  <p>inner</p>\n", "a.md")
    assert read.text == "one\ntwo\n\na\nb c\n\n- item\ninner"


def test_html() -> None:
    read = made(
        b"""<!doctype html><html><head><title> The
        pump </title><style>p {}</style></head><body><header>Site</header><nav><a href="/">Home</a></nav>
        <div role="search">Find</div><main><h1>Oil</h1><p>Every
        six <b>week</b>s.<br>Never dry.<script>run()</script></p>loose <i>words</i><p hidden>not seen</p>
        <table><tr><th>Part</th><th>Price</th></tr><tr><td>Belt</td><td>3<br>euro</td></tr></table>
        <h2>More</h2><ul><li>one<ol><li>inner</li></ol></li><li>two</li></ul><pre>a
  b</pre></main><footer>Imprint</footer></body></html>""",
        "pump.html",
    )
    assert read.text == (
        "Oil\n\nEvery six weeks.\nNever dry.\n\nloose words\n\nPart | Price\nBelt | 3 euro\n\n"
        "More\n\n- one\n  1. inner\n- two\n\na\n  b"
    )
    assert read.title == "The pump"
    assert [section_of(read, words) for words in ("dry", "Belt", "inner")] == ["Oil", "Oil", "More"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<meta charset="windows-1252"><p>café €'.encode("cp1252"), "café €"),
        ("<p>café".encode(), "café"),
        ("<p>café".encode("utf-16"), "café"),
        (b"no element", "no element"),
        (b"", ""),
        (b"<body><article>One</article><article>Two</article>", "One\n\nTwo"),
        (b"<body><p>around</p><article><header>Head</header>Text</article>", "Head\n\nText"),
        (b"<p>a &amp; b&nbsp;c &#x1F642;</p>", "a & b c 🙂"),
        (b"<table><caption>Prices</caption><tr hidden><td>x</td></tr><tr><td>a</td></tr></table>", "Prices\n\na"),
        (b"<ul>loose<li>a</li><ul><li>b</li></ul><li hidden>x</li></ul>", "loose\n- a\n  - b"),
        (b"<ol start=5><li>a</li><li value=9>b</li><li>c</li></ol>", "5. a\n9. b\n10. c"),
    ],
)
def test_pages_of_every_kind(data: bytes, text: str) -> None:
    assert made(data, "a.html").text == text


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    document.add_heading("The pump", 0)
    document.add_heading("Oil", 1)
    document.add_paragraph("Every six weeks.")
    for words in ("one", "two"):
        document.add_paragraph(words, style="List Bullet")
    table = document.add_table(2, 2)
    for place, words in enumerate(("Part", "Price", "Belt", "3 euro")):
        table.cell(place // 2, place % 2).text = words
    document.add_heading("More", 2)
    document.add_paragraph("The end.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_docx() -> None:
    read = made(WORD, "a.docx")
    assert read.text == (
        "The pump\n\nOil\n\nEvery six weeks.\n\n- one\n- two\n\nPart | Price\nBelt | 3 euro\n\nMore\n\nThe end."
    )
    assert read.title == "The pump"
    assert [section_of(read, words) for words in ("six", "Belt", "end")] == ["Oil", "Oil", "More"]


def test_docx_without_properties_is_the_same_each_time() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORD)) as whole, zipfile.ZipFile(packed, "w") as part:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "_rels/.rels":
                content = re.sub(rb"<Relationship [^>]*core-properties[^>]*/>", b"", content)
            if name != "docProps/core.xml":
                part.writestr(name, content)
    read = made(packed.getvalue(), "a.docx")
    assert (read.title, read.meta) == ("The pump", {})


def test_docx_with_changes_controls_and_tables_in_tables() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("The fee is ")
    for tag, words in (("ins", "forty euros"), ("del", "ten euros")):
        text = f'<w:t xml:space="preserve">{words}</w:t>' if tag == "ins" else f"<w:delText>{words}</w:delText>"
        paragraph._p.append(parse_xml(f'<w:{tag} {nsdecls("w")} w:id="1"><w:r>{text}</w:r></w:{tag}>'))
    paragraph.add_run(" a year.")
    table = document.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Merged"
    table.cell(1, 0).text = "Outer"
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "Inner"
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Controlled.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(0, parse_xml(control))
    file = io.BytesIO()
    document.save(file)
    read = made(file.getvalue(), "a.docx")
    assert read.text == "Controlled.\n\nThe fee is forty euros a year.\n\nMerged\nOuter | Inner"


class Manual(BaseDocTemplate):  # type: ignore[misc]
    """Two columns a page, an outline of the headings, and a line at the foot."""

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


MANUAL, WORD = manual(), word()


def test_pdf_columns_pages_and_outline() -> None:
    read = made(MANUAL, "manual.pdf")
    assert read.title == "The pump"
    assert "page 1 of 9" not in read.text
    for chapter in range(6):
        for number in range(12):
            words = sentences(chapter, number)
            assert words in re.sub(r"\s+", " ", read.text)
            assert section_of(read, f"Pump {chapter}-{number} of") == f"Chapter {chapter}"
    pages = [mark.page for mark in read.marks if mark.page]
    assert pages == sorted(pages)
    assert page_of(read, "Pump 0-0") == 1
    assert page_of(read, "Pump 5-11") == pages[-1] > 1


def test_pdf_words_broken_at_the_end_of_a_line_are_whole() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for place, words in enumerate(
        ("The keeper wrote a long docu-", "ment on the harbour and its", "pumps. It is lost.")
    ):
        canvas.drawString(80, 700 - 14 * place, words)
    canvas.drawString(80, 600, "Another paragraph.")
    canvas.save()
    assert made(file.getvalue(), "a.pdf").text == (
        "The keeper wrote a long document on the harbour and its pumps. It is lost.\n\nAnother paragraph."
    )


def test_pdf_words_keep_the_hyphens_that_are_their_own() -> None:
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
    read = made(drawn(lines), "a.pdf")
    assert read.text == (
        "It was built by the engineers Smith-Jones and O'Hara, to a state-of-the-art plan, by a document that a "
        "well-known firm wrote; well-known, though not for this, from 1998-2004. It is for "
        "non-governmental bodies, in CAPITALS. It stands."
    )
    start = read.text.index("Smith-Jones")
    assert len(rectangles_of(read.boxes, Span(start, start + len("Smith-Jones")))) == 2
    start = read.text.rindex("known")
    (known,) = rectangles_of(read.boxes, Span(start, start + len("known")))
    assert known.left == pytest.approx(80, abs=1)


def placed_at(*lines: Sequence[tuple[float, str]], step: float = 14) -> bytes:
    """A PDF of one page with lines whose parts begin at these places."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for number, parts in enumerate(lines):
        for left, words in parts:
            canvas.drawString(left, 760 - step * number, words)
    canvas.save()
    return file.getvalue()


def test_pdf_columns_that_are_drawn_across_are_read_one_after_the_other() -> None:
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
    rows = [[(60.0, one), (320.0, other)] for one, other in zip(left, right, strict=False)]
    read = made(placed_at(heading, [], *rows, [(60.0, left[-1])]), "a.pdf")
    assert read.text.splitlines()[0] == heading[0][1]
    assert (
        "The museum opened in the spring of 1931 under its first keeper. She gathered the pottery of the valley, and "
        "made a list of four thousand pieces. Then came the war."
    ) in read.text
    assert (
        "Today it is run by a trust of eleven members. Entrance is free on Sundays and costs six pounds on other days. "
        "Walks start from the gate at noon."
    ) in read.text
    start = read.text.index("Entrance")
    (entrance,) = rectangles_of(read.boxes, Span(start, start + len("Entrance")))
    assert entrance.left > 320


def test_pdf_rows_of_a_table_are_lines_with_bars() -> None:
    read = made(
        placed_at(
            [(60, "The fares of the ferry are these, until the end of the season:")],
            [(60, "route"), (200, "Adult"), (300, "Child")],
            [(60, "to Mull"), (200, "7.50"), (300, "3.80 | free")],
            [(60, "Oban to Coll"), (200, "18.00"), (300, "9.00")],
            [(60, "dogs travel free of charge.")],
        ),
        "a.pdf",
    )
    assert read.text == (
        "The fares of the ferry are these, until the end of the season:\n\n"
        "route | Adult | Child\nto Mull | 7.50 | 3.80 | free\nOban to Coll | 18.00 | 9.00\n\n"
        "dogs travel free of charge."
    )
    # The bars are not on the page, but for one.
    for words, left in (("Adult", 200), ("7.50", 200), ("3.80", 300), ("9.00", 300)):
        start = read.text.index(words)
        (place,) = rectangles_of(read.boxes, Span(start, start + len(words)))
        assert place.left == pytest.approx(left, abs=1)


def test_pdf_rows_with_longer_cells_are_no_columns() -> None:
    hours = {
        "Opening hours of the museum": "Monday to Friday, 9 to 17 o'clock",
        "Opening hours of the library": "Tuesday to Sunday, 10 to 18 o'clock",
        "Opening hours of the bath": "Every day but the first, 7 to 21",
        "Grade of the last inspection": "A-",
        "Grade of the one before it": "B",
    }
    read = made(placed_at(*([(60, label), (320, value)] for label, value in hours.items())), "a.pdf")
    assert read.text.splitlines() == [f"{label} | {value}" for label, value in hours.items()]


@pytest.mark.parametrize("width", [130, 150, 170, 240])
def test_pdf_text_that_is_set_flush_is_no_table(width: float) -> None:
    file = io.BytesIO()
    style = ParagraphStyle("flush", fontName="Times-Roman", fontSize=10, leading=12, alignment=TA_JUSTIFY)
    words = "\n".join(path.read_text(encoding="utf-8") for path in golden_documents())
    story = [Paragraph(escape(part), style) for part in words.split("\n") if part.strip() and "|" not in part]
    frame = Frame(60, 60, width, 720, 0, 0, 0, 0)
    document = BaseDocTemplate(file, pagesize=A4, pageTemplates=[PageTemplate(frames=[frame])])
    document.build(story)
    assert made(file.getvalue(), "a.pdf").text.count(" | ") <= 2


@pytest.mark.parametrize("marker", ["•", "–", "{}.", "({})", "{}", "2.{}", "[{}]", "{roman}."])
def test_pdf_lists_are_no_tables(marker: str) -> None:
    items = ["Close the valve.", "Drain the pump.", "Take out the filter."]
    lines = [[(60.0, marker.format(number, roman="i" * number)), (90.0, item)] for number, item in enumerate(items, 1)]
    read = made(placed_at(*lines), "a.pdf")
    assert "|" not in read.text
    assert all(item in read.text for item in items)


def test_pdf_words_have_the_rectangles_in_which_they_stand() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    lines = ("The keeper wrote a long docu-", "ment on the harbour and its", "pumps. It is lost.")
    for place, words in enumerate(lines):
        canvas.drawString(80, 700 - 14 * place, words)
    canvas.showPage()
    canvas.drawString(100, 500, "Nobody looks for it.")
    canvas.save()
    read = made(file.getvalue(), "a.pdf")

    def lit(words: str) -> Sequence[Rectangle]:
        start = read.text.index(words)
        return rectangles_of(read.boxes, Span(start, start + len(words)))

    def left_of(line: str, words: str) -> float:
        return float(80 + stringWidth(line.partition(words)[0], "Helvetica", 12))

    (keeper,) = lit("keeper")
    assert keeper.left == pytest.approx(left_of(lines[0], "keeper"), abs=1)
    assert keeper.right - keeper.left == pytest.approx(stringWidth("keeper", "Helvetica", 12), abs=1)
    assert keeper.bottom <= 700 <= keeper.top
    # A word that was broken is in two places, and so is what goes over a line's end.
    first, second = lit("document on the")
    assert (first.left, second.left) == pytest.approx((left_of(lines[0], "docu"), 80), abs=1)
    assert second.right == pytest.approx(left_of(lines[1], " harbour"), abs=1)
    assert first.bottom > second.bottom
    # Of several words in a line there is one; a part of a word lights up the whole.
    (several,) = lit("harbour and its")
    assert several.left == pytest.approx(left_of(lines[1], "harbour"), abs=1)
    assert lit("arbou") == lit("harbour")
    (other,) = lit("looks")
    assert (other.page, other.bottom <= 500 <= other.top) == (2, True)
    whole = Span(0, len(read.text))
    passage = Span(read.text.index("ment"), read.text.index("pumps") + 5)
    assert rectangles_of(boxes_within(read.boxes, passage), whole) == rectangles_of(read.boxes, passage)


def test_every_word_of_a_pdf_has_a_place() -> None:
    read = made(MANUAL, "manual.pdf")
    for found in re.finditer(r"\S+", read.text):
        boxes = rectangles_of(read.boxes, Span(*found.span()))
        assert boxes, found
        mark = mark_at(read.marks, found.start())
        # A paragraph that goes on over the page's end is of the page on which it begins.
        assert mark
        assert boxes[0].page - (mark.page or 0) in (0, 1)
        assert all(0 <= b.left < b.right <= A4[0] and 0 <= b.bottom < b.top <= A4[1] for b in boxes)


def drawn(*pages: Sequence[str], outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """A PDF with these lines on its pages, one below the other."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    for number, lines in enumerate(pages):
        for title, at in outline:
            if at == number:
                canvas.bookmarkPage(title)
                canvas.addOutlineEntry(title, title)
        for place, words in enumerate(lines):
            canvas.drawString(80, 700 - 14 * place, words)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_pdf_lines_that_differ_in_a_number_are_not_running_heads() -> None:
    days = [[f"On day {day} it was {degrees} degrees."] for day, degrees in ((1, 21), (2, 19), (3, 25), (4, 22))]
    read = made(drawn(*days), "a.pdf")
    assert all(lines[0] in read.text for lines in days)
    rows = [[f"{2019 + n} {n * n} 200", "words", f"{n * 7 % 5}.5 {n * 3 % 4}.7"] for n in range(4)]
    read = made(drawn(*rows), "a.pdf")
    assert all(line in read.text for lines in rows for line in lines)
    read = made(drawn(*([f"Manual 2020, {n} of 4", f"Page {n} says this.", f"- {n} -"] for n in range(1, 5))), "a.pdf")
    assert "Manual" not in read.text
    assert "- 2 -" not in read.text
    assert "Page 2 says this." in read.text


def test_pdf_headings_of_the_outline_are_found_in_the_text() -> None:
    lines = ["Intro", "It begins here, with words", "and more words.", "A long", "warranty", "It ends after a year."]
    read = made(drawn(["Cover"], lines, outline=[("Intro", 1), ("A long warranty", 1), ("Cover", 0)]), "a.pdf")
    sections = [section_of(read, words) for words in ("Cover", "begins", "more words", "ends")]
    assert sections == ["Cover", "Intro", "Intro", "A long warranty"]


def test_pdf_words_broken_by_a_page_or_with_soft_hyphens_are_whole() -> None:
    read = made(drawn(["He wrote a docu-"], ["ment. It is kept."]), "a.pdf")
    assert "He wrote a document. It is kept." in read.text
    read = made(drawn(["It is state-of-the-"], ["art. It is kept."]), "a.pdf")
    assert "It is state-of-the-art. It is kept." in read.text


@pytest.mark.parametrize(
    ("told", "read"),
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
def test_pdf_dates(told: str, read: str | None) -> None:
    # A title with what cannot be kept, and a field that cannot be decoded.
    broken = b"/Title (The\\000 pump) /Producer <FEFFD800> /Keywords <FEFFD800> "
    date = f"/CreationDate ({told}) /Author (Ada\\000 Lamb) /Subject ({'pump ' * 3000})"
    data = pdf_with_properties(broken + date.encode())
    subject = ("pump " * 3000)[:MAX_META_VALUE]
    expected = {"author": "Ada Lamb", "subject": subject, "created": read}
    found = made(data, "a.pdf")
    assert found.title == "The pump"
    assert found.meta == {name: value for name, value in expected.items() if value}


def test_properties_of_files_become_metadata() -> None:
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setTitle("The pump")
    canvas.setAuthor("Ada Lamb")
    canvas.setSubject("Harbours")
    canvas.setKeywords("oil, belts")
    canvas.drawString(80, 700, "It is oiled.")
    canvas.save()
    read = made(file.getvalue(), "a.pdf")
    assert read.title == "The pump"
    assert {name: read.meta[name] for name in ("author", "subject", "keywords")} == {
        "author": "Ada Lamb",
        "subject": "Harbours",
        "keywords": "oil, belts",
    }
    assert datetime.fromisoformat(str(read.meta["created"])).tzinfo is not None
    document = docx.Document()
    document.add_paragraph("It is oiled.")
    told = document.core_properties
    told.author, told.subject, told.keywords, told.created = "Ada Lamb", "", "oil", datetime(2024, 5, 1, tzinfo=UTC)
    told.modified = datetime(2025, 6, 2, tzinfo=UTC)
    packed = io.BytesIO()
    document.save(packed)
    read = made(packed.getvalue(), "a.docx")
    assert {name: str(value)[:10] for name, value in read.meta.items()} == {
        "author": "Ada Lamb",
        "keywords": "oil",
        "created": "2024-05-01",
        "modified": "2025-06-02",
    }


def test_pdf_of_pictures_is_named_as_such() -> None:
    file, picture = io.BytesIO(), io.BytesIO()
    # A picture of one pixel.
    picture.write(b"P6 1 1 255\n\x80\x80\x80")
    picture.seek(0)
    canvas = Canvas(file)
    canvas.drawImage(ImageReader(picture), 0, 0, 300, 300)
    canvas.showPage()
    canvas.save()
    with pytest.raises(UnsupportedFormat, match="scan: 1 pages of pictures without any text"):
        extract(file.getvalue(), "scan")


def test_pdf_with_a_password() -> None:
    file = io.BytesIO()
    canvas = Canvas(file, encrypt="secret")
    canvas.drawString(80, 700, "hidden")
    canvas.save()
    with pytest.raises(InvalidInput, match=r"a\.pdf: needs a password"):
        extract(file.getvalue(), "a.pdf")


def test_marks_begin_where_something_changes() -> None:
    read = made(b"Intro.\n\n# A\n\nText.\n\n# B\n\n# C\n\nMore.", "a.md")
    assert read.marks == (Mark(8, None, "A"), Mark(18, None, "B"), Mark(21, None, "C"))
    assert all(read.text[mark.start :].startswith(mark.section or "") for mark in read.marks)


def text_or_clear_error(data: bytes, name: str) -> None:
    refusal = None
    try:
        read = extract(data, name)
    except InvalidInput as error:
        refusal = error
    if refusal:
        assert refusal.message.startswith(f"{name}: ")
    else:
        assert all(isinstance(part.text, str) for part in read)


@pytest.mark.parametrize("ending", ["txt", "md", "html", "pdf", "docx", "csv", "jsonl", "unknown", ""])
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_text_or_a_clear_error(ending: str, data: bytes) -> None:
    for before in (b"", b"%PDF-1.4\n", b"---\na: ", b"<table><tr>", b"text\n"):
        text_or_clear_error(before + data, f"some.{ending}")


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=30))
def test_damaged_files_give_text_or_a_clear_error(name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray({"a.pdf": MANUAL, "a.docx": WORD}[name])
    for place, value in changes:
        data[int(place * len(data))] = value
    text_or_clear_error(bytes(data), name)
    text_or_clear_error(bytes(data[: int(changes[0][0] * len(data))]), name)


def test_small_files_that_stand_for_much_are_refused() -> None:
    packed = docx_of_much_text(301)
    assert len(packed) < 1_000_000
    with pytest.raises(TooLarge, match="when unpacked"):
        extract(packed, "bomb.docx")
    aliases = "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20))
    with pytest.raises(InvalidInput, match="aliases are not taken"):
        extract(f"---\na: &a [x]\n{aliases}---\n".encode(), "bomb.md")


def test_what_is_nested_without_end_is_told() -> None:
    for data in (b"<div>" * 100_000 + b"words", b"<p>before</p>" + b"<div>" * 300 + b"inside"):
        with pytest.raises(InvalidInput, match=r"deep\.html: elements are nested too deeply"):
            extract(data, "deep.html")
    assert made(b"> " * 40 + b"word", "deep.md").text == "word"
    with pytest.raises(InvalidInput, match=r"deep\.md: the document has no text"):
        documents_in(b"> " * 50_000 + b"word", "deep.md", extract)
    with pytest.raises(InvalidInput, match=r"deep\.jsonl: line 1: "):
        extract(b"[" * 100_000, "deep.jsonl")
