"""Lines across a page ─► columns one after the other, and rows of tables (pure).

PDFium takes what is drawn at one height, one after the other, for one line, however far apart it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from statistics import fmean

from qa.documents.extract.layout import STEP, Line, with_hyphen
from qa.documents.extract.text_builder import CELLS_BETWEEN

# Heights of a line: white space that is wider than that between words ever is, and rows as far apart at most.
_WIDE, _ROW_STEP = 1.0, 3.0
_FEWEST_ROWS, _FEWEST_LINES = 2, 4
# No page has more lines in a column; if one seems to, it is read in parts.
_MOST_LINES = 120
# Characters: cells of a table are no longer on the mean, and lines of a column no shorter.
_LONG = 30
# What stands before an item of a list, or a heading, within so many heights: no cell.
_MARKER = re.compile(r"[^\w\s]|[(\[]?(\d{1,3}|[A-Za-z]|[ivxlcIVXLC]{1,6})[.)\]]?|\d+(\.\d+)+\.?")
_INDENT = 3.0
# In a line that is set flush words stand apart, within so many heights, but all alike.
_ALIKE, _FLUSH = 1.2, 3.0
# Of lines of running text so many begin in small letters.
_SMALL = 0.4

_Words = Sequence[tuple[str, float, float]]
_Parted = tuple[Line, list[_Words]]
_Gap = tuple[float, float]


def in_columns(lines: Sequence[Line]) -> list[Line]:
    """Return a page's lines with columns one after the other, and the rows of tables as such: see `Line.is_row`."""
    made: list[Line] = []
    parted = [(line, _cells(line)) for line in lines]
    place = 0
    while place < len(parted):
        taken, instead = _columns(parted, place) or _table(parted, place) or (1, [lines[place]])
        made += instead
        place += taken
    return made


def _columns(parted: Sequence[_Parted], start: int) -> tuple[int, list[Line]] | None:
    """Return how many lines from `start` on stand in two columns of prose, and these one column after the other."""
    gap: _Gap = (0.0, inf)
    left, right = list[Line](), list[Line]()
    taken = across = 0
    for line, cells in _below_one_another(parted, start, STEP):
        if len(cells) == 2:
            narrower = _shared(gap, _gaps(cells)[0])
            sides = cells
        elif len(cells) == 1 and taken:
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
    texts = [[line.text for line in side] for side in (left, right)]
    prose = across >= _FEWEST_LINES and all(_runs_on(side) and fmean(map(len, side)) >= _LONG for side in texts)
    return (taken, [*left, *right]) if prose else None


def _table(parted: Sequence[_Parted], start: int) -> tuple[int, list[Line]] | None:
    """Return how many lines from `start` on are rows of one table, and these with bars between their cells."""
    rows: list[Line] = []
    first: list[str] = []
    others: list[str] = []
    common: list[_Gap] = [(0.0, inf)]
    for line, cells in _below_one_another(parted, start, _ROW_STEP):
        shared = [_shared(one, other) for one in _gaps(cells) for other in common]
        still = [gap for gap in shared if gap and gap[1] - gap[0] >= _WIDE * line.height / 2]
        if not still:
            break
        common = still
        words = [" ".join(word for word, _, _ in cell) for cell in cells]
        row = replace(line, text=CELLS_BETWEEN.join(words))
        # No word goes on in the next row.
        rows.append(replace(with_hyphen(row) if row.broken else row, broken=False, is_row=True))
        first.append(words[0])
        others += words[1:]
    texts = [*first, *others]
    # Words that were set flush may stand below one another once.
    fewest = _FEWEST_ROWS if any(" " in text for text in texts) or len(texts) > 2 * len(rows) else _FEWEST_ROWS + 1
    short = len(rows) >= fewest and fmean(map(len, texts)) <= _LONG
    return (len(rows), rows) if short and not (_runs_on(first) and _runs_on(others)) else None


def _runs_on(texts: Sequence[str]) -> bool:
    """Tell whether texts are lines of running text rather than cells."""
    begin_small = sum(text[:1].islower() for text in texts)
    return begin_small >= _SMALL * len(texts) and fmean(len(text.split()) for text in texts) >= 3


def _below_one_another(parted: Sequence[_Parted], start: int, step: float) -> Iterator[_Parted]:
    """Yield lines from `start` on, for as long as each is at most `step` of its heights below the one before."""
    above = inf
    for line, cells in parted[start : start + _MOST_LINES]:
        if above < inf and not 0 < above - line.bottom <= step * line.height:
            return
        yield line, cells
        above = line.bottom


def _cells(line: Line) -> list[_Words]:
    """Return a line's words, parted where they stand far from one another; one part for most lines."""
    between = [(following[1] - one[2]) / line.height for one, following in pairwise(line.words)]
    edges = [place for place, width in enumerate(between, 1) if width >= _WIDE]
    if not edges or (len(between) > 1 and max(between) < min(_FLUSH, _ALIKE * min(between))):
        return [line.words]
    is_item = edges == [1] and between[0] < _INDENT and _MARKER.fullmatch(line.words[0][0])
    return [line.words] if is_item else [line.words[a:b] for a, b in pairwise([0, *edges, len(line.words)])]


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
