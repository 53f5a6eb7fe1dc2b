"""Decide from the pixels of grey images whether they show text (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.documents.extract.pdf.geometry import Box

# One pixel of this many is enough to find the background.
_SAMPLING = 7
# Pixels within this distance of the most common brightness are background.
_TOLERANCE = 20
# Text has a background, of this share at least, and rows of pixels in which it begins and ends this often.
_BACKGROUND_SHARE, _MIN_CHANGES = 0.4, 8
# In points: the height of a line with its ascenders and descenders, and of the letters in it.
_MIN_LINE, _MAX_LINE, _MIN_LETTERS = 4.0, 30.0, 2.5
# How often ink begins in rows of pixels through the letters of a line, and at most in those between lines.
_MIN_STROKES, _MAX_BETWEEN = 6, 1
# In points: what letters extend above and below the box of their line.
_ERASED_MARGIN = 2.5
# In points: lines are looked for in columns, because a frame or an arrow may be beside them.
_COLUMN, _COLUMN_STEP = 60.0, 30.0


@dataclass(frozen=True, slots=True)
class GreyImage:
    """A grey image of a part of a page.

    Attributes:
        scale: pixels to a point.
        rows: the rows of pixels from the top.
        left: its left edge on the page, in points.
        bottom: its lower edge.
    """

    scale: float
    rows: Sequence[bytes]
    left: float = 0.0
    bottom: float = 0.0

    def cut(self, box: Box) -> list[bytes]:
        """Return the rows of pixels in a box of the page."""
        left, bottom, right, top = box
        first, last = self._column(left), self._column(right)
        return [row[first:last] for row in self.rows[self._row(top) : self._row(bottom)]]

    def erase(self, boxes: Sequence[Box]) -> GreyImage:
        """Return the image with boxes erased, in the colour beside them."""
        rows = [bytearray(row) for row in self.rows]
        margin = max(2, round(_ERASED_MARGIN * self.scale))
        for left, bottom, right, top in boxes:
            first, last = max(0, self._column(left) - 1), self._column(right) + 2
            for row in rows[max(0, self._row(top) - margin) : self._row(bottom) + margin]:
                length = min(last, len(row)) - first
                if length > 0:
                    row[first : first + length] = bytes([row[max(0, first - 1)]]) * length
        return GreyImage(self.scale, [bytes(row) for row in rows], self.left, self.bottom)

    def _column(self, x: float) -> int:
        return max(0, round((x - self.left) * self.scale))

    def _row(self, y: float) -> int:
        return max(0, len(self.rows) - round((y - self.bottom) * self.scale))


def background(pixels: bytes) -> range:
    """Return the range of brightness around the most common one."""
    most = max(range(256), key=pixels.count)
    return range(max(0, most - _TOLERANCE), min(255, most + _TOLERANCE) + 1)


def sample(rows: Sequence[bytes]) -> bytes:
    """Return enough pixels to find the background."""
    return b"".join(rows)[::_SAMPLING]


def count_textual(rows: Sequence[bytes]) -> int:
    """Return the number of rows of pixels that look like those of text; 0 if there is no background."""
    return sum(row.count(b"\0\1") >= _MIN_CHANGES for row in _find_ink(rows))


def has_line(rows: Sequence[bytes], scale: float) -> bool:
    """Return whether rows of pixels have a line of text: letters side by side between two blank stripes.

    Args:
        rows: rows of one length.
        scale: pixels to a point.
    """
    ink = _find_ink(rows)
    if not ink:
        return False
    width, step = round(_COLUMN * scale), max(1, round(_COLUMN_STEP * scale))
    starts = range(0, max(1, len(ink[0]) - width + step), step)
    return any(_has_line([row.count(b"\0\1", start, start + width) for row in ink], scale) for start in starts)


def _has_line(strokes: Sequence[int], scale: float) -> bool:
    return any(
        _MIN_LINE * scale <= end - start <= _MAX_LINE * scale
        and sum(count >= _MIN_STROKES for count in strokes[start:end]) >= _MIN_LETTERS * scale
        for start, end in _stripes(strokes)
    )


def _stripes(strokes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first row of each stripe with ink, and the row after it."""
    start: int | None = None
    for number, count in enumerate([*strokes, 0]):
        if count > _MAX_BETWEEN and start is None:
            start = number
        elif count <= _MAX_BETWEEN and start is not None:
            yield start, number
            start = None


def _find_ink(rows: Sequence[bytes]) -> list[bytes]:
    """Return rows of pixels with 1 for ink and 0 for the background; none if there is no background."""
    pixels = sample(rows)
    near = background(pixels)
    if not pixels or sum(map(pixels.count, near)) < _BACKGROUND_SHARE * len(pixels):
        return []
    is_ink = bytes(value not in near for value in range(256))
    return [row.translate(is_ink) for row in rows]
