"""Lines across a page ─► columns one after the other, and rows of tables (pure).

PDFium takes what is drawn at one height, one after the other, for one line, however far apart it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

from qa.documents.extract.layout import STEP, Line
from qa.documents.extract.text import CELLS_BETWEEN

# Heights of a line: white space that is wider than that between words ever is, and rows as far apart at most.
_WIDE, _ROW_STEP = 1.0, 3.0
_FEWEST_ROWS, _FEWEST_LINES = 2, 4
# Characters: a cell of a table is no longer on the mean, a line of a column no shorter.
_CELL, _PROSE = 30, 20
# What stands before an item of a list, or a heading: no cell.
_MARKER = re.compile(r"[^\w\s]|\(?(\d{1,3}|[A-Za-z])[.)]?|\d+(\.\d+)+\.?")

_Words = Sequence[tuple[str, float, float]]
_Gap = tuple[float, float]


def in_columns(lines: Sequence[Line]) -> list[Line]:
    """Return a page's lines with columns one after the other, and the rows of tables as such: see `Line.is_row`."""
    made: list[Line] = []
    place = 0
    while place < len(lines):
        taken, instead = _columns(lines[place:]) or _table(lines[place:]) or (1, [lines[place]])
        made += instead
        place += taken
    return made


def _columns(lines: Sequence[Line]) -> tuple[int, list[Line]] | None:
    """Return how many of the first lines stand in two columns of prose, and these one after the other."""
    gap: _Gap = (0.0, float("inf"))
    left, right = list[Line](), list[Line]()
    taken = across = 0
    for line, above in zip(lines, [None, *lines], strict=False):
        cells = _cells(line)
        if above and not 0 < above.bottom - line.bottom <= STEP * line.height:
            break
        if len(cells) == 2:
            narrower = _shared(gap, _gaps(cells)[0])
            sides = cells
        elif len(cells) == 1 and above:
            # One of the columns is shorter, or a paragraph ends in it.
            is_left = line.left < gap[0]
            narrower = _shared(gap, (line.right, gap[1]) if is_left else (gap[0], line.left))
            sides = [cells[0], []] if is_left else [[], cells[0]]
        else:
            break
        if narrower is None:
            break
        gap = narrower
        taken += 1
        across += len(cells) == 2
        for side, words in zip((left, right), sides, strict=True):
            side += [_part(line, words)] if words else []
    prose = across >= _FEWEST_LINES and all(fmean(len(line.text) for line in side) >= _PROSE for side in (left, right))
    return (taken, [*left, *right]) if prose else None


def _table(lines: Sequence[Line]) -> tuple[int, list[Line]] | None:
    """Return how many of the first lines are rows of one table, and these with bars between their cells."""
    rows: list[Line] = []
    before: list[_Gap] = []
    texts: list[str] = []
    for line, above in zip(lines, [None, *lines], strict=False):
        cells = _cells(line)
        gaps = _gaps(cells)
        if above and not (
            0 < above.bottom - line.bottom <= _ROW_STEP * line.height
            and any(_shared(one, other) for one in gaps for other in before)
        ):
            break
        if len(cells) < 2:
            break
        words = [" ".join(word for word, _, _ in cell) for cell in cells]
        rows.append(replace(line, text=CELLS_BETWEEN.join(words), is_row=True))
        before = gaps
        texts += words
    return (len(rows), rows) if len(rows) >= _FEWEST_ROWS and fmean(map(len, texts)) <= _CELL else None


def _cells(line: Line) -> list[_Words]:
    """Return a line's words, parted where they stand far from one another; one part for most lines."""
    edges = [
        place
        for place, (one, following) in enumerate(pairwise(line.words), 1)
        if following[1] - one[2] >= _WIDE * line.height
    ]
    cells = [line.words[start:end] for start, end in pairwise([0, *edges, len(line.words)])]
    is_item = len(cells) == 2 and len(cells[0]) == 1 and _MARKER.fullmatch(cells[0][0][0])
    return [line.words] if is_item else cells


def _gaps(cells: Sequence[_Words]) -> list[_Gap]:
    return [(one[-1][2], following[0][1]) for one, following in pairwise(cells)]


def _shared(one: _Gap, other: _Gap) -> _Gap | None:
    """Return the white space that two lines have in common."""
    left, right = max(one[0], other[0]), min(one[1], other[1])
    return (left, right) if left < right else None


def _part(line: Line, words: _Words) -> Line:
    last = words[-1] is line.words[-1]
    text = " ".join(word for word, _, _ in words)
    return replace(line, text=text, left=words[0][1], right=words[-1][2], broken=line.broken and last, words=words)
