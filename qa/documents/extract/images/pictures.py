"""Pictures: their text is recognised. Each frame of a TIFF file is a page; other files have one page.

The size of a page in points comes from the resolution that the file states, else from 72 pixels to an inch.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import cast

from PIL import Image, ImageOps, UnidentifiedImageError

from qa.documents.extract.images import ocr as recognition
from qa.documents.extract.images.ocr import RecognisedPage, Recognising
from qa.documents.extract.pdf.columns import arrange_lines
from qa.documents.extract.pdf.geometry import turn_back
from qa.documents.extract.pdf.layout import group_by_heading, resolve_hyphens
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.text.boxes import pack_boxes
from qa.text.tables import CELL_SEPARATOR
from qa.types import Rectangle

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
# Brands of ISO media files that hold pictures; Pillow reads none of them without a further library.
_UNREADABLE = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}
_MAX_PAGES = 1_000
_POINTS = 72
# In dots per inch; other values are mistakes of the program that wrote the file.
_MIN_RESOLUTION, _MAX_RESOLUTION = 50, 1_200
# In points: word boxes are stored as 16 bits of quarter points.
_MAX_SIDE = 8_000


def extract_picture(
    data: bytes,
    name: str,
    *,
    ocr: bool,
    progress: Callable[[int, int], None] | None = None,
    recognising: Recognising = nullcontext,
) -> ExtractedText:
    """Recognise the text of a picture file.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        ocr: whether to recognise text, if the extra `ocr` is installed.
        progress: called with the number of pages recognised and of all pages, after each page.
        recognising: makes the context in which a page is recognised.

    Raises:
        UnsupportedFormat: the format is not supported, OCR is off or not installed, or no text is legible.
        InvalidInput: the file is damaged.
        TooLarge: the file has too many pages or pixels.
    """
    picture = PictureFile(data, name)
    if not ocr or not recognition.is_available():
        raise UnsupportedFormat(f"{name}: {recognition.WITHOUT_OCR}", field=name)
    builder = TextBuilder()
    builder.start_kind("ocr")
    words: list[tuple[str, Rectangle]] = []
    for number in range(1, picture.pages + 1):
        page = picture.page(number)
        with recognising():
            recognised = recognition.recognise_page(page.image, page.width, page.height)
        builder.start_page(number)
        words += _add_page(builder, recognised, number)
        if recognised.unread:
            builder.report_unread(recognised.unread, number)
        if progress:
            progress(number, picture.pages)
    if not words:
        raise UnsupportedFormat(f"{name}: a picture without legible text", field=name)
    extracted = builder.build()
    return replace(extracted, boxes=pack_boxes(extracted.text, words, CELL_SEPARATOR.strip()))


def _add_page(builder: TextBuilder, page: RecognisedPage, number: int) -> Iterator[tuple[str, Rectangle]]:
    """Add the text of a page, and yield its words with their places in the picture as it is shown."""
    if not page.lines:
        return
    (lines,) = resolve_hyphens([arrange_lines(page.lines)])
    for _, paragraphs in group_by_heading(lines, []):
        for paragraph in paragraphs:
            if paragraph.is_table:
                builder.add_table(paragraph.rows, header_rows=paragraph.header_rows, labelled=paragraph.labelled)
            else:
                builder.add_block(paragraph.text)
    for row in lines:
        for line in row.parts:
            for word, left, right in line.words:
                box = (left, line.bottom, right, line.bottom + line.height)
                yield word, Rectangle(number, *turn_back(box, page.width, page.height, page.turns))


@dataclass(frozen=True, slots=True)
class PicturePage:
    """A page of a picture file: the picture, as its file says to show it, and its size in points."""

    image: Image.Image
    width: float
    height: float


class PictureFile:
    """An open picture file."""

    def __init__(self, data: bytes, name: str) -> None:
        """Open a file, without reading its pages.

        Raises:
            UnsupportedFormat: the format is not supported.
            InvalidInput: the file is damaged.
            TooLarge: the file has too many pages or pixels.
        """
        self._name = name
        brand = data[8:12] if data[4:8] == b"ftyp" else b""
        if brand in _UNREADABLE:
            raise UnsupportedFormat(
                f"{name}: {_UNREADABLE[brand]} pictures are not supported; save it as JPEG or PNG", field=name
            )
        with self._errors():
            self._image = Image.open(io.BytesIO(data), formats=_FORMATS)
            # The frames of other formats are an animation, or copies in other sizes.
            self.pages: int = getattr(self._image, "n_frames", 1) if self._image.format == "TIFF" else 1
        if self.pages > _MAX_PAGES:
            raise TooLarge(
                f"{name}: {self.pages:,} pages, over the limit of {_MAX_PAGES:,}; split the file", field=name
            )

    def page(self, number: int) -> PicturePage:
        """Read a page, counted from 1.

        Raises:
            InvalidInput: the file is damaged.
            TooLarge: the page has too many pixels.
        """
        with self._errors():
            if self.pages > 1:
                self._image.seek(number - 1)
            image = _flatten(ImageOps.exif_transpose(self._image))
            scale = min(_POINTS / _resolution(self._image), _MAX_SIDE / max(image.size))
            return PicturePage(image, image.width * scale, image.height * scale)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise errors that name the file for those of Pillow, which are of many kinds."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                yield
        except MemoryError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise TooLarge(
                f"{self._name}: over the limit of {Image.MAX_IMAGE_PIXELS:,} pixels; save a smaller copy",
                field=self._name,
            ) from error
        except UnidentifiedImageError as error:
            raise UnsupportedFormat(
                f"{self._name}: not a picture of a supported format; save it as PNG or JPEG", field=self._name
            ) from error
        except Exception as error:
            raise InvalidInput(
                f"{self._name}: damaged ({type(error).__name__}: {error}); save or download the file again",
                field=self._name,
            ) from error


def _flatten(image: Image.Image) -> Image.Image:
    """Return a picture in 8-bit grey or colour, on white where it is transparent."""
    if image.mode in ("F", "I") or image.mode.startswith("I;"):
        # Pillow clips deeper pixels instead of scaling them.
        deep = image.convert("F")
        brightest = max(float(cast(tuple[float, float], deep.getextrema())[1]), 1.0)
        return deep.point(lambda value: value * (255 / brightest) + 0).convert("L")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _resolution(image: Image.Image) -> float:
    """Return the resolution that a file states, in dots per inch, or the default."""
    try:
        resolution = float(image.info.get("dpi", (_POINTS,))[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return _POINTS
    return resolution if _MIN_RESOLUTION <= resolution <= _MAX_RESOLUTION else _POINTS
