"""PPTX: what the reader of a presentation sees is in its text, in reading order and on its slide."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml import parse_xml
from pptx.util import Inches

from qa.documents.extract.pptx.document import extract_pptx
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat
from qa.types import Unread, mark_at
from tests.documents.files import docx_with_compressed_text
from tests.documents.office_files import OLE, archive, docx_file, namespaces

TITLE_AND_CONTENT, TITLE_ONLY, BLANK = 1, 5, 6


def presentation(*fill: Callable[[Any], None], layout: int = BLANK) -> bytes:
    """Return a presentation with a slide for each function, which fills it."""
    deck = Presentation()
    for fill_slide in fill:
        fill_slide(deck.slides.add_slide(deck.slide_layouts[layout]))
    return saved(deck)


def saved(deck: Any) -> bytes:
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def rewritten(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return an archive with each part changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return archive({name: change(name, source.read(name)) for name in source.namelist()})


def box(slide: Any, text: str, left: float, top: float) -> Any:
    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(1))
    shape.text_frame.text = text
    return shape


def place_of(extracted: ExtractedText, words: str) -> tuple[int | None, str | None]:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    assert mark
    return mark.page, mark.section


def test_a_slide_is_a_page_and_its_title_a_section() -> None:
    def first(slide: Any) -> None:
        slide.shapes.title.text = "Oil"
        body = slide.placeholders[1].text_frame
        body.text = "Every six weeks."
        body.add_paragraph().text = "By the keeper."
        body.paragraphs[1].level = 1
        slide.notes_slide.notes_text_frame.text = "Say why."

    def second(slide: Any) -> None:
        slide.placeholders[1].text_frame.text = "No title here."

    deck = Presentation(io.BytesIO(presentation(first, second, layout=TITLE_AND_CONTENT)))
    deck.core_properties.title, deck.core_properties.author = "The pump", "Ada Lamb"
    extracted = extract_pptx(saved(deck), "a.pptx")
    assert extracted.text == "Oil\n\n- Every six weeks.\n  - By the keeper.\n\nNotes: Say why.\n\n- No title here."
    assert place_of(extracted, "Say why") == (1, "Oil")
    assert place_of(extracted, "No title") == (2, "Slide 2")
    assert (extracted.title, extracted.meta["author"]) == ("The pump", "Ada Lamb")


def test_shapes_are_read_from_top_to_bottom_and_left_to_right() -> None:
    def fill(slide: Any) -> None:
        box(slide, "last", 1, 5)
        box(slide, "right", 6, 1.1)
        box(slide, "left", 1, 1.2)
        group = slide.shapes.add_group_shape([box(slide, "second", 1, 3.5), box(slide, "first", 1, 3)])
        assert group is not None

    assert extract_pptx(presentation(fill), "a.pptx").text == "left\n\nright\n\nfirst\n\nsecond\n\nlast"


def test_placeholders_without_a_place_have_that_of_their_layout() -> None:
    def fill(slide: Any) -> None:
        box(slide, "below", 1, 6.9)
        slide.placeholders[1].text_frame.text = "above"

    assert extract_pptx(presentation(fill, layout=TITLE_AND_CONTENT), "a.pptx").text == "- above\n\nbelow"


def test_numbers_and_raised_text_of_paragraphs() -> None:
    def fill(slide: Any) -> None:
        frame = box(slide, "One", 1, 1).text_frame
        for text in ("Two", "Three"):
            frame.add_paragraph().text = text
        for paragraph in frame.paragraphs:
            properties = paragraph._p.get_or_add_pPr()
            properties.append(parse_xml(f'<a:buAutoNum {namespaces("a")} type="alphaLcParenR" startAt="2"/>'))
        exponent = frame.paragraphs[2].add_run()
        frame.paragraphs[2].runs[0].text = "10"
        exponent.text = "6"
        exponent.font._element.set("baseline", "30000")

    assert extract_pptx(presentation(fill), "a.pptx").text == "b) One\nc) Two\nd) 10^6"


def test_tables_keep_their_cells_and_header() -> None:
    def fill(slide: Any) -> None:
        table = slide.shapes.add_table(4, 3, 0, 0, Inches(6), Inches(2)).table
        rows = (("Region", "Sales", ""), ("", "May", "June"), ("North", "41", "46"), ("", "51", "56"))
        for number, cells in enumerate(rows):
            for column, text in enumerate(cells):
                table.cell(number, column).text = text
        table.cell(0, 1).merge(table.cell(0, 2))
        table.cell(2, 0).merge(table.cell(3, 0))

    extracted = extract_pptx(presentation(fill), "a.pptx")
    assert extracted.text == "Region | Sales | Sales\n | May | June\nNorth | 41 | 46\nNorth | 51 | 56"
    (found,) = extracted.tables
    assert (found.header, found.header_rows, found.labelled) == (("Region", "Sales May", "Sales June"), 2, True)


def test_a_chart_is_a_table_of_its_values() -> None:
    def fill(slide: Any) -> None:
        data = CategoryChartData(number_format="0.0%")
        data.categories = ["May", "June"]
        data.add_series("North", (0.41, 0.4599999999999999))
        data.add_series("South", (0.5, 0.6))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, Inches(5), Inches(3), data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Visitors"

    extracted = extract_pptx(presentation(fill), "a.pptx")
    assert extracted.text == "Visitors\n\n | North | South\nMay | 41% | 50%\nJune | 46% | 60%"
    assert extracted.tables[0].header == ("", "North", "South")


def test_points_of_a_chart_that_are_left_out_are_reported() -> None:
    def fill(slide: Any) -> None:
        data = CategoryChartData()
        data.categories = [f"Day {number}" for number in range(1, 2_004)]
        data.add_series("North", range(1, 2_004))
        slide.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, Inches(5), Inches(3), data)

    extracted = extract_pptx(presentation(fill), "a.pptx")
    assert extracted.text.endswith("\nDay 2000 | 2000")
    assert extracted.unread == (Unread(1, "3 points of a chart with over 2,000; add its values as a workbook"),)


def picture() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    file.seek(0)
    return file


def test_a_slide_of_a_picture_is_reported_as_not_read() -> None:
    def scan(slide: Any) -> None:
        slide.shapes.add_picture(picture(), 0, 0, Inches(10), Inches(7))

    def logo(slide: Any) -> None:
        box(slide, "It is oiled.", 1, 1)
        slide.shapes.add_picture(picture(), 0, 0, Inches(0.5), Inches(0.5))

    extracted = extract_pptx(presentation(scan, logo), "a.pptx")
    assert extracted.unread == (Unread(1, "a picture, perhaps of text"),)


def test_embedded_objects_and_films_are_reported() -> None:
    def fill(slide: Any) -> None:
        box(slide, "It is oiled.", 1, 1)
        slide.shapes.add_ole_object(io.BytesIO(b"x"), "Excel.Sheet.12", Inches(1), Inches(3))
        slide.shapes.add_movie(picture(), Inches(4), Inches(3), Inches(1), Inches(1), poster_frame_image=picture())

    extracted = extract_pptx(presentation(fill), "a.pptx")
    assert sorted(unread.reason for unread in extracted.unread) == ["a video", "an embedded object (Excel.Sheet.12)"]


def test_footers_and_prompts_are_left_out_and_hidden_slides_are_kept() -> None:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "Oil"
        for kind, text in (("ftr", "Confidential"), ("sldNum", "7"), ("dt", "May")):
            shape = box(slide, text, 1, 7)
            shape._element[0].find(f"{{{shape._element.nsmap['p']}}}nvPr").append(
                parse_xml(f'<p:ph {namespaces("p")} type="{kind}" idx="9"/>')
            )
        slide._element.set("show", "0")

    assert extract_pptx(presentation(fill, layout=TITLE_AND_CONTENT), "a.pptx").text == "Oil"


def simple() -> bytes:
    def fill(slide: Any) -> None:
        slide.shapes.title.text = "Oil"
        box(slide, "Every six weeks.", 1, 2)

    return presentation(fill, layout=TITLE_ONLY)


SIMPLE = simple()


@pytest.mark.parametrize("kind", ["slideshow.main", "template.main", "presentation.macroEnabled.main"])
def test_shows_templates_and_files_with_macros_are_read(kind: str) -> None:
    data = rewritten(SIMPLE, lambda _, content: content.replace(b"presentation.main+xml", f"{kind}+xml".encode()))
    assert extract_pptx(data, "a.pptx").text == "Oil\n\nEvery six weeks."


def test_strict_files_are_read() -> None:
    def change(_: str, content: bytes) -> bytes:
        content = re.sub(
            rb"http://schemas.openxmlformats.org/(presentationml|drawingml)/2006/",
            rb"http://purl.oclc.org/ooxml/\1/",
            content,
        )
        return content.replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/"
        )

    extracted = extract_pptx(rewritten(SIMPLE, change), "a.pptx")
    assert extracted.text == "Oil\n\nEvery six weeks."
    assert place_of(extracted, "six") == (1, "Oil")


def test_a_damaged_slide_or_layout_costs_no_other_text() -> None:
    def fill(slide: Any) -> None:
        box(slide, "It is oiled.", 1, 1)

    data = presentation(fill, fill)
    broken = rewritten(data, lambda name, content: content[:-9] if name == "ppt/slides/slide1.xml" else content)
    extracted = extract_pptx(broken, "a.pptx")
    assert (extracted.text, extracted.unread) == ("It is oiled.", (Unread(1, "a damaged slide"),))
    broken = rewritten(data, lambda name, content: content[:-9] if "slideLayout" in name else content)
    assert extract_pptx(broken, "a.pptx").text == "It is oiled.\n\nIt is oiled."


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), InvalidInput, "encrypted with a password"),
        (OLE + "PowerPoint Document".encode("utf-16-le"), UnsupportedFormat, "an old binary PowerPoint file"),
        (b"PK nothing", InvalidInput, "not a PPTX file, or damaged"),
        (docx_file(""), UnsupportedFormat, "a Word document; name it .docx"),
        (docx_with_compressed_text(301), TooLarge, "when unpacked"),
    ],
)
def test_names_what_is_wrong_with_a_file(data: bytes, error: type[InvalidInput], message: str) -> None:
    with pytest.raises(error, match=f"^a\\.pptx: .*{message}"):
        extract_pptx(data, "a.pptx")


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
    part=st.sampled_from(["", "ppt/slides/slide1.xml", "ppt/presentation.xml", "ppt/slideLayouts/slideLayout6.xml"]),
)
def test_damaged_files_give_text_or_a_clear_error(changes: list[tuple[float, int]], part: str) -> None:
    def change(_: str, content: bytes) -> bytes:
        damaged = bytearray(content)
        for position, value in changes:
            damaged[int(position * len(damaged))] = value
        return bytes(damaged)

    data = rewritten(SIMPLE, lambda name, content: change(name, content) if name == part else content)
    rejection = None
    try:
        extracted = extract_pptx(data if part else change("", SIMPLE), "a.pptx")
    except QAError as error:
        rejection = error
    if rejection:
        assert rejection.message.startswith("a.pptx: ")
    else:
        assert isinstance(extracted.text, str)
