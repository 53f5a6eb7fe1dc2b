"""Rendered pages: the highlight is on the words, on turned and cropped pages too, and bad requests name the fault."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.images.rendering import render_page
from qa.documents.extract.pdf.document import extract_pdf
from qa.errors import InvalidInput, QAError, UnsupportedFormat
from qa.text.boxes import rectangles_of
from qa.types import Rectangle, Span

Mask = NDArray[np.bool_]
WORD = "Pumphouse"


def pdf_with_word(rotation: int = 0, crop: tuple[float, float, float, float] | None = None, pages: int = 1) -> bytes:
    """Return a PDF whose pages have one word near their lower left corner."""
    data = io.BytesIO()
    # The library turns the page size too.
    canvas = Canvas(data, pagesize=(500, 300) if rotation % 180 else (300, 500), cropBox=crop)
    for _ in range(pages):
        canvas.setPageRotation(rotation)
        canvas.setFont("Helvetica", 20)
        canvas.drawString(80, 120, WORD)
        canvas.showPage()
    canvas.save()
    return data.getvalue()


def picture(size: tuple[int, int] = (200, 100), format: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    """Return a white picture with a black square, 20 pixels wide, in its upper left corner."""
    image = Image.new(mode, size, "white")
    image.paste("black", (0, 0, 20, 20))
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom edge of the pixels of a mask."""
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def marked_pixels(image: Image.Image) -> Mask:
    colours = np.asarray(image).astype(int)
    mask: Mask = colours[..., 2] < colours[..., 0] - 60
    return mask


def dark_pixels(image: Image.Image) -> Mask:
    mask: Mask = np.asarray(image).max(axis=2) < 100
    return mask


@pytest.mark.parametrize("crop", [None, (50, 80, 290, 450)], ids=["whole", "cropped"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_highlight_covers_the_word(rotation: int, crop: tuple[float, float, float, float] | None) -> None:
    data = pdf_with_word(rotation, crop)
    extracted = extract_pdf(data, "pump.pdf")
    assert extracted.text == WORD
    rectangles = rectangles_of(extracted.boxes, Span(0, len(WORD)))
    plain, marked = opened(render_page(data, "pump.pdf", 1)), opened(render_page(data, "pump.pdf", 1, rectangles))
    sides = (300, 500) if crop is None else (240, 370)
    assert plain.size == tuple(3 * side for side in (sides[::-1] if rotation % 180 else sides))
    left, top, right, bottom = box_of(marked_pixels(marked))
    word = box_of(dark_pixels(plain))
    assert left <= word[0]
    assert top <= word[1]
    assert right >= word[2]
    assert bottom >= word[3]
    # The letters are 20 points high, and the rectangle hardly larger.
    assert min(right - left, bottom - top) < 3 * 28
    assert max(right - left, bottom - top) < max(word[2] - word[0], word[3] - word[1]) + 3 * 6
    # The word stays legible.
    assert box_of(dark_pixels(marked)) == word


def test_rectangles_are_in_points_from_the_lower_left_corner() -> None:
    marked = opened(render_page(pdf_with_word(), "pump.pdf", 1, [Rectangle(1, 30, 400, 90, 420)]))
    # Around the rectangle is a margin of two pixels; a point is three pixels.
    assert box_of(marked_pixels(marked)) == (88, 238, 273, 303)
    assert marked.getpixel((150, 270)) == (255, 230, 90)
    assert marked.getpixel((150, 310)) == (255, 255, 255)


def test_rectangles_that_overlap_are_not_darker() -> None:
    rectangles = [Rectangle(1, 30, 400, 90, 420), Rectangle(1, 60, 390, 120, 410)]
    marked = opened(render_page(pdf_with_word(), "pump.pdf", 1, rectangles))
    assert {marked.getpixel((x, 279)) for x in (120, 210, 300)} == {(255, 230, 90)}


def test_rectangles_on_other_pages_are_ignored() -> None:
    data = pdf_with_word(pages=2)
    assert render_page(data, "a.pdf", 1, [Rectangle(2, 30, 400, 90, 420)]) == render_page(data, "a.pdf", 1)


def test_rectangles_outside_the_page_are_cut() -> None:
    data = pdf_with_word()
    marked = opened(render_page(data, "a.pdf", 1, [Rectangle(1, -1e6, 490, 1e6, 1e6), Rectangle(1, 50, 900, 40, 800)]))
    assert box_of(marked_pixels(marked)) == (0, 0, 900, 33)


def test_a_large_page_is_rendered_smaller() -> None:
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(3000, 1000))
    canvas.showPage()
    canvas.save()
    assert opened(render_page(data.getvalue(), "wide.pdf", 1)).size == (1800, 600)
    assert opened(render_page(picture((3600, 1200)), "wide.png", 1)).size == (1800, 600)


def test_values_of_a_form_are_rendered() -> None:
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(300, 300))
    canvas.acroForm.textfield(name="owner", value="Tolland", x=100, y=100, width=120, height=30, borderWidth=0)
    canvas.showPage()
    canvas.save()
    left, top, right, bottom = box_of(dark_pixels(opened(render_page(data.getvalue(), "form.pdf", 1))))
    assert 300 <= left < right <= 660
    assert 510 <= top < bottom <= 600


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_a_picture_is_a_page(format: str) -> None:
    data = picture(format=format, dpi=(72, 72))
    image = opened(render_page(data, "pump", 1, [Rectangle(1, 100, 10, 150, 50)]))
    assert image.size == (200, 100)
    assert box_of(marked_pixels(image)) == (98, 48, 153, 93)
    assert dark_pixels(image)[10, 10]


def test_rectangles_on_a_picture_follow_its_resolution() -> None:
    image = opened(render_page(picture(dpi=(144, 144)), "pump.png", 1, [Rectangle(1, 50, 5, 75, 25)]))
    assert box_of(marked_pixels(image)) == (98, 48, 153, 93)


def test_a_photograph_is_rendered_as_its_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = opened(render_page(picture(format="JPEG", exif=exif), "pump.jpg", 1))
    assert image.size == (100, 200)
    # A quarter turn clockwise moves the upper left corner to the upper right.
    assert dark_pixels(image)[10, 90]
    assert not dark_pixels(image)[10, 10]


def test_each_frame_of_a_tiff_file_is_a_page() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "TIFF", save_all=True, append_images=frames[1:])
    colours = [opened(render_page(data.getvalue(), "scan.tif", page)).getpixel((20, 20)) for page in (1, 2, 3)]
    assert colours == [(255, 0, 0), (0, 128, 0), (0, 0, 255)]
    with pytest.raises(InvalidInput, match=r"^page 4 is not one of the 3 pages of scan\.tif$"):
        render_page(data.getvalue(), "scan.tif", 4)


def test_a_page_is_rendered_the_same_each_time() -> None:
    data = pdf_with_word()
    extractor = Extractor()
    rectangle = Rectangle(1, 30, 400, 90, 420)
    in_child = {extractor.render_page(data, "pump.pdf", 1, [rectangle]) for _ in range(3)}
    extractor.close()
    assert in_child == {render_page(data, "pump.pdf", 1, [rectangle])}


@pytest.mark.parametrize("page", [0, -1, 3, 10**12])
def test_a_page_that_does_not_exist_is_named(page: int) -> None:
    extractor = Extractor()
    with pytest.raises(InvalidInput, match=rf"^page {page:,} is not one of the 2 pages of pump\.pdf$") as raised:
        extractor.render_page(pdf_with_word(pages=2), "pump.pdf", page)
    assert raised.value.field == "page"
    extractor.close()


@pytest.mark.parametrize("data", [b"Oil the pump.", b"PK\3\4 no pages", b""])
def test_formats_without_pages_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"pump\.txt: not a PDF or a picture, so it has no pages to show"):
        render_page(data, "pump.txt", 1)


@settings(deadline=None, max_examples=200)
@given(st.data(), st.sampled_from([pdf_with_word(), picture(), picture(format="TIFF"), picture(format="JPEG")]))
def test_any_bytes_are_a_picture_or_an_error(data: st.DataObject, file: bytes) -> None:
    changed = bytearray(file)
    for _ in range(data.draw(st.integers(0, 8))):
        changed[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    del changed[data.draw(st.integers(len(file) // 2, len(file))) :]
    try:
        png = render_page(bytes(changed), "pump", 1, [Rectangle(1, 0, 0, 50, 50)])
    except QAError:
        return
    assert opened(png).size > (0, 0)
