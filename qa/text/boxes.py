"""Word boxes: where the words of a text are on the pages of its PDF, packed into bytes (pure).

The boxes stay packed because most are never read. A word that is hyphenated across two lines has two boxes.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from qa.types import Rectangle, Span

# Start in the text and length, in code points; page; left, bottom, right and top in quarter points.
_BOX = struct.Struct("<IHHhhhh")
_QUARTERS, _MAX_COORDINATE = 4, 2**15 - 1
_MAX_LENGTH = 2**16 - 1
# The most characters of the page, such as hyphens, that the text may lack in one place.
_LOOK_AHEAD = 40


def pack_boxes(text: str, words: Iterable[tuple[str, Rectangle]], inserted: str) -> bytes:
    """Locate the words of a PDF's pages in the text extracted from them.

    Args:
        text: the extracted text. Apart from white space, its characters are those of `words`, in order; a few may be
            missing on either side.
        words: each word with its rectangle, in reading order.
        inserted: the character that extraction puts between the cells of a table.

    Returns:
        Packed boxes, for `boxes_within` and `rectangles_of`.
    """
    placed = [(word, rectangle) for word, rectangle in words if word]
    packed = bytearray()
    # The next character of the page: its word and its offset in the word.
    number, offset = 0, 0
    start, current = 0, -1
    position = 0
    while position < len(text) and number < len(placed):
        character = text[position]
        word, rectangle = placed[number]
        if character.isspace():
            position += 1
        elif offset == 0 and text.startswith(word, position):
            packed += _pack(position, len(word), rectangle)
            position += len(word)
            number += 1
        else:
            # The inserted character is most likely not on the page, so a later occurrence is another one.
            ahead = 1 if character == inserted else _LOOK_AHEAD
            match = next((place for place in _ahead(placed, number, offset, ahead) if place[2] == character), None)
            position += 1
            if match is None:
                continue
            number, offset, _ = match
            if number != current:
                start, current = position - 1, number
            offset += 1
            if offset == len(placed[number][0]):
                packed += _pack(start, position - start, placed[number][1])
                number, offset = number + 1, 0
    return bytes(packed)


def _ahead(
    placed: Sequence[tuple[str, Rectangle]], number: int, offset: int, count: int
) -> Iterator[tuple[int, int, str]]:
    """Yield the next characters of the page, each with its word and its offset in the word."""
    while count > 0 and number < len(placed):
        for place, character in enumerate(placed[number][0][offset : offset + count], offset):
            yield number, place, character
            count -= 1
        number, offset = number + 1, 0


def _pack(start: int, length: int, rectangle: Rectangle) -> bytes:
    return _BOX.pack(start, min(length, _MAX_LENGTH), *_quarter_points(rectangle))


def _quarter_points(rectangle: Rectangle) -> tuple[int, int, int, int, int]:
    """Return the page, left, bottom, right and top as stored: in quarter points, clamped to 16 bits."""
    edges = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    left, bottom, right, top = (max(-_MAX_COORDINATE, min(_MAX_COORDINATE, round(_QUARTERS * edge))) for edge in edges)
    return rectangle.page, left, bottom, right, top


def boxes_within(boxes: bytes, span: Span) -> bytes:
    """Return the boxes of the words that a span touches."""
    indexes = _find_indexes(boxes, span)
    return boxes[indexes.start * _BOX.size : indexes.stop * _BOX.size]


def rectangles_of(boxes: bytes, span: Span) -> tuple[Rectangle, ...]:
    """Return the rectangles to highlight for a span: one for each line of the page that it touches."""
    rectangles: list[Rectangle] = []
    for _, _, page, *quarters in map(partial(_unpack, boxes), _find_indexes(boxes, span)):
        left, bottom, right, top = (edge / _QUARTERS for edge in quarters)
        last = rectangles[-1] if rectangles else None
        if last and (last.page, last.bottom, last.top) == (page, bottom, top) and left >= last.left:
            rectangles[-1] = Rectangle(page, last.left, bottom, max(right, last.right), top)
        else:
            rectangles.append(Rectangle(page, left, bottom, right, top))
    return tuple(rectangles)


def _find_indexes(boxes: bytes, span: Span) -> range:
    """Return the indexes of the boxes that a span touches; boxes are in the order of the text."""
    indexes = range(len(boxes) // _BOX.size)
    first = bisect_right(indexes, span.start, key=lambda index: sum(_unpack(boxes, index)[:2]))
    return indexes[first : bisect_left(indexes, span.end, key=lambda index: _unpack(boxes, index)[0])]


def _unpack(boxes: bytes, index: int) -> tuple[int, ...]:
    return _BOX.unpack_from(boxes, index * _BOX.size)
