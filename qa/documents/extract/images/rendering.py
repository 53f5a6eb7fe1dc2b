"""Render a page of a PDF or a picture file as PNG, with rectangles highlighted."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw

from qa.documents.extract.images.pictures import PictureFile, PicturePage
from qa.documents.extract.pdf.file import open_pdf
from qa.errors import InvalidInput, UnsupportedFormat
from qa.types import Rectangle

# Of the longer side; a page of A4 then has 154 dots to an inch.
_MAX_PIXELS = 1_800
# Pixels to a point; small pages stay small.
_MAX_SCALE = 3.0
_HIGHLIGHT, _BORDER = (255, 230, 90), (225, 120, 0)
# In pixels, around a rectangle, so that the border does not touch the text.
_MARGIN = 2
# Of PNG, from 1 to 9: for scans, 6 takes three times as long and saves nothing.
_COMPRESSION = 3
_PDF_START = 1024


def render_page(data: bytes, name: str, page: int, rectangles: Sequence[Rectangle] = ()) -> bytes:
    """Return a page as PNG.

    Args:
        data: the file.
        name: its name in error messages.
        page: number of the page, from 1.
        rectangles: what to highlight, in points from the lower left corner of the page as shown; rectangles on other
            pages are ignored.

    Raises:
        InvalidInput: the file has no such page, or is damaged.
        UnsupportedFormat: the file's format has no pages.
        TooLarge: the page has too many pixels.
    """
    is_pdf = b"%PDF-" in data[:_PDF_START]
    shown = _render_pdf(data, name, page) if is_pdf else _read_picture(data, name, page)
    image = _highlight(shown, [rectangle for rectangle in rectangles if rectangle.page == page])
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=_COMPRESSION)
    return png.getvalue()


def _render_pdf(data: bytes, name: str, number: int) -> PicturePage:
    """Render a page within its crop box, turned as the file says, with the values of its forms."""
    with open_pdf(data, name) as pdf:
        _check_page(name, number, len(pdf))
        try:
            # Without it, the fields of forms are blank.
            pdf.init_forms()
            page = pdf[number - 1]
            width, height = page.get_size()
            scale = min(_MAX_PIXELS / max(width, height, 1.0), _MAX_SCALE)
            image = page.render(scale=scale).to_pil().convert("RGB")
        except Exception as error:
            raise InvalidInput(
                f"{name}: page {number} is damaged ({error}); save or download the file again", field=name
            ) from error
    return PicturePage(image, width, height)


def _read_picture(data: bytes, name: str, number: int) -> PicturePage:
    try:
        picture = PictureFile(data, name)
    except UnsupportedFormat as error:
        raise UnsupportedFormat(
            f"{name}: not a PDF or a picture, so it has no pages to show; download the file instead", field=name
        ) from error
    _check_page(name, number, picture.pages)
    page = picture.page(number)
    image = page.image.convert("RGB")
    image.thumbnail((_MAX_PIXELS, _MAX_PIXELS), Image.Resampling.LANCZOS)
    return PicturePage(image, page.width, page.height)


def _check_page(name: str, number: int, pages: int) -> None:
    if not 1 <= number <= pages:
        raise InvalidInput(f"page {number:,} is not one of the {pages:,} pages of {name}", field="page")


def _highlight(page: PicturePage, rectangles: Sequence[Rectangle]) -> Image.Image:
    """Return the picture of a page with rectangles in the colour of a marker, which leaves the text legible."""
    image = page.image
    if not rectangles:
        return image
    boxes = [_pixels(rectangle, page) for rectangle in rectangles]
    marker = Image.new("RGB", image.size, "white")
    draw = ImageDraw.Draw(marker)
    for box in boxes:
        draw.rectangle(box, fill=_HIGHLIGHT)
    # Multiplied once, so that rectangles that overlap are not darker.
    marked = ImageChops.multiply(image, marker)
    draw = ImageDraw.Draw(marked)
    for box in boxes:
        # On dark pictures the marker alone is hard to see.
        draw.rectangle(box, outline=_BORDER)
    return marked


def _pixels(rectangle: Rectangle, page: PicturePage) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom edge of a highlight in pixels."""
    x_scale, y_scale = page.image.width / page.width, page.image.height / page.height
    left, right = sorted((round(rectangle.left * x_scale), round(rectangle.right * x_scale)))
    top, bottom = sorted(round((page.height - y) * y_scale) for y in (rectangle.top, rectangle.bottom))
    return left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN
