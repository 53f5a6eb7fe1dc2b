"""Arrange the lines of a page: columns one after the other, and tables as rows of cells (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from qa.documents.extract.pdf.blocks import (
    Unit,
    count_kept,
    gap_width,
    inner_gaps,
    intersect_gaps,
    split_at,
    take_block,
)
from qa.documents.extract.pdf.grids import Rules
from qa.documents.extract.pdf.layout import LINE_STEP, Line
from qa.documents.extract.pdf.listings import mark_listings
from qa.documents.extract.pdf.ruled_tables import place_ruled_tables
from qa.documents.extract.pdf.stream_tables import is_prose, match_table

_MIN_COLUMN_LINES = 4
# In characters: the minimum mean length of column lines.
_LONG_TEXT, _MEDIUM_TEXT = 30, 20


def arrange_lines(lines: Sequence[Line], rules: Rules | None = None) -> list[Line]:
    """Return the lines of a page with columns one after the other, and with the cells of table rows in `Line.row`.

    Args:
        lines: the lines in the order in which they are drawn.
        rules: the lines drawn on the page, such as the borders of tables.
    """
    placed = place_ruled_tables(mark_listings(lines), rules or Rules())
    arranged: list[Line] = []
    index = 0
    while index < len(placed):
        units = take_block(placed, index)
        number = 0
        while number < len(units):
            count, replacement = _match_columns(units, number) or match_table(units, number)
            if replacement is None:
                replacement = placed[units[number].start : units[number + count - 1].end]
            arranged += replacement
            number += count
        index = units[-1].end
    return arranged


def _match_columns(units: Sequence[Unit], start: int) -> tuple[int, list[Line]] | None:
    """Match columns of prose at a unit of a block; return the number of units and the columns one after the other."""
    if units[start].fragments == 1:
        return None
    gaps = units[start].gaps
    columns = len(inner_gaps(gaps)) + 1
    end = start
    previous: Unit | None = None
    while end < len(units) and len(units[end].rows) == 1 and columns > 1:
        unit = units[end]
        height = unit.rows[0].height
        if previous and previous.bottom - unit.bottom > LINE_STEP * height:
            break
        common = intersect_gaps(gaps, unit.gaps, gap_width(unit.rows[0].fragments[0]))
        if not count_kept(gaps, common) == len(inner_gaps(common)) == columns - 1:
            break
        gaps = common
        previous = unit
        end += 1
    if end - start < 2:
        return None
    cuts = [(left + right) / 2 for left, right in inner_gaps(gaps)]
    sides: list[list[Line]] = [[] for _ in range(columns)]
    in_all = 0
    for unit in units[start:end]:
        in_all += unit.fragments == columns
        for column, _, part in split_at(unit.rows[0], cuts):
            sides[column].append(part)
    return (end - start, [line for side in sides for line in side]) if _are_prose(sides, in_all) else None


def _are_prose(sides: Sequence[Sequence[Line]], in_all: int) -> bool:
    """Return whether columns are prose; `in_all` is the number of lines that all columns have."""
    texts = [[line.text for line in side] for side in sides]
    if not all(texts):
        return False
    lengths = [fmean(map(len, column)) for column in texts]
    if in_all >= _MIN_COLUMN_LINES:
        return min(lengths) >= (_LONG_TEXT if len(sides) == 2 else _MEDIUM_TEXT) and all(map(is_prose, texts))
    # A few lines are prose if each column is one sentence.
    return all(
        column[0][0].isupper()
        and len(column) > 1
        and len(column[0]) >= _MEDIUM_TEXT
        and all(text[0].islower() for text in column[1:])
        and all(above.right >= line.left for above, line in pairwise(side))
        for column, side in zip(texts, sides, strict=True)
    )
