"""Find the pages of a PDF that are pictures of text, or have pictures of text."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.pdf.geometry import Box, Frame

# A page with more objects than this is a drawing; the others are not looked at, to bound the time.
_MAX_OBJECTS = 20_000
# Pictures that cover this share of a page may be the page; on a page with few characters, a small one may be its text.
_PICTURE_SHARE, _SMALL_SHARE, _FEW_CHARACTERS = 0.5, 0.1, 300
# Pictures that cover this share of a page with text are worth recognising.
_FIGURE_SHARE = 0.2
# In pixels: the longer side of the rendered page that is examined.
_SIDE = 600
# One pixel of this many is enough to find the background.
_SAMPLING = 7
_WHITE = 250
# The least difference in brightness that makes text legible, of 255.
_CONTRAST = 25
# Pixels within this distance of the most common brightness are background.
_TOLERANCE = 20
# The share of background from which on a bright page is blank, and the brightness of paper, of 255.
_BLANK_SHARE, _PAPER = 0.997, 190
# Text has a background, of this share at least, and rows of pixels in which it begins and ends this often.
_BACKGROUND_SHARE, _MIN_CHANGES, _MIN_ROWS = 0.4, 8, 9


@dataclass(frozen=True, slots=True)
class _Drawing:
    box: Box
    is_picture: bool
    is_white: bool


@dataclass(frozen=True, slots=True)
class _Image:
    """A grey image: pixels to a point, and the rows of pixels from the top."""

    scale: float
    rows: Sequence[bytes]


class Drawings:
    """What a page draws besides text; read when first asked for."""

    def __init__(self, page: pdfium.PdfPage, frame: Frame) -> None:
        """Prepare to read a page.

        Args:
            page: the page; it must stay open.
            frame: the view of the page that a viewer shows.
        """
        self._page = page
        self._frame = frame

    @cached_property
    def _drawings(self) -> Sequence[_Drawing]:
        return list(_find_drawings(self._page))

    def has_behind(self, box: Box, *, dark_only: bool = False) -> bool:
        """Return whether something is drawn at the middle of a box of the page."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return any(
            drawing.box[0] <= x <= drawing.box[2] and drawing.box[1] <= y <= drawing.box[3]
            for drawing in self._drawings
            if not (dark_only and drawing.is_white)
        )

    def shows(self, box: Box) -> bool:
        """Return whether white text in a box of the page is seen."""
        return self.has_behind(box, dark_only=True) or self._has_contrast(box)

    def _has_contrast(self, box: Box) -> bool:
        left, bottom, right, top = (round(self._image.scale * edge) for edge in self._frame.view(box))
        rows = self._image.rows[max(0, len(self._image.rows) - top) : max(0, len(self._image.rows) - bottom)]
        pixels = b"".join(row[max(0, left) : max(0, right)] for row in rows)
        return bool(pixels) and max(pixels) - min(pixels) >= _CONTRAST

    @cached_property
    def _image(self) -> _Image:
        return _render(self._page, self._frame)

    @cached_property
    def pictures(self) -> Sequence[Box]:
        """The parts of the view that pictures cover."""
        width, height = self._frame.width, self._frame.height
        boxes = [self._frame.view(drawing.box) for drawing in self._drawings if drawing.is_picture]
        cut = [
            (max(left, 0.0), max(bottom, 0.0), min(right, width), min(top, height))
            for left, bottom, right, top in boxes
        ]
        return [box for box in cut if box[0] < box[2] and box[1] < box[3]]

    @property
    def is_mostly_picture(self) -> bool:
        """Whether pictures cover most of the page."""
        return self._covers(_PICTURE_SHARE)

    def _covers(self, share: float) -> bool:
        area = sum((right - left) * (top - bottom) for left, bottom, right, top in self.pictures)
        return area >= share * self._frame.width * self._frame.height

    def is_unread(self, texts: Sequence[Box], characters: int, *, use_ocr: bool) -> bool:
        """Return whether the page has a picture that plausibly holds text.

        A page without text is one unless it is blank. A page with text has one if pictures cover most of it, or less
        of it if it has few characters, and if they look like text: many dark strokes side by side on one background.

        Args:
            texts: the boxes of its text, in the coordinates of the view.
            characters: the length of its text.
            use_ocr: whether the picture will be recognised, so that a figure with words counts too.
        """
        if texts:
            share = _SMALL_SHARE if characters < _FEW_CHARACTERS else _FIGURE_SHARE if use_ocr else _PICTURE_SHARE
            return bool(self._drawings) and self._covers(share) and self._looks_like_text(texts)
        if not self._drawings:
            return False
        pixels = b"".join(self._image.rows)[::_SAMPLING]
        near = _background(pixels)
        share = sum(map(pixels.count, near)) / max(1, len(pixels))
        return share < _BLANK_SHARE or near[len(near) // 2] < _PAPER

    def holds_more(self, characters: int) -> bool:
        """Return whether the pictures that cover the page have far more text than this number of characters."""
        return self.is_mostly_picture and self._count_textual([]) > characters

    def _looks_like_text(self, texts: Sequence[Box]) -> bool:
        return self._count_textual(texts) >= _MIN_ROWS

    def _count_textual(self, texts: Sequence[Box]) -> int:
        """Return the number of rows of pixels within pictures, outside of texts, that look like those of text."""
        rows, scale = _erase(self._image, texts), self._image.scale
        if self.is_mostly_picture:
            return _count_textual(rows)
        count = 0
        for left, bottom, right, top in self.pictures:
            within = rows[max(0, len(rows) - round(top * scale)) : max(0, len(rows) - round(bottom * scale))]
            count += _count_textual([row[round(left * scale) : round(right * scale)] for row in within])
        return count


def _background(pixels: bytes) -> range:
    """Return the range of brightness around the most common one."""
    background = max(range(256), key=pixels.count)
    return range(max(0, background - _TOLERANCE), min(255, background + _TOLERANCE) + 1)


def _count_textual(rows: Sequence[bytes]) -> int:
    """Return the number of rows of pixels that look like those of text; 0 if there is no background."""
    pixels = b"".join(rows)[::_SAMPLING]
    near = _background(pixels)
    if sum(map(pixels.count, near)) < _BACKGROUND_SHARE * len(pixels):
        return 0
    is_ink = bytes(value not in near for value in range(256))
    return sum(row.translate(is_ink).count(b"\0\1") >= _MIN_CHANGES for row in rows)


def _find_drawings(page: pdfium.PdfPage) -> Iterator[_Drawing]:
    for index in range(min(raw.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(item)
        box = None if kind == raw.FPDF_PAGEOBJ_TEXT else _bounds(item)
        if box is None:
            continue
        is_white = kind == raw.FPDF_PAGEOBJ_PATH and _is_white(item)
        yield _Drawing(box, kind == raw.FPDF_PAGEOBJ_IMAGE, is_white)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            yield from _find_pictures(item)


def _find_pictures(form: ctypes.c_void_p) -> Iterator[_Drawing]:
    """Yield the pictures that a form draws, without those in forms within it."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(form, matrix):
        return
    for index in range(min(raw.FPDFFormObj_CountObjects(form), _MAX_OBJECTS)):
        item = raw.FPDFFormObj_GetObject(form, index)
        box = _bounds(item) if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_IMAGE else None
        if box:
            corners = [(x, y) for x in box[::2] for y in box[1::2]]
            across = [matrix.a * x + matrix.c * y + matrix.e for x, y in corners]
            up = [matrix.b * x + matrix.d * y + matrix.f for x, y in corners]
            yield _Drawing((min(across), min(up), max(across), max(up)), is_picture=True, is_white=False)


def _bounds(item: ctypes.c_void_p) -> Box | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return None
    return left.value, bottom.value, right.value, top.value


def _is_white(path: ctypes.c_void_p) -> bool:
    """Return whether a path has a white fill, or none: text on it is not seen if it is white."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not fill.value or not raw.FPDFPageObj_GetFillColor(path, red, green, blue, alpha):
        return not fill.value
    return alpha.value == 0 or min(red.value, green.value, blue.value) >= _WHITE


def _render(page: pdfium.PdfPage, frame: Frame) -> _Image:
    """Return a small grey image of a page."""
    scale = _SIDE / max(frame.width, frame.height, 1.0)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        data = bytes(cast(ctypes.Array[ctypes.c_ubyte], bitmap.buffer))
    finally:
        bitmap.close()
    return _Image(scale, [data[stride * y : stride * y + width] for y in range(height)])


def _erase(image: _Image, texts: Sequence[Box]) -> list[bytes]:
    """Return the rows of an image with texts erased, in the colour beside them."""
    rows = [bytearray(row) for row in image.rows]
    for left, bottom, right, top in texts:
        first, last = max(0, int(left * image.scale) - 1), int(right * image.scale) + 2
        for row in rows[max(0, len(rows) - int(top * image.scale) - 2) : len(rows) - int(bottom * image.scale) + 2]:
            length = min(last, len(row)) - first
            if length > 0:
                row[first : first + length] = bytes([row[max(0, first - 1)]]) * length
    return [bytes(row) for row in rows]
