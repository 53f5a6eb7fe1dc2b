"""Group the lines of a page into rows of fragments that are side by side (pure).

PDFium returns text that is drawn in succession at one height as one line, even across wide gaps, and text that is not
drawn in succession as several lines. This module cuts the former and joins the latter.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import inf

from qa.documents.extract.pdf.layout import Line, cut_line

# In line heights: the minimum gap between cells, wider than a space between words; the maximum step between rows.
_MIN_GAP, _ROW_STEP = 1.0, 3.0
# In line heights: the minimum gap between cells where other rows show that a column ends; a space is narrower.
_MIN_SPLIT = 0.45
# In line heights: the minimum gap that all rows have in common.
_MIN_COMMON_GAP = 0.4
# Lines whose lower edges differ by less than this share of their height are side by side.
_SAME_HEIGHT = 0.4
# Bounds the work for each line. A cell of one character is a separate line; longer blocks are handled in parts.
_MAX_BLOCK = 600
# The most lines of one cell of a table without drawn lines.
_MAX_CELL_LINES = 8
# In line heights of the page: higher lines are text that runs upwards.
_MAX_HEIGHT = 5.0
# A list marker or heading number is not a cell if the text follows within this many line heights.
_MARKER = re.compile(r"[^\w\s]|[(\[]?(\d{1,3}|[A-Za-z]|[ivxlcIVXLC]{1,6})[.)\]]?|\d+(\.\d+)+\.?")
_MAX_INDENT = 3.0
# In accounts, the sign is at the left edge of the column of its number.
_CURRENCIES = frozenset("$€£¥")
_FIGURE = re.compile(r"[$€£(+−–-]{0,2}\d+(?:[.,]\d+)*[%)*]{0,2}|[-–—]")
# In justified text, word gaps are wide but uniform: the widest is below this ratio to the narrowest, and below this
# many line heights. Most words begin with a lower-case letter.
_UNIFORM_RATIO, _MAX_JUSTIFIED_GAP = 1.2, 3.0

Gap = tuple[float, float]


@dataclass
class PageRow:
    """Fragments of lines that are side by side, from left to right."""

    fragments: list[Line]
    bottom: float
    height: float

    @cached_property
    def gaps(self) -> list[Gap]:
        """The white space between the fragments and on both sides of them."""
        edges = [(-inf, -inf), *((line.left, line.right) for line in self.fragments), (inf, inf)]
        return [(left[1], right[0]) for left, right in pairwise(edges) if left[1] < right[0]]


@dataclass
class Unit:
    """Rows that were drawn column by column, such as the lines of wrapped cells; mostly one row.

    The gaps are computed once, when the block is complete.

    Attributes:
        rows: the rows, from the top.
        start: index of the first line on the page.
        end: index behind the last line.
    """

    start: int
    end: int
    rows: list[PageRow] = field(default_factory=list)

    @property
    def bottom(self) -> float:
        """The lower edge of the last row."""
        return self.rows[-1].bottom

    @cached_property
    def fragments(self) -> int:
        """The largest number of fragments in a row."""
        return max(len(row.fragments) for row in self.rows)

    @cached_property
    def gaps(self) -> list[Gap]:
        """The white space that all rows have in common."""
        common = self.rows[0].gaps
        for row in self.rows[1:]:
            common = intersect_gaps(common, row.gaps, 0.0)
        return common


def take_block(lines: Sequence[Line], start: int) -> list[Unit]:
    """Return the units of a block of lines at `start`, each a short step below the one above."""
    units: list[Unit] = []
    for index in range(start, min(start + _MAX_BLOCK, len(lines))):
        line = lines[index]
        if line.row or line.is_code or line.height > _MAX_HEIGHT * lines[start].height:
            break
        if not (units and _place_beside(units, line, index)):
            step = units[-1].bottom - line.bottom if units else 0.0
            if units and not 0 < step <= _ROW_STEP * line.height:
                break
            units.append(Unit(index, index + 1, [PageRow(split_line(line), line.bottom, line.height)]))
    return units or [Unit(start, start + 1, [PageRow([lines[start]], lines[start].bottom, lines[start].height)])]


def _place_beside(units: list[Unit], line: Line, index: int) -> bool:
    """Add a line to the rows of the block if it is beside one of its last rows; return whether it is."""
    passed = 0
    for number in range(len(units) - 1, -1, -1):
        rows = units[number].rows
        for place in range(len(rows) - 1, -1, -1):
            row = rows[place]
            is_above = row.bottom > line.bottom + _SAME_HEIGHT * line.height
            if is_above and passed:
                # The cell is centred beside the lines of the cell to its left.
                rows.insert(place + 1, PageRow(split_line(line), line.bottom, line.height))
                _merge(units, number, index + 1)
                return True
            if is_above or row.fragments[-1].right > line.left + _SAME_HEIGHT * line.height or passed > _MAX_CELL_LINES:
                return False
            if abs(row.bottom - line.bottom) <= _SAME_HEIGHT * line.height:
                row.fragments += split_line(line)
                row.height = max(row.height, line.height)
                _merge(units, number, index + 1)
                return True
            passed += 1
    return False


def _merge(units: list[Unit], first: int, end: int) -> None:
    """Merge the units from `first` on into one."""
    merged = Unit(units[first].start, end, [row for unit in units[first:] for row in unit.rows])
    units[first:] = [merged]


def split_line(line: Line) -> list[Line]:
    """Return the parts of a line between wide gaps; one for most lines."""
    gaps = [(right[1] - left[2]) / line.height for left, right in pairwise(line.words)]
    if not gaps or max(gaps) < _MIN_SPLIT:
        return [line]
    is_justified = (
        len(gaps) > 1
        and max(gaps) < min(_MAX_JUSTIFIED_GAP, _UNIFORM_RATIO * min(gaps))
        and sum(word[0].islower() for word, _, _ in line.words) * 2 >= len(line.words)
    )
    edges = [
        index
        for index, width in enumerate(gaps, 1)
        if (width >= _MIN_GAP and not is_justified and line.words[index - 1][0] not in _CURRENCIES)
        # Columns of numbers are near each other in some tables.
        or (width >= _MIN_SPLIT and all(_FIGURE.fullmatch(word) for word, _, _ in line.words[index - 1 : index + 1]))
    ]
    if not edges:
        return [line]
    if edges == [1] and gaps[0] < _MAX_INDENT and _MARKER.fullmatch(line.words[0][0]):
        return [line]
    return [cut_line(line, line.words[a:b]) for a, b in pairwise([0, *edges, len(line.words)])]


def intersect_gaps(a: Sequence[Gap], b: Sequence[Gap], minimum: float) -> list[Gap]:
    """Return the white space that two rows have in common, where it is at least `minimum` wide."""
    common: list[Gap] = []
    first, second = 0, 0
    while first < len(a) and second < len(b):
        left, right = max(a[first][0], b[second][0]), min(a[first][1], b[second][1])
        if right - left > minimum:
            common.append((left, right))
        if a[first][1] < b[second][1]:
            first += 1
        else:
            second += 1
    return common


def count_kept(gaps: Sequence[Gap], common: Sequence[Gap]) -> int:
    """Return how many gaps with text on both sides contain one of the common gaps; both are ascending."""
    kept = index = 0
    for left, right in inner_gaps(gaps):
        while index < len(common) and common[index][0] < left:
            index += 1
        kept += index < len(common) and common[index][1] <= right
    return kept


def inner_gaps(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps that have text on both sides."""
    return [gap for gap in gaps if gap[0] > -inf and gap[1] < inf]


def split_at(row: PageRow, cuts: Sequence[float]) -> Iterator[tuple[int, int, Line]]:
    """Yield the parts of a row between vertical cuts: the first and the last column that each is in, and the part.

    A part is in several columns if a cut goes through a word or through the narrow gap between two words.
    """
    for fragment in row.fragments:
        columns = [bisect_left(cuts, (left + right) / 2) for _, left, right in fragment.words]
        start = 0
        for index, (before, after) in enumerate(pairwise(fragment.words), 1):
            if columns[index] != columns[index - 1] and after[1] - before[2] >= _MIN_SPLIT * fragment.height:
                yield columns[start], columns[index - 1], cut_line(fragment, fragment.words[start:index])
                start = index
        yield columns[start], columns[-1], cut_line(fragment, fragment.words[start:])


def gap_width(line: Line) -> float:
    """Return the narrowest gap that separates columns beside a line."""
    return _MIN_COMMON_GAP * line.height
