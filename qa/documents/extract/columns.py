"""Detect columns and table rows among the lines of a page (pure).

PDFium returns text that is drawn in succession at one height as one line, even across wide gaps. This module cuts
these lines into columns of prose or into table cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from statistics import fmean

from qa.documents.extract.layout import LINE_STEP, Line, restore_hyphen
from qa.text.tables import CELL_SEPARATOR

# In line heights: the minimum gap between cells, wider than a space between words; the maximum step between rows.
_MIN_GAP, _ROW_STEP = 1.0, 3.0
_MIN_ROWS, _MIN_COLUMN_LINES = 2, 4
# Bounds the work for each line. No page has more lines in a column; longer runs are handled in parts.
_MAX_RUN = 120
# In characters: the maximum mean length of table cells, and the minimum mean length of column lines.
_LONG_TEXT = 30
# A list marker or heading number is not a cell if the text follows within this many line heights.
_MARKER = re.compile(r"[^\w\s]|[(\[]?(\d{1,3}|[A-Za-z]|[ivxlcIVXLC]{1,6})[.)\]]?|\d+(\.\d+)+\.?")
_MAX_INDENT = 3.0
# In justified text, word gaps are wide but uniform: the widest is below this ratio to the narrowest, and below this
# many line heights.
_UNIFORM_RATIO, _MAX_JUSTIFIED_GAP = 1.2, 3.0
# The minimum share of prose lines that begin with a lower-case letter.
_LOWERCASE_SHARE = 0.4

_Words = Sequence[tuple[str, float, float]]
_SplitLine = tuple[Line, list[_Words]]
_Gap = tuple[float, float]


def arrange_lines(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of a page with columns one after the other, and with table rows marked as `Line.is_row`."""
    arranged: list[Line] = []
    split_lines = [(line, _split_cells(line)) for line in lines]
    index = 0
    while index < len(split_lines):
        count, replacement = (
            _match_columns(split_lines, index) or _match_table(split_lines, index) or (1, [lines[index]])
        )
        arranged += replacement
        index += count
    return arranged


def _match_columns(split_lines: Sequence[_SplitLine], start: int) -> tuple[int, list[Line]] | None:
    """Match two columns of prose at `start`; return the number of lines and the columns one after the other."""
    gap: _Gap = (0.0, inf)
    left, right = list[Line](), list[Line]()
    count = in_both = 0
    for line, cells in _take_run(split_lines, start, LINE_STEP):
        if len(cells) == 2:
            narrowed = _intersect(gap, _find_gaps(cells)[0])
            sides = cells
        elif len(cells) == 1 and count:
            # One column is shorter, or a paragraph ends in it.
            is_left = line.left < gap[0]
            narrowed = _intersect(gap, (line.right, gap[1]) if is_left else (gap[0], line.left))
            sides = [cells[0], []] if is_left else [[], cells[0]]
        else:
            break
        if narrowed is None:
            break
        gap = narrowed
        count += 1
        in_both += len(cells) == 2
        for side, words in zip((left, right), sides, strict=True):
            side += [_cut_line(line, words)] if words else []
    texts = [[line.text for line in side] for side in (left, right)]
    is_match = in_both >= _MIN_COLUMN_LINES and all(
        _is_prose(side) and fmean(map(len, side)) >= _LONG_TEXT for side in texts
    )
    return (count, [*left, *right]) if is_match else None


def _match_table(split_lines: Sequence[_SplitLine], start: int) -> tuple[int, list[Line]] | None:
    """Match the rows of one table at `start`; return their number and the rows with bars between cells."""
    rows: list[Line] = []
    first_column: list[str] = []
    other_columns: list[str] = []
    common: list[_Gap] = [(0.0, inf)]
    for line, cells in _take_run(split_lines, start, _ROW_STEP):
        narrowed = [_intersect(gap, earlier) for gap in _find_gaps(cells) for earlier in common]
        wide = [gap for gap in narrowed if gap and gap[1] - gap[0] >= _MIN_GAP * line.height / 2]
        if not wide:
            break
        common = wide
        cell_texts = [" ".join(word for word, _, _ in cell) for cell in cells]
        row = replace(line, text=CELL_SEPARATOR.join(cell_texts))
        # A word never continues in the next row.
        rows.append(replace(restore_hyphen(row) if row.ends_mid_word else row, ends_mid_word=False, is_row=True))
        first_column.append(cell_texts[0])
        other_columns += cell_texts[1:]
    texts = [*first_column, *other_columns]
    # The gaps of two justified lines may align by chance.
    is_distinct = any(" " in text for text in texts) or len(texts) > 2 * len(rows)
    is_short = len(rows) >= (_MIN_ROWS if is_distinct else _MIN_ROWS + 1) and fmean(map(len, texts)) <= _LONG_TEXT
    return (len(rows), rows) if is_short and not (_is_prose(first_column) and _is_prose(other_columns)) else None


def _is_prose(texts: Sequence[str]) -> bool:
    """Return whether texts are lines of prose rather than cells."""
    lowercase = sum(text[:1].islower() for text in texts)
    return lowercase >= _LOWERCASE_SHARE * len(texts) and fmean(len(text.split()) for text in texts) >= 3


def _take_run(split_lines: Sequence[_SplitLine], start: int, step: float) -> Iterator[_SplitLine]:
    """Yield lines from `start` while each is at most `step` of its heights below the previous one."""
    previous = inf
    for line, cells in split_lines[start : start + _MAX_RUN]:
        if previous < inf and not 0 < previous - line.bottom <= step * line.height:
            return
        yield line, cells
        previous = line.bottom


def _split_cells(line: Line) -> list[_Words]:
    """Return the words of a line, split at wide gaps; one part for most lines."""
    gaps = [(right[1] - left[2]) / line.height for left, right in pairwise(line.words)]
    edges = [index for index, width in enumerate(gaps, 1) if width >= _MIN_GAP]
    if not edges or (len(gaps) > 1 and max(gaps) < min(_MAX_JUSTIFIED_GAP, _UNIFORM_RATIO * min(gaps))):
        return [line.words]
    is_item = edges == [1] and gaps[0] < _MAX_INDENT and _MARKER.fullmatch(line.words[0][0])
    return [line.words] if is_item else [line.words[a:b] for a, b in pairwise([0, *edges, len(line.words)])]


def _find_gaps(cells: Sequence[_Words]) -> list[_Gap]:
    return [(left[-1][2], right[0][1]) for left, right in pairwise(cells)]


def _intersect(a: _Gap, b: _Gap) -> _Gap | None:
    """Return the white space that two gaps have in common."""
    left, right = max(a[0], b[0]), min(a[1], b[1])
    return (left, right) if left < right else None


def _cut_line(line: Line, words: _Words) -> Line:
    """Return the part of a line that consists of `words`."""
    is_last = words[-1] is line.words[-1]
    text = " ".join(word for word, _, _ in words)
    return replace(
        line,
        text=text,
        left=words[0][1],
        right=words[-1][2],
        ends_mid_word=line.ends_mid_word and is_last,
        words=words,
    )
