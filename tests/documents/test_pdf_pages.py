"""What the pages of a PDF are: blank, pictures, forms, with notes, turned, cropped or damaged."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pypdfium2.raw as raw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pypdfium2 import PdfDocument
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.formats import extract
from qa.documents.extract.images import ocr
from qa.documents.extract.pdf.document import extract_pdf
from qa.errors import QAError, UnsupportedFormat
from qa.text.boxes import rectangles_of
from qa.types import Span, Unread
from tests.documents.fuzzing import assert_rejects_file
from tests.documents.pdf_files import drawn, extract_one, mark_of, page_of, painted, rectangles

SENTENCES = ("The mill was built in 1822.", "The ferry was bought in 1988.", "The school opened in 1901.")
Paint = Callable[[Canvas], object]
needs_ocr = pytest.mark.skipif(not ocr.is_available(), reason="needs the extra `ocr`")


def words(text: str, left: float = 80, bottom: float = 700) -> Paint:
    return lambda canvas: canvas.drawString(left, bottom, text)


def scan(lines: int = 30, size: tuple[int, int] = (1240, 1754)) -> Image.Image:
    """Return a picture of lines of text, black on white."""
    image = Image.new("L", size, 250)
    draw = ImageDraw.Draw(image)
    for line in range(lines):
        draw.text((120, 140 + 48 * line), f"{line}: {SENTENCES[line % 3]} It is oiled.", fill=20, font_size=30)
    return image


def picture(image: Image.Image, box: tuple[float, float, float, float] = (0, 0, *A4)) -> Paint:
    left, bottom, width, height = box
    return lambda canvas: canvas.drawImage(ImageReader(image), left, bottom, width, height)


def both(*painters: Paint) -> Paint:
    return lambda canvas: [paint(canvas) for paint in painters]


def blank(canvas: Canvas) -> None:
    pass


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_blank_page_leaves_the_others_and_their_numbers(place: int) -> None:
    pages = [words(SENTENCES[0]), words(SENTENCES[1])]
    pages.insert(place, blank)
    extracted = extract_one(painted(*pages), "a.pdf")
    assert extracted.text == f"{SENTENCES[0]}\n\n{SENTENCES[1]}"
    numbers = [number for number in (1, 2, 3) if number != place + 1]
    assert [page_of(extracted, sentence) for sentence in SENTENCES[:2]] == numbers
    assert extracted.unread == ()


def test_a_picture_among_pages_of_text_is_reported_as_unread() -> None:
    extracted = extract_one(painted(words(SENTENCES[0]), picture(scan()), words(SENTENCES[1])), "a.pdf")
    assert extracted.text == f"{SENTENCES[0]}\n\n{SENTENCES[1]}"
    assert extracted.unread == (Unread(2, ocr.WITHOUT_OCR),)


def test_scans_with_a_stamped_line_are_reported_as_unread() -> None:
    pages = [both(picture(scan()), words(f"Scanned - page {number}", 60, 30)) for number in (1, 2)]
    extracted = extract_one(painted(*pages), "a.pdf")
    assert [unread.page for unread in extracted.unread] == [1, 2]
    assert "Scanned - page 2" in extracted.text


def test_a_scanned_blank_page_is_not_reported() -> None:
    extracted = extract_one(painted(words(SENTENCES[0]), picture(Image.new("L", (800, 1100), 247))), "a.pdf")
    assert extracted.unread == ()


def gradient() -> Image.Image:
    return Image.radial_gradient("L").resize((800, 1100))


@pytest.mark.parametrize(
    ("image", "box"),
    [
        (gradient(), (0, 0, *A4)),
        (scan(8), (80, 80, 300, 120)),
    ],
    ids=["background", "figure"],
)
def test_pictures_that_are_not_the_page_are_not_reported(
    image: Image.Image, box: tuple[float, float, float, float]
) -> None:
    text = [words(SENTENCES[number % 3], 80, 700 - 14 * number) for number in range(20)]
    extracted = extract_one(painted(both(picture(image, box), *text)), "a.pdf")
    assert extracted.unread == ()
    assert SENTENCES[2] in extracted.text


def small_scan(*texts: str) -> bytes:
    """Return a page with lines of text and a picture of text that covers a quarter of the page."""
    image = scan(7, (1240, 685))
    return painted(
        both(picture(image, (80, 300, 470, 260)), *(words(text, 80, 800 - 12 * n) for n, text in enumerate(texts)))
    )


def line(text: str, size: tuple[int, int] = (600, 60)) -> Image.Image:
    """Return a picture of a line of text, 30 pixels high."""
    image = Image.new("L", size, 250)
    ImageDraw.Draw(image).text((20, 12), text, fill=20, font_size=30)
    return image


def photograph(size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Return a picture of a dark thing with a structure on white."""
    image = Image.new("L", size, 250)
    image.paste(Image.effect_noise((200, 120), 90), (50, 40))
    return image


def frame() -> Image.Image:
    """Return a diagram: a box with a word in it, and an arrow that leads to it."""
    image = Image.new("L", (600, 240), 250)
    pen = ImageDraw.Draw(image)
    pen.rectangle((300, 20, 560, 220), outline=20, width=4)
    pen.line((20, 20, 20, 220, 300, 120), fill=20, width=4)
    pen.text((330, 100), "Kalstad station", fill=20, font_size=30)
    return image


def strips(image: Image.Image, left: float, top: float, scale: float) -> Paint:
    """Draw a picture in strips of 10 pixels, as some programs store it."""
    return lambda canvas: [
        picture(
            image.crop((0, y, image.width, y + 10)), (left, top - (y + 10) * scale, image.width * scale, 10 * scale)
        )(canvas)
        for y in range(0, image.height, 10)
    ]


FULL_PAGE = both(*(words(SENTENCES[number % 3], 80, 700 - 14 * number) for number in range(20)))


@pytest.mark.parametrize(
    "paint",
    [
        picture(line("Fee: 40 pounds"), (80, 200, 200, 20)),
        picture(line("Fee: 40 pounds"), (80, 200, 150, 15)),
        picture(frame(), (80, 200, 200, 80)),
        strips(line("Fee: 40 pounds"), 80, 220, 1 / 3),
    ],
    ids=["line", "small line", "diagram", "strips"],
)
def test_a_picture_of_a_line_of_text_is_reported_beside_much_text(paint: Paint) -> None:
    assert extract_one(painted(both(FULL_PAGE, paint)), "a.pdf").unread == (Unread(1, ocr.WITHOUT_OCR),)


@pytest.mark.parametrize("image", [photograph(), gradient(), line(""), line("o", (60, 60))])
def test_small_pictures_without_text_are_not_reported(image: Image.Image) -> None:
    data = painted(both(FULL_PAGE, picture(image, (80, 200, 150, 100)), picture(line("Fee: 40 pounds"), (9, 9, 19, 2))))
    assert extract_one(data, "a.pdf").unread == ()


def test_pictures_of_text_are_counted_for_each_page_and_a_logo_once() -> None:
    logo = picture(line("Wren & Daughters"), (400, 800, 100, 10))
    figure = picture(line("Fee: 40 pounds"), (80, 200, 200, 20))
    pages = [both(FULL_PAGE, logo), both(FULL_PAGE, logo, figure), both(FULL_PAGE, logo)]
    assert extract_one(painted(*pages), "a.pdf").unread == (Unread(1, ocr.WITHOUT_OCR), Unread(2, ocr.WITHOUT_OCR))
    two = both(FULL_PAGE, *(picture(line(text), (80, 300 - 40 * n, 200, 20)) for n, text in enumerate(SENTENCES[:2])))
    assert extract_one(painted(two), "a.pdf").unread == (Unread(1, ocr.without_ocr(2)),)


@needs_ocr
def test_a_line_in_a_picture_is_recognised_beside_much_text() -> None:
    data = painted(both(FULL_PAGE, picture(line("Fee: 40 pounds"), (80, 200, 200, 20))))
    (extracted,) = extract(data, "a.pdf", ocr=True)
    assert extracted.text.endswith("\n\nFee: 40 pounds")
    assert (mark_of(extracted, "Fee").kind, extracted.unread) == ("ocr", ())


@pytest.mark.parametrize("size", [16, 22, 30])
def test_a_scanned_line_beside_a_stamp_is_reported(size: int) -> None:
    image = Image.new("L", (1240, 1754), 250)
    ImageDraw.Draw(image).text((120, 140), SENTENCES[1], fill=20, font_size=size)
    extracted = extract_one(painted(both(picture(image), words("Scanned by a program", 300, 760))), "a.pdf")
    assert extracted.unread == (Unread(1, ocr.WITHOUT_OCR),)
    assert extract_one(painted(both(picture(image.crop((0, 0, 90, 90))), FULL_PAGE)), "a.pdf").unread == ()


LETTERHEAD = ("Hollis and Daughters, Solicitors", "Registered in England 12345")


@pytest.mark.parametrize("texts", [("Page 1",), LETTERHEAD])
def test_a_small_picture_of_text_is_reported_on_a_page_with_little_text(texts: Sequence[str]) -> None:
    extracted = extract_one(small_scan(*texts), "a.pdf")
    assert extracted.unread == (Unread(1, ocr.WITHOUT_OCR),)
    assert texts[0] in extracted.text
    photograph = painted(both(picture(gradient(), (80, 300, 470, 260)), words(texts[0])))
    assert extract_one(photograph, "a.pdf").unread == ()


@needs_ocr
@pytest.mark.parametrize("texts", [("Page 1",), LETTERHEAD, SENTENCES * 6])
def test_words_recognised_in_a_small_picture_follow_the_text(texts: Sequence[str]) -> None:
    (extracted,) = extract(small_scan(*texts), "a.pdf", ocr=True)
    assert extracted.text.index("The ferry was bought in 1988. It is oiled.") > extracted.text.index(texts[0])
    kinds = [mark.kind for mark in extracted.marks]
    assert (kinds, extracted.unread) == (["text", "ocr"], ())
    start = extracted.text.index("ferry was bought in 1988. It is oiled.")
    (ferry,) = rectangles_of(extracted.boxes, Span(start, start + 5))
    assert 300 <= ferry.bottom < ferry.top <= 560


def stamped_invisibly(canvas: Canvas) -> None:
    picture(scan())(canvas)
    text = canvas.beginText(400, 20)
    text.setTextRenderMode(3)
    text.textLine("ACME-000123")
    canvas.drawText(text)


def test_an_invisible_number_on_a_scan_is_not_its_recognised_text() -> None:
    extracted = extract_one(painted(stamped_invisibly), "a.pdf")
    assert extracted.unread == (Unread(1, ocr.WITHOUT_OCR),)
    assert [mark.kind for mark in extracted.marks] == ["text"]


@needs_ocr
def test_a_scan_with_an_invisible_number_is_recognised() -> None:
    (extracted,) = extract(painted(stamped_invisibly), "a.pdf", ocr=True)
    assert "The ferry was bought in 1988" in extracted.text
    assert "ACME-000123" in extracted.text
    assert [mark.kind for mark in extracted.marks] == ["text", "ocr"]
    assert extracted.unread == ()


@needs_ocr
def test_scans_that_say_the_same_below_a_stamp_keep_their_recognised_text() -> None:
    image = Image.new("L", (1240, 1754), 250)
    ImageDraw.Draw(image).text((120, 140), SENTENCES[1], fill=20, font_size=60)
    pages = [both(picture(image), words(f"Scanned by a program for offices - page {n}", 60, 30)) for n in range(4)]
    (extracted,) = extract(painted(*pages), "a.pdf", ocr=True)
    assert [mark.page for mark in extracted.marks if mark.kind == "ocr"] == [1, 2, 3, 4]


@needs_ocr
@pytest.mark.parametrize("lines", [2, 4])
def test_scans_of_the_same_sheet_keep_all_of_their_text(lines: int) -> None:
    (extracted,) = extract(painted(*[picture(scan(lines))] * 4), "a.pdf", ocr=True)
    assert extracted.text.count("It is oiled.") == 4 * lines


def test_a_file_of_pictures_is_refused_with_the_command_that_installs_ocr() -> None:
    with pytest.raises(
        UnsupportedFormat, match=r"a\.pdf: no text .* page 1 of 2 has only a picture .*; .*pip install 'spanlight"
    ):
        extract(painted(picture(scan()), picture(scan())), "a.pdf")


@needs_ocr
def test_ocr_reads_pictures_and_marks_their_text() -> None:
    data = painted(words("It stands dry."), both(picture(scan(4)), words("Stamped 2021", 60, 30)))
    done: list[tuple[int, int]] = []
    extracted = extract_pdf(data, "a.pdf", ocr=True, progress=lambda *counts: done.append(counts))
    assert "The ferry was bought in 1988" in extracted.text
    assert (mark_of(extracted, "ferry").page, mark_of(extracted, "ferry").kind) == (2, "ocr")
    assert [mark_of(extracted, phrase).kind for phrase in ("It stands", "Stamped")] == ["text", "text"]
    assert extracted.text.count("Stamped") == 1
    assert extracted.unread == ()
    assert done == [(1, 2), (2, 2)]
    (ferry,) = rectangles(extracted, "ferry")
    assert ferry.page == 2
    assert (ferry.left, ferry.bottom) == pytest.approx((120 / 1240 * A4[0] + 45, 800 - 188 / 1754 * A4[1]), abs=60)


def test_invisible_text_over_a_scan_is_marked_as_recognised() -> None:
    def recognised(canvas: Canvas) -> None:
        picture(scan(3))(canvas)
        text = canvas.beginText(80, 700)
        text.setTextRenderMode(3)
        text.textLine("The mill was recognised before.")
        canvas.drawText(text)

    extracted = extract_one(painted(words(SENTENCES[0]), recognised), "a.pdf")
    assert mark_of(extracted, "recognised before").kind == "ocr"
    assert mark_of(extracted, "built").kind == "text"
    assert extracted.unread == ()


def form(canvas: Canvas) -> None:
    fields = canvas.acroForm
    for label, bottom in (("Name:", 700), ("Floor:", 660), ("Pets allowed", 620), ("Smoking", 580)):
        canvas.drawString(80, bottom, label)
    fields.textfield(name="name", value="Odd Fjeld", x=200, y=695, width=150, height=18)
    fields.choice(name="floor", value="third", options=["first", "third"], x=200, y=655, width=90, height=18)
    fields.checkbox(name="pets", checked=True, x=200, y=617, size=14)
    fields.checkbox(name="smoke", checked=False, x=60, y=577, size=14)
    fields.textfield(name="empty", value="", x=200, y=540, width=150, height=18)


def test_values_of_a_form_are_beside_their_labels() -> None:
    extracted = extract_one(painted(form), "a.pdf")
    assert extracted.text.split("\n\n") == ["Name: Odd Fjeld", "Floor: third", "Pets allowed [x]", "[ ] Smoking"]
    (name,) = rectangles(extracted, "Odd Fjeld")
    assert name.left == pytest.approx(200, abs=1)
    assert 690 < name.bottom < name.top < 720


def test_a_value_of_several_lines_is_below_the_line_above_it() -> None:
    def remarks(canvas: Canvas) -> None:
        canvas.drawString(80, 700, "Remarks of the keeper")
        value = "It runs dry.\nIt is loud."
        canvas.acroForm.textfield(
            name="r", value=value, x=80, y=630, width=300, height=60, fieldFlags="multiline", fontSize=12
        )
        canvas.drawString(80, 600, "Signed in May")

    lines = extract_one(painted(remarks), "a.pdf").text.split("\n")
    assert [line for line in lines if line] == ["Remarks of the keeper", "It runs dry.", "It is loud.", "Signed in May"]


def annotated(*notes: tuple[int, str, int]) -> bytes:
    """Return a PDF of two pages whose first one has annotations with this subtype, text and flags."""
    pdf = PdfDocument(drawn([SENTENCES[0]], [SENTENCES[1]]))
    page = pdf[0]
    for subtype, text, flags in notes:
        annotation = raw.FPDFPage_CreateAnnot(page, subtype)
        raw.FPDFAnnot_SetRect(annotation, raw.FS_RECTF(left=80, top=660, right=300, bottom=640))
        encoded = text.encode("utf-16-le") + b"\0\0"
        raw.FPDFAnnot_SetStringValue(annotation, b"Contents", raw.cast(encoded, raw.POINTER(raw.FPDF_WCHAR)))
        raw.FPDFAnnot_SetFlags(annotation, flags)
        raw.FPDFPage_CloseAnnot(annotation)
    file = io.BytesIO()
    pdf.save(file)
    return file.getvalue()


def test_typed_text_and_notes_are_kept_and_hidden_ones_are_not() -> None:
    data = annotated(
        (raw.FPDF_ANNOT_FREETEXT, "Typed by hand", 4),
        (raw.FPDF_ANNOT_TEXT, "Is this right?", 4),
        (raw.FPDF_ANNOT_TEXT, "not shown", 2),
        (raw.FPDF_ANNOT_POPUP, "Is this right?", 4),
    )
    extracted = extract_one(data, "a.pdf")
    assert extracted.text.split("\n\n") == [SENTENCES[0], "Typed by hand", "Note: Is this right?", SENTENCES[1]]
    assert page_of(extracted, "right?") == 1


def test_embedded_files_are_reported_as_unread() -> None:
    pdf = PdfDocument(drawn([SENTENCES[0]]))
    attachment = pdf.new_attachment("prices.xlsx")
    attachment.set_data(b"data")
    file = io.BytesIO()
    pdf.save(file)
    (unread,) = extract_one(file.getvalue(), "a.pdf").unread
    assert unread == Unread(None, "the embedded file 'prices.xlsx'; add it separately")


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rectangles_are_where_a_viewer_shows_the_words(turns: int) -> None:
    pdf = PdfDocument(drawn(["The mill was built in 1822."]))
    pdf[0].set_rotation(90 * turns)
    pdf[0].set_cropbox(40, 100, 500, 800)
    file = io.BytesIO()
    pdf.save(file)
    data = file.getvalue()
    # The text is drawn upright on the page, so it runs sideways on a page that is turned.
    extracted = extract_one(data, "a.pdf")
    (mill,) = rectangles(extracted, "mill")
    with PdfDocument(data) as shown:
        image = shown[0].render(scale=2).to_pil().convert("L")
    height = image.height / 2
    box = tuple(round(2 * edge) for edge in (mill.left, height - mill.top, mill.right, height - mill.bottom))
    blackness = [255 - value for value in image.crop(box).tobytes()]
    assert sum(blackness) > 0.05 * 255 * len(blackness)
    # All ink of the word is inside: with the other words it fills the page, and without it the rest has gaps.
    around = image.crop((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1))
    assert sum(255 - value for value in around.tobytes()) <= 1.25 * sum(blackness)


def sideways(canvas: Canvas) -> None:
    canvas.drawString(80, 700, SENTENCES[0])
    canvas.saveState()
    canvas.translate(300, 200)
    canvas.rotate(90)
    for number, line in enumerate(("The ferry was bought in", "1988 and is blue.")):
        canvas.drawString(0, -14 * number, line)
    canvas.restoreState()


def test_text_that_runs_sideways_is_read_on_its_own() -> None:
    extracted = extract_one(painted(sideways), "a.pdf")
    assert extracted.text.split("\n\n") == [
        "The ferry was bought in 1988 and is blue.",
        "The mill was built in 1822.",
    ]
    (ferry,) = rectangles(extracted, "ferry")
    assert ferry.left < 300 < ferry.right
    assert 200 < ferry.bottom < ferry.top < 300
    assert ferry.top - ferry.bottom > ferry.right - ferry.left


def stamped(number: int) -> Paint:
    """Draw text, with a line along the margin and one across the page."""

    def paint(canvas: Canvas) -> None:
        canvas.drawString(80, 700, f"{SENTENCES[number % 3]} It is number {number * number}.")
        canvas.saveState()
        canvas.translate(20, 200)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Downloaded by Ada Lamb")
        canvas.restoreState()
        canvas.translate(200, 200)
        canvas.rotate(45)
        canvas.drawString(0, 0, "DRAFT")

    return paint


def test_a_stamp_on_each_page_is_kept_once() -> None:
    text = extract_one(painted(*map(stamped, range(6))), "a.pdf").text
    assert (text.count("Downloaded by"), text.count("DRAFT"), text.count("It is number")) == (1, 1, 6)


def test_turned_pages_that_say_the_same_keep_their_text() -> None:
    pdf = PdfDocument(drawn(*[["Hello world"]] * 5))
    for number, page in enumerate(pdf):
        page.set_rotation(90 * (number % 2))
    file = io.BytesIO()
    pdf.save(file)
    assert extract_one(file.getvalue(), "a.pdf").text.count("Hello world") == 5


def test_a_damaged_page_is_reported_and_the_others_are_read() -> None:
    data = drawn([SENTENCES[0]], [SENTENCES[1]], [SENTENCES[2]])
    assert data.count(b"3 0 R 4 0 R 5 0 R") == 1
    extracted = extract_one(data.replace(b"3 0 R 4 0 R 5 0 R", b"3 0 R 0 0 R 5 0 R"), "a.pdf")
    assert extracted.text == f"{SENTENCES[0]}\n\n{SENTENCES[2]}"
    assert [unread.page for unread in extracted.unread] == [2]


def test_an_outline_entry_that_cannot_be_decoded_is_skipped() -> None:
    data = drawn(["Intro", "It begins."], outline=[("Intro", 0), ("Second", 0)])
    assert data.count(b"/Title (Second)") == 1
    broken = data.replace(b"/Title (Second)", b"/Title <FEFFD8>")
    extracted = extract_one(broken, "a.pdf")
    assert mark_of(extracted, "begins").section == "Intro"


FORM = painted(form, picture(scan(2), (0, 0, 400, 400)), sideways)


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20),
    length=st.floats(0.2, 1),
)
def test_damaged_forms_and_pictures_give_text_or_a_clear_error(
    changes: Sequence[tuple[float, int]], length: float
) -> None:
    data = bytearray(FORM)
    for position, value in changes:
        data[int(position * len(data))] = value
    try:
        extracted = extract_one(bytes(data[: int(length * len(data))]), "a.pdf")
    except QAError as error:
        assert_rejects_file(error, "a.pdf")
    else:
        assert all(mark.start <= len(extracted.text) for mark in extracted.marks)
