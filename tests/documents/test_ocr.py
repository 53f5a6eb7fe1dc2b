"""Text in pictures and scans is recognised, with its place on the page as shown, or the reason is reported."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.images import ocr
from qa.documents.extract.images.ocr import recognise_page
from qa.documents.extract.images.pictures import PictureFile, extract_picture
from qa.documents.extract.pdf.document import extract_pdf
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat
from qa.text.boxes import rectangles_of
from qa.types import Rectangle, Span

pytestmark = pytest.mark.slow

needs_ocr = pytest.mark.skipif(not ocr.is_available(), reason="needs the extra: pip install 'spanlight[ocr]'")

LINES = (
    "The pump is oiled every six weeks.",
    "The owner of the north station is Tolland,",
    "and the yearly fee is 120 pounds.",
)
TEXT = (
    "The pump is oiled every six weeks.\nThe owner of the north station is Tolland, and the yearly fee is 120 pounds."
)
# Of the letters, and of the margin and the steps between lines, in pixels.
SIZE, MARGIN, STEP = 28, 60, 42
WIDTH, HEIGHT = 700, 260


def draw(
    lines: Sequence[str] = LINES, size: int = SIZE, background: object = 255, ink: object = 0, mode: str = "L"
) -> Image.Image:
    """Return a picture of lines of text."""
    image = Image.new(mode, (WIDTH * size // SIZE, HEIGHT * size // SIZE), background)  # type: ignore[arg-type]
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=size)
    for number, line in enumerate(lines):
        pen.text((MARGIN * size / SIZE, (MARGIN + number * STEP) * size / SIZE), line, font=font, fill=ink)  # type: ignore[arg-type]
    return image


def save(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def scan(images: Sequence[Image.Image], rotation: int = 0) -> bytes:
    """Return a PDF whose pages are pictures, two pixels to a point."""
    data = io.BytesIO()
    canvas = Canvas(data)
    for image in images:
        width, height = image.width / 2, image.height / 2
        # The library turns the page size too.
        canvas.setPageSize((height, width) if rotation % 180 else (width, height))
        canvas.setPageRotation(rotation)
        canvas.drawImage(ImageReader(image), 0, 0, width, height)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


def words(text: str) -> list[str]:
    return text.split()


def place_of(extracted: ExtractedText, word: str) -> Rectangle:
    start = extracted.text.index(word)
    (rectangle,) = rectangles_of(extracted.boxes, Span(start, start + len(word)))
    return rectangle


def ink_box(image: Image.Image, word: str, line: int) -> tuple[float, float, float, float]:
    """Return the left, bottom, right and top edge of a word of `LINES` in a picture, in pixels from its lower left."""
    font = ImageFont.load_default(size=SIZE)
    before = LINES[line].index(word)
    left = MARGIN + font.getlength(LINES[line][:before])
    _, top, right, bottom = font.getbbox(word)
    y = MARGIN + line * STEP
    return left, image.height - (y + bottom), left + right, image.height - (y + top)


@needs_ocr
def test_the_text_of_a_picture_is_recognised_with_its_place() -> None:
    image = draw()
    extracted = extract_picture(save(image), "pump.png", ocr=True)
    assert words(extracted.text) == words(TEXT)
    assert [(mark.page, mark.kind) for mark in extracted.marks] == [(1, "ocr")]
    assert not extracted.unread
    for word, line in (("oiled", 0), ("Tolland,", 1), ("120", 2)):
        found, drawn = place_of(extracted, word), ink_box(image, word, line)
        assert (found.left, found.right) == pytest.approx((drawn[0], drawn[2]), abs=4)
        # The height is that of the line.
        assert drawn[1] - 12 <= found.bottom <= drawn[1] + 3
        assert drawn[3] - 3 <= found.top <= drawn[3] + 12


@needs_ocr
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_picture_is_read_and_its_words_are_where_they_are_shown(quarters: int) -> None:
    upright = extract_picture(save(draw()), "pump.png", ocr=True)
    turned = extract_picture(save(draw().rotate(90 * quarters, expand=True)), "pump.png", ocr=True)
    assert words(turned.text) == words(TEXT)
    box, found = place_of(upright, "Tolland,"), place_of(turned, "Tolland,")
    expected = {
        1: (HEIGHT - box.top, box.left, HEIGHT - box.bottom, box.right),
        2: (WIDTH - box.right, HEIGHT - box.top, WIDTH - box.left, HEIGHT - box.bottom),
        3: (box.bottom, WIDTH - box.right, box.top, WIDTH - box.left),
    }[quarters]
    assert (found.left, found.bottom, found.right, found.top) == pytest.approx(expected, abs=4)


@needs_ocr
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photograph_is_read_as_its_camera_was_held(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = draw().rotate({3: 180, 6: 90, 8: 270}[orientation], expand=True)
    extracted = extract_picture(save(stored, "JPEG", exif=exif), "pump.jpg", ocr=True)
    assert words(extracted.text) == words(TEXT)
    drawn = ink_box(draw(), "Tolland,", 1)
    assert place_of(extracted, "Tolland,").left == pytest.approx(drawn[0], abs=4)


@needs_ocr
def test_each_frame_of_a_tiff_file_is_a_page_and_progress_is_reported() -> None:
    pages = [draw([line]) for line in LINES]
    pages.insert(1, Image.new("L", (WIDTH, HEIGHT), 250))
    data = save(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    reports: list[tuple[int, int]] = []
    extractor = Extractor()
    (extracted,) = extractor.extract(data, "fax.tiff", progress=lambda done, count: reports.append((done, count)))
    extractor.close()
    assert words(extracted.text) == [word for line in LINES for word in words(line)]
    assert [(mark.page, mark.kind) for mark in extracted.marks] == [(1, "ocr"), (3, "ocr"), (4, "ocr")]
    assert place_of(extracted, "Tolland,").page == 3
    # A blank page has nothing to report.
    assert not extracted.unread
    assert reports == [(1, 4), (2, 4), (3, 4), (4, 4)]


@needs_ocr
@pytest.mark.parametrize(
    ("image", "format"),
    [
        (draw().convert("1"), "TIFF"),
        (draw(mode="RGB", background=(250, 240, 210), ink=(30, 30, 90)), "JPEG"),
        (draw(mode="RGB", background="white", ink="black").convert("P"), "GIF"),
        (draw(mode="CMYK", background=(0, 0, 0, 0), ink=(0, 0, 0, 255)), "JPEG"),
        (draw(mode="RGBA", background=(0, 0, 0, 0), ink=(0, 0, 0, 255)), "PNG"),
        (draw(mode="RGBA", background=(0, 0, 0, 0), ink=(0, 0, 0, 255)), "WEBP"),
        (Image.fromarray(np.asarray(draw()).astype(np.uint16) * 200), "PNG"),
        (draw(), "BMP"),
    ],
    ids=["1 bit", "coloured", "palette", "CMYK", "transparent", "WEBP", "16 bits", "BMP"],
)
def test_pictures_of_every_kind_are_read(image: Image.Image, format: str) -> None:
    assert words(extract_picture(save(image, format), "pump", ocr=True).text) == words(TEXT)


@needs_ocr
@pytest.mark.parametrize("size", [14, 56])
def test_small_and_large_letters_are_read(size: int) -> None:
    read = words(extract_picture(save(draw(size=size)), "pump.png", ocr=True).text)
    assert len(set(read) & set(words(TEXT))) >= len(set(words(TEXT))) - 1


@needs_ocr
def test_light_letters_on_a_dark_ground_are_read() -> None:
    assert words(extract_picture(save(draw(background=20, ink=240)), "pump.png", ocr=True).text) == words(TEXT)


@needs_ocr
def test_a_page_in_the_shade_is_read() -> None:
    shade = np.linspace(1, 0.2, WIDTH)[None, :] * np.linspace(1, 0.6, HEIGHT)[:, None]
    shaded = Image.fromarray((np.asarray(draw()) * shade).astype(np.uint8))
    # Small marks may be mistaken: a comma for a semicolon.
    assert re.findall(r"\w+", extract_picture(save(shaded), "pump.png", ocr=True).text) == re.findall(r"\w+", TEXT)


@needs_ocr
def test_two_columns_are_read_one_after_the_other() -> None:
    left, right = (
        "Each pump has a tank\nthat holds the oil for\nsix weeks of running",
        "Fees are paid in May\nby every owner who\nhas a licence to run",
    )
    page = Image.new("L", (900, 300), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=SIZE)
    for x, column in ((50, left), (500, right)):
        pen.multiline_text((x, 50), column, font=font, fill=0, spacing=14)
    text = " ".join(extract_picture(save(page), "pump.png", ocr=True).text.split())
    assert text == " ".join(f"{left} {right}".split())


@needs_ocr
def test_a_blurred_picture_is_reported() -> None:
    blurred = draw().filter(ImageFilter.GaussianBlur(2.7))
    extracted = extract_picture(save(blurred), "pump.png", ocr=True)
    assert extracted.text
    assert [(part.page, part.reason) for part in extracted.unread] == [(1, ocr.UNCERTAIN)]


@needs_ocr
def test_a_picture_without_text_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (40, 60), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC)
    assert recognise_page(photo, 600, 400).unread == ocr.ILLEGIBLE
    with pytest.raises(UnsupportedFormat, match=r"^photo\.png: a picture without legible text$"):
        extract_picture(save(photo), "photo.png", ocr=True)


@needs_ocr
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (40_000, 3), (3, 40_000)])
def test_pictures_of_any_shape_are_safe(size: tuple[int, int]) -> None:
    assert recognise_page(Image.new("L", size, 0), *size).lines == []


def test_without_ocr_the_command_that_installs_it_is_named() -> None:
    message = (
        r"^pump\.png: a picture of text; to read it, run pip install 'spanlight\[ocr\]' and leave QA_OCR at 'auto'$"
    )
    with pytest.raises(UnsupportedFormat, match=message):
        extract_picture(save(draw()), "pump.png", ocr=False)


def test_the_setting_turns_ocr_off() -> None:
    extractor = Extractor(ocr=False)
    with pytest.raises(UnsupportedFormat, match=r"pip install 'spanlight\[ocr\]'"):
        extractor.extract(save(draw()), "pump.png")
    extractor.close()


@needs_ocr
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_scanned_pdf_is_recognised_with_its_place(rotation: int) -> None:
    # As scanners store pages that were fed sideways: the picture is turned, and the page is turned back.
    image = draw()
    stored = image.rotate(rotation, expand=True)
    data = scan([stored], rotation)
    extracted = extract_pdf(data, "pump.pdf", ocr=True)
    assert words(extracted.text) == words(TEXT)
    assert [(mark.page, mark.kind) for mark in extracted.marks] == [(1, "ocr")]
    drawn, found = ink_box(image, "Tolland,", 1), place_of(extracted, "Tolland,")
    assert (found.left, found.right) == pytest.approx((drawn[0] / 2, drawn[2] / 2), abs=3)
    assert found.bottom == pytest.approx(drawn[1] / 2, abs=6)


@needs_ocr
def test_a_scan_is_recognised_within_the_limits_of_the_child_process() -> None:
    extractor, reports = Extractor(), []
    (extracted,) = extractor.extract(
        scan([draw(), draw(LINES[:1])]), "pump.pdf", progress=lambda done, pages: reports.append((done, pages))
    )
    assert words(extracted.text) == words(TEXT) + words(LINES[0])
    assert reports == [(1, 2), (2, 2)]
    extractor.close()


def heic(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + bytes(100)


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"mif1", "HEIF"), (b"avif", "AVIF")])
def test_pictures_of_telephones_that_cannot_be_read_are_named(brand: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=rf"^IMG_1: {name} pictures are not supported; save it as JPEG or PNG$"):
        extract_picture(heic(brand), "IMG_1", ocr=True)


def test_a_picture_with_too_many_pixels_is_refused() -> None:
    bomb = save(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(TooLarge, match=r"^bomb\.png: over the limit of [\d,]+ pixels; save a smaller copy$"):
        extract_picture(bomb, "bomb.png", ocr=True)


def test_a_picture_with_too_many_pages_is_refused() -> None:
    frames = [Image.new("1", (1, 1))] * 1001
    with pytest.raises(TooLarge, match=r"^fax\.tif: 1,001 pages, over the limit of 1,000; split the file$"):
        PictureFile(save(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "fax.tif")


def test_a_damaged_picture_is_named() -> None:
    data = save(draw(), "JPEG")
    with pytest.raises(InvalidInput, match=r"^pump\.jpg: damaged \(.*\); save or download the file again$"):
        extract_picture(data[: len(data) // 2], "pump.jpg", ocr=True)


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"]))
def test_any_bytes_are_a_picture_or_an_error(data: st.DataObject, format: str) -> None:
    changed = bytearray(save(Image.new("RGB", (20, 10), "red"), format))
    for _ in range(data.draw(st.integers(0, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    del changed[data.draw(st.integers(0, len(changed))) :]
    try:
        page = PictureFile(bytes(changed), "fuzz").page(1)
    except QAError:
        return
    assert page.image.mode in ("L", "RGB")
    assert 0 < max(page.width, page.height) <= 8_000
