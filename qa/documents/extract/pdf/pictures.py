"""Find the pages of a PDF that are pictures of text, or have pictures of text."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import floor
from os import urandom
from typing import cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.pdf.geometry import Box, Frame, bounding_box, join_boxes, overlap
from qa.documents.extract.pdf.picture_text import GreyImage, background, count_textual, has_line, sample

# A page with more objects than this is a drawing; the others are not looked at, to bound the time.
_MAX_OBJECTS = 20_000
# Pictures that cover this share of a page may be the page; on a page with few characters, a small one may be its text.
_PICTURE_SHARE, _SMALL_SHARE, _FEW_CHARACTERS = 0.5, 0.1, 300
# Pictures that cover this share of a page with text are worth recognising, whatever they look like in detail.
_FIGURE_SHARE = 0.2
# In points: a picture of a line of text is no smaller.
_MIN_WIDTH, _MIN_HEIGHT = 20, 6
# In pixels: the longer side of the rendered page that is examined.
_SIDE = 600
# Pixels to a point, where single lines of text are looked for.
_LINE_SCALE = 2.0
# In bytes: larger data of a picture are not compared with those of others.
_MAX_DATA = 20_000_000
_WHITE = 250
# The least difference in brightness that makes text legible, of 255.
_CONTRAST = 25
# The share of background from which on a bright page is blank, and the brightness of paper, of 255.
_BLANK_SHARE, _PAPER = 0.997, 190
# A picture of text has this number of rows of pixels through letters.
_MIN_ROWS = 9


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Something drawn; `picture` is its handle if it is a picture."""

    box: Box
    is_white: bool = False
    picture: ctypes.c_void_p | None = None


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
        pixels = b"".join(self._image.cut(self._frame.view(box)))
        return bool(pixels) and max(pixels) - min(pixels) >= _CONTRAST

    @cached_property
    def _image(self) -> GreyImage:
        return _render(self._page, self._frame, _SIDE / max(self._frame.width, self._frame.height, 1.0))

    @cached_property
    def _pictures(self) -> Sequence[tuple[Box, ctypes.c_void_p]]:
        """The parts of the view that pictures cover, each with the handle of its picture."""
        width, height = self._frame.width, self._frame.height
        boxes = [(self._frame.view(drawing.box), drawing.picture) for drawing in self._drawings if drawing.picture]
        cut = [
            ((max(left, 0.0), max(bottom, 0.0), min(right, width), min(top, height)), picture)
            for (left, bottom, right, top), picture in boxes
        ]
        return [(box, picture) for box, picture in cut if box[0] < box[2] and box[1] < box[3]]

    @property
    def is_mostly_picture(self) -> bool:
        """Whether pictures cover most of the page."""
        return self._covers(_PICTURE_SHARE)

    def _covers(self, share: float) -> bool:
        area = sum((right - left) * (top - bottom) for (left, bottom, right, top), _ in self._pictures)
        return area >= share * self._frame.width * self._frame.height

    def find_unread(self, texts: Sequence[Box], characters: int, seen: set[bytes], *, use_ocr: bool) -> Sequence[Box]:
        """Return the parts of the view that plausibly show text that is not among the text of the page.

        That is a page without text unless it is blank. On a page with text, it is pictures that cover a part of it
        and have many dark strokes side by side on one background, and smaller ones with a line of such strokes.

        Args:
            texts: the boxes of the page's text, in the coordinates of the view.
            characters: the length of its text.
            seen: digests of the smaller pictures of earlier pages, to which those of this page are added. A picture
                that recurs, such as a logo, is found on its first page only.
            use_ocr: whether the parts will be recognised, so that a figure with words counts too.

        Returns:
            The whole view if pictures cover most of it, or if it has no text.
        """
        if not self._drawings:
            return []
        whole = [(0.0, 0.0, self._frame.width, self._frame.height)]
        if not texts:
            return [] if self._is_blank else whole
        if self.is_mostly_picture:
            return whole if self._shows_text(texts) else []
        share = _SMALL_SHARE if characters < _FEW_CHARACTERS else _FIGURE_SHARE if use_ocr else _PICTURE_SHARE
        regions = join_boxes([box for box, _ in self._pictures])
        if self._covers(share) and self._count_textual(texts) >= _MIN_ROWS:
            return regions
        return self._find_lines(regions, texts, seen)

    @property
    def _is_blank(self) -> bool:
        pixels = sample(self._image.rows)
        near = background(pixels)
        share = sum(map(pixels.count, near)) / max(1, len(pixels))
        return share >= _BLANK_SHARE and near[len(near) // 2] >= _PAPER

    def _shows_text(self, texts: Sequence[Box]) -> bool:
        """Return whether a page that is mostly a picture has text outside of `texts`, be it only a line."""
        image = self._image.erase(texts)
        return count_textual(image.rows) >= _MIN_ROWS or has_line(image.rows, image.scale)

    def _find_lines(self, regions: Sequence[Box], texts: Sequence[Box], seen: set[bytes]) -> Sequence[Box]:
        """Return the regions that are as large as a line of text, are not in `seen`, and have such a line."""
        new = []
        for region in regions:
            if region[2] - region[0] >= _MIN_WIDTH and region[3] - region[1] >= _MIN_HEIGHT:
                digest = self._digest(region)
                if digest not in seen:
                    new.append(region)
                    seen.add(digest)
        if not new:
            return []
        image = _render(self._page, self._frame, _LINE_SCALE, bounding_box(new)).erase(texts)
        return [region for region in new if has_line(image.cut(region), image.scale)]

    def _digest(self, region: Box) -> bytes:
        """Return a digest of the data of the pictures in a part of the view."""
        digest = blake2b(digest_size=16)
        for box, picture in self._pictures:
            if overlap(box, region):
                digest.update(_picture_data(picture))
        return digest.digest()

    def holds_more(self, characters: int) -> bool:
        """Return whether the pictures that cover the page have far more text than this number of characters."""
        return self.is_mostly_picture and self._count_textual([]) > characters

    def _count_textual(self, texts: Sequence[Box]) -> int:
        """Return the number of rows of pixels within pictures, outside of texts, that look like those of text."""
        image = self._image.erase(texts)
        if self.is_mostly_picture:
            return count_textual(image.rows)
        return sum(count_textual(image.cut(box)) for box, _ in self._pictures)


def _find_drawings(page: pdfium.PdfPage) -> Iterator[_Drawing]:
    for index in range(min(raw.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(item)
        box = None if kind == raw.FPDF_PAGEOBJ_TEXT else _bounds(item)
        if box is None:
            continue
        is_white = kind == raw.FPDF_PAGEOBJ_PATH and _is_white(item)
        yield _Drawing(box, is_white, item if kind == raw.FPDF_PAGEOBJ_IMAGE else None)
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
            yield _Drawing((min(across), min(up), max(across), max(up)), picture=item)


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


def _picture_data(picture: ctypes.c_void_p) -> bytes:
    """Return the stored data of a picture; something unique if they are large or missing."""
    size = raw.FPDFImageObj_GetImageDataRaw(picture, None, 0)
    if not 0 < size <= _MAX_DATA:
        return urandom(16)
    data = ctypes.create_string_buffer(size)
    raw.FPDFImageObj_GetImageDataRaw(picture, data, size)
    return data.raw


def _render(page: pdfium.PdfPage, frame: Frame, scale: float, part: Box | None = None) -> GreyImage:
    """Return a grey image of a page, or of a part of it."""
    width, height = frame.width, frame.height
    left, bottom, right, top = part or (0.0, 0.0, width, height)
    # The page is cut at whole pixels.
    cut = [floor(edge * scale) / scale for edge in (left, bottom, width - right, height - top)]
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False, crop=cut)
    try:
        columns, lines, stride = bitmap.width, bitmap.height, bitmap.stride
        data = bytes(cast(ctypes.Array[ctypes.c_ubyte], bitmap.buffer))
    finally:
        bitmap.close()
    return GreyImage(scale, [data[stride * y : stride * y + columns] for y in range(lines)], cut[0], cut[1])
