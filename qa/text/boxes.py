"""Where words stand on the pages of a PDF (pure): packed into bytes, as most are never looked at.

A word that a line's end breaks in two has two boxes.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from qa.documents.extract.layout import Line
from qa.documents.extract.text_builder import CELLS_BETWEEN
from qa.types import Rectangle, Span

# Where it starts in the text, its length, its page, and left, bottom, right and top in quarters of a point.
_WORD = struct.Struct("<IHHhhhh")
_QUARTERS, _FURTHEST = 4, 2**15 - 1
# Characters; what was left out of a text, such as a hyphen, is never longer.
_LOOK_AHEAD = 40
_BAR = CELLS_BETWEEN.strip()


def placed(text: str, pages: Iterable[tuple[int, Sequence[Line]]]) -> bytes:
    """Find the words of pages in the text that was made of them.

    Args:
        text: its characters but white space are those of the lines, in order; a few may be missing on either side.
        pages: numbers, and lines from top to bottom.

    Returns:
        Boxes, for `boxes_within` and `rectangles_of`.
    """
    shown = list(chain.from_iterable(_characters(number, lines) for number, lines in pages))
    packed = bytearray()
    at = 0
    start, word = 0, -1
    for place, character in enumerate(text):
        if character.isspace():
            continue
        # A bar was most likely put there between cells, and is not one that stands further on.
        ahead = 1 if character == _BAR else _LOOK_AHEAD
        found = next((i for i in range(at, min(at + ahead, len(shown))) if shown[i][0] == character), None)
        if found is None:
            continue
        at = found + 1
        if shown[found][1] != word:
            start, word = place, shown[found][1]
        if at == len(shown) or shown[at][1] != word:
            packed += _WORD.pack(start, min(place + 1 - start, 2**16 - 1), *shown[found][2])
    return bytes(packed)


def _characters(page: int, lines: Sequence[Line]) -> Iterator[tuple[str, int, tuple[int, int, int, int, int]]]:
    """Yield each character with what tells its word from its neighbours, and that word's page and box."""
    count = 0
    for line in lines:
        for word, left, right in line.words:
            count += 1
            box = (left, line.bottom, right, line.bottom + line.height)
            quarters = [max(-_FURTHEST, min(_FURTHEST, round(_QUARTERS * edge))) for edge in box]
            for character in word:
                yield character, count, (page, quarters[0], quarters[1], quarters[2], quarters[3])


def boxes_within(boxes: bytes, span: Span) -> bytes:
    """Return the boxes of the words that a span touches."""
    places = _touched(boxes, span)
    return boxes[places.start * _WORD.size : places.stop * _WORD.size]


def rectangles_of(boxes: bytes, span: Span) -> tuple[Rectangle, ...]:
    """Return what to light up for a span: one rectangle for each line that it stands in."""
    made: list[Rectangle] = []
    for _, _, page, *quarters in map(partial(_word, boxes), _touched(boxes, span)):
        left, bottom, right, top = (edge / _QUARTERS for edge in quarters)
        last = made[-1] if made else None
        if last and (last.page, last.bottom, last.top) == (page, bottom, top) and left >= last.left:
            made[-1] = Rectangle(page, last.left, bottom, max(right, last.right), top)
        else:
            made.append(Rectangle(page, left, bottom, right, top))
    return tuple(made)


def _touched(boxes: bytes, span: Span) -> range:
    """Return the places of the words that a span touches; they stand in the order of the text."""
    words = range(len(boxes) // _WORD.size)
    first = bisect_right(words, span.start, key=lambda place: sum(_word(boxes, place)[:2]))
    return words[first : bisect_left(words, span.end, key=lambda place: _word(boxes, place)[0])]


def _word(boxes: bytes, place: int) -> tuple[int, ...]:
    return _WORD.unpack_from(boxes, place * _WORD.size)
