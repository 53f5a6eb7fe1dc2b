from __future__ import annotations

from qa.text.boxes import pack_boxes, rectangles_of
from qa.types import Rectangle, Span

COVER = Rectangle(1, 80, 700, 130, 712)
FIRST = Rectangle(2, 80, 700, 110, 712)
SECOND = Rectangle(2, 114, 700, 150, 712)
THIRD = Rectangle(2, 154, 700, 158, 712)


def test_words_on_different_pages_keep_their_boxes() -> None:
    boxes = pack_boxes("Manual\n\nThe pump", [("Manual", COVER), ("The", FIRST), ("pump", SECOND)], "|")
    assert rectangles_of(boxes, Span(0, 6)) == (COVER,)
    assert rectangles_of(boxes, Span(8, 11)) == (FIRST,)


def test_joins_the_words_of_a_line_into_one_rectangle() -> None:
    boxes = pack_boxes("The pump", [("The", FIRST), ("pump", SECOND)], "|")
    assert rectangles_of(boxes, Span(0, 8)) == (Rectangle(2, 80, 700, 150, 712),)


def test_ignores_an_inserted_separator_that_the_page_lacks() -> None:
    boxes = pack_boxes("The | pump", [("The", FIRST), ("pump", SECOND), ("|", THIRD)], "|")
    assert rectangles_of(boxes, Span(4, 5)) == ()
    assert rectangles_of(boxes, Span(6, 10)) == (SECOND,)
