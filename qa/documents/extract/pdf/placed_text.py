"""Insert texts that have a place on a page, such as values of form fields, among its lines (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.documents.extract.pdf.geometry import Box
from qa.documents.extract.pdf.layout import Line

# In points: the greatest height of a line in a field, and the usual one.
_MAX_HEIGHT, _HEIGHT = 16.0, 12.0
# The usual width of a character, in line heights.
_CHARACTER_WIDTH = 0.5
_LABEL_ENDS = (":", "?")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text and its box on the page.

    Attributes:
        text: the text; it may have several lines.
        box: its place, in points from the lower left corner.
        is_mark: whether it is a check mark, whose label is usually on its right.
        is_comment: whether it is a comment on the text, which is not part of it.
    """

    text: str
    box: Box
    is_mark: bool = False
    is_comment: bool = False


def insert_texts(lines: Sequence[Line], texts: Sequence[PlacedText]) -> list[Line]:
    """Return lines with texts beside their labels: in the line at their height, or below the nearest line above."""
    merged = list(lines)
    for placed in sorted(texts, key=lambda placed: (-placed.box[3], placed.box[0])):
        value = build_lines(placed)
        row = _find_row(merged, placed) if len(value) == 1 else None
        if row is not None:
            merged[row] = _merge(merged[row], value[0], is_mark=placed.is_mark)
        elif value:
            at = _find_above(merged, placed.box)
            merged[at:at] = value
    return merged


def build_lines(placed: PlacedText) -> list[Line]:
    """Return the lines of a text, one below the other in its box."""
    rows = [row for text in _CONTROL.sub("", placed.text).splitlines() if (row := text.split())]
    if not rows:
        return []
    left, bottom, right, top = placed.box
    height = max(1.0, min((top - bottom) / len(rows), _MAX_HEIGHT))
    if len(rows) == 1:
        top = (top + bottom + height) / 2
    lines = []
    for number, row in enumerate(rows):
        length = sum(map(len, row)) + len(row) - 1
        width = min((right - left) / length, _CHARACTER_WIDTH * _HEIGHT)
        words, place = [], 0
        for word in row:
            words.append((word, left + place * width, left + (place + len(word)) * width))
            place += len(word) + 1
        lines.append(Line(" ".join(row), left, words[-1][2], top - (number + 1) * height, height, False, words))
    return lines


def _find_row(lines: Sequence[Line], placed: PlacedText) -> int | None:
    """Return the number of the line beside a text: the nearest on its left, or on either side of a check mark."""
    left, bottom, right, top = placed.box
    middle = (bottom + top) / 2

    def distance(line: Line) -> float:
        if placed.is_mark and line.left >= right:
            return line.left - right
        return max(0.0, left - line.right)

    beside = [
        number
        for number, line in enumerate(lines)
        if abs(line.bottom + line.height / 2 - middle) <= max(line.height, min(top - bottom, _MAX_HEIGHT)) / 2
        and not line.ends_mid_word
        and (line.left < left or placed.is_mark)
    ]
    return min(beside, key=lambda number: distance(lines[number]), default=None)


def _merge(line: Line, value: Line, *, is_mark: bool) -> Line:
    words = sorted([*line.words, *value.words], key=lambda word: word[1])
    # A wide gap would part a label from its value, as cells of a table.
    place = words.index(value.words[0])
    label, left, right = words[place - 1] if place else ("", 0.0, 0.0)
    if label.endswith(_LABEL_ENDS) or (is_mark and label):
        words[place - 1] = (label, left, max(right, value.left - 1))
    text = " ".join(word for word, _, _ in words)
    return replace(line, text=text, left=words[0][1], right=max(line.right, value.right), words=words)


def _find_above(lines: Sequence[Line], box: Box) -> int:
    """Return the place after the nearest line above a box, or before all lines."""
    left, _, right, top = box
    above = [
        (line.bottom - top + (0 if line.left < right and line.right > left else line.height), number)
        for number, line in enumerate(lines)
        if line.bottom + line.height / 2 >= top
    ]
    return min(above)[1] + 1 if above else 0
