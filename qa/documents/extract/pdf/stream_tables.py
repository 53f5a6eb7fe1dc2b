"""Find the tables whose columns are only aligned, without drawn lines between them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

from qa.documents.extract.pdf.blocks import Gap, Unit, count_kept, gap_width, inner_gaps, intersect_gaps, split_at
from qa.documents.extract.pdf.layout import LEADERS, LINE_STEP, Line, ends_sentence, is_wrapped
from qa.documents.extract.pdf.table_rows import Cell, PrintedRow, build_rows, group_printed_rows
from qa.documents.extract.table_headers import is_numeric

_MIN_ROWS = 2
# In characters: the maximum mean length of a table's fragments, or of the fragments of its shortest column.
_LONG_TEXT, _SHORT_TEXT = 30, 15
# Rows that do not fit the columns, such as headings within the table: this share of the rows, and one more.
_ODD_SHARE = 0.2
# The most rows in succession that have text in the first column only.
_MAX_LABELS = 2
_SENTENCE_WORDS = 5
# The number of units above a line that show how far its column extends.
_NEAR_UNITS = 20
# The minimum share of prose lines that begin with a lower-case letter, and their mean number of words.
_LOWERCASE_SHARE, _PROSE_WORDS = 0.4, 3
# In line heights: how far the edges of aligned cells differ. The share of aligned cells in a column, and of such
# columns in a table.
_ALIGNED, _ALIGNED_CELLS, _ALIGNED_COLUMNS = 0.3, 0.6, 0.6
_CAPTION = re.compile(r"(?:Table|Tab|Figure|Fig|Listing|Example)\b", re.IGNORECASE)
# The number of a section, its title and its page.
_MAX_CONTENTS_COLUMNS = 3
_EQUATION_NUMBER = re.compile(r"\([A-Z]?\.?\d+(?:[.-]\d+)*[a-z]?\)")


@dataclass(slots=True)
class _Run:
    """Units that may be a table, and the white space that its regular rows have in common."""

    gaps: list[Gap]
    units: list[Unit] = field(default_factory=list)
    odd: set[int] = field(default_factory=set)
    labels: int = 0

    @property
    def columns(self) -> int:
        return len(inner_gaps(self.gaps)) + 1


def match_table(units: Sequence[Unit], start: int) -> tuple[int, list[Line] | None]:
    """Match a table at a unit of a block; return the number of its units and its rows.

    The rows are None if these units are not a table.
    """
    if units[start].fragments == 1 and len(units[start].rows) == 1:
        return 1, None
    run = _collect(units, start)
    while run.units and not _is_trailing_row(run):
        run.units.pop()
    run.gaps = _common_gaps(run)
    # A later unit may begin a table. Trying each would take quadratic time.
    rejected = max(1, len(run.units) // 2), None
    # A table that is drawn column by column is one unit.
    if sum(len(unit.rows) for unit in run.units) < _MIN_ROWS or run.columns < 2:
        return rejected
    cuts = [(left + right) / 2 for left, right in inner_gaps(run.gaps)]
    printed = list(_print_rows(run, cuts))
    if _is_other(printed):
        return len(run.units), None
    if not _is_table(printed):
        return rejected
    limits = [max((line.right for row in printed for line in row.cells[c]), default=0.0) for c in range(run.columns)]
    rows = group_printed_rows(printed, limits)
    return (len(run.units), build_rows(rows)) if len(rows) >= _MIN_ROWS else rejected


def _collect(units: Sequence[Unit], start: int) -> _Run:
    """Return the longest run of units at `start` that share columns."""
    first = units[start]
    run = _Run(first.gaps)
    if not inner_gaps(run.gaps):
        return run
    for index in range(start, len(units)):
        unit = units[index]
        common = intersect_gaps(run.gaps, unit.gaps, gap_width(unit.rows[0].fragments[0]))
        kept = count_kept(run.gaps, common)
        keeps = kept == run.columns - 1
        if unit.fragments == 1 and len(run.units) > 1 and len(inner_gaps(common)) >= run.columns:
            # The text is beside the table.
            break
        line = unit.rows[0].fragments[0]
        if keeps and unit.fragments == 1 and len(run.units) > 1 and line.left < inner_gaps(common)[0][0]:
            run.labels += 1
            if run.labels > _MAX_LABELS or _is_sentence(line):
                break
        elif unit.fragments > 1:
            run.labels = 0
        if (
            unit.fragments > max(run.columns, len(inner_gaps(common)) + 1)
            and len(run.units) <= 2
            and inner_gaps(common)
        ):
            # The rows so far have cells that span columns.
            run.odd.update(range(len(run.units)))
            run.gaps = unit.gaps
        elif keeps:
            run.gaps = common
        elif _is_odd_row(run, units, index, shares_gap=kept > 0):
            run.odd.add(len(run.units))
        else:
            break
        run.units.append(unit)
    return run


def _common_gaps(run: _Run) -> list[Gap]:
    """Return the white space that the regular units of a run have in common."""
    regular = [unit for number, unit in enumerate(run.units) if number not in run.odd]
    gaps = regular[0].gaps if regular else []
    for unit in regular[1:]:
        gaps = intersect_gaps(gaps, unit.gaps, gap_width(unit.rows[0].fragments[0]))
    return gaps


def _is_sentence(line: Line) -> bool:
    return ends_sentence(line.text) and len(line.words) >= _SENTENCE_WORDS


def _is_odd_row(run: _Run, units: Sequence[Unit], index: int, *, shares_gap: bool) -> bool:
    """Return whether a unit that does not fit the columns is a row of the table nevertheless."""
    unit = units[index]
    if len(unit.rows) > 1 or len(run.odd) > _ODD_SHARE * len(run.units):
        return False
    if shares_gap and unit.fragments > 1:
        return True
    # A heading within the table has rows on both sides.
    text = unit.rows[0].fragments[0].text
    if unit.fragments > 1 or len(run.units) < _MIN_ROWS or index + 1 == len(units) or len(text) > 2 * _LONG_TEXT:
        return False
    following = units[index + 1]
    width = gap_width(following.rows[0].fragments[0])
    fits = count_kept(run.gaps, intersect_gaps(run.gaps, following.gaps, width)) == run.columns - 1
    return fits and following.fragments > 1 and not ends_sentence(text) and not _CAPTION.match(text)


def _is_trailing_row(run: _Run) -> bool:
    """Return whether the last unit of a run is a part of the table rather than text below it."""
    unit = run.units[-1]
    number = len(run.units) - 1
    if unit.fragments > 1:
        return number not in run.odd or len(run.units) > 1
    if number in run.odd or len(run.units) < 2:
        return False
    above, line = run.units[-2].rows[-1], unit.rows[0].fragments[0]
    if line.left < inner_gaps(run.gaps)[0][0] or not 0 < above.bottom - line.bottom <= LINE_STEP * line.height:
        return False
    cells = [cell for cell in above.fragments if cell.left < line.right and line.left < cell.right]
    rights = [
        other.right
        for earlier in run.units[-_NEAR_UNITS:-1]
        for row in earlier.rows
        for other in row.fragments
        if other.left < line.right and line.left < other.right
    ]
    return bool(cells) and line.right <= max(rights) + line.height and is_wrapped(cells[-1], line, max(rights))


def _print_rows(run: _Run, cuts: Sequence[float]) -> Iterator[PrintedRow]:
    regular = min((n for n in range(len(run.units)) if n not in run.odd), default=0)
    for number, unit in enumerate(run.units):
        for row in unit.rows:
            cells: list[list[Line]] = [[] for _ in range(len(cuts) + 1)]
            for first, last, part in split_at(row, cuts):
                # A name above several columns belongs to each; a long cell only to the column where it begins.
                for column in range(first, last + 1 if number < regular else first + 1):
                    cells[column].append(part)
            yield PrintedRow(cells, row.bottom, row.height, number)


def _is_other(rows: Sequence[PrintedRow]) -> bool:
    """Return whether printed rows are prose, equations, a table of contents or lines with numbers in front."""
    columns = _columns(rows)
    leaders = sum(LEADERS.search(text) is not None for column in columns for text in column)
    return (
        (leaders * 2 >= len(rows) and len(columns) <= _MAX_CONTENTS_COLUMNS)
        or all(map(is_prose, columns))
        or all(map(_EQUATION_NUMBER.fullmatch, columns[-1]))
        or (len(columns) == 2 and _are_line_numbers(columns[0]))
    )


def _columns(rows: Sequence[PrintedRow]) -> list[list[str]]:
    """Return the texts in each column that has any."""
    columns = [[line.text for row in rows for line in row.cells[column]] for column in range(len(rows[0].cells))]
    return [column for column in columns if column]


def _is_table(rows: Sequence[PrintedRow]) -> bool:
    """Return whether the cells of printed rows are those of a table rather than text that is aligned by chance."""
    columns = _columns(rows)
    texts = [text for column in columns for text in column]
    multiple = sum(sum(map(bool, row.cells)) > 1 for row in rows)
    # The gaps of two justified lines may align by chance.
    is_distinct = any(" " in text or is_numeric(text) for text in texts) or len(columns) > 2
    if len(columns) < 2 or multiple < (_MIN_ROWS if is_distinct else _MIN_ROWS + 1):
        return False
    shortest = min(fmean(map(len, column)) for column in columns)
    if fmean(map(len, texts)) > _LONG_TEXT and shortest > _SHORT_TEXT:
        return False
    lines = [[line for row in rows for line in row.cells[column]] for column in range(len(rows[0].cells))]
    return sum(map(_is_aligned, lines)) >= _ALIGNED_COLUMNS * len(columns)


def _are_line_numbers(texts: Sequence[str]) -> bool:
    """Return whether texts count up by one, as the numbers of lines do."""
    numbers = [int(text) for text in texts if text.isdecimal() and len(text) < 6]
    return len(numbers) == len(texts) > 2 and all(after - before == 1 for before, after in pairwise(numbers))


def _is_aligned(column: Cell) -> bool:
    """Return whether most lines share their left edge, their right edge or their middle, or are numbers."""
    if len(column) < 2:
        return False
    tolerance = _ALIGNED * column[0].height
    positions = (
        [line.left for line in column],
        [line.right for line in column],
        [(line.left + line.right) / 2 for line in column],
    )
    best = max(_largest_cluster(values, tolerance) for values in positions)
    return (best >= _ALIGNED_CELLS * len(column) and best > 1) or all(is_numeric(line.text) for line in column[1:])


def _largest_cluster(values: Sequence[float], width: float) -> int:
    """Return the largest number of values within a range of `width`."""
    ordered = sorted(values)
    best = start = 0
    for end, value in enumerate(ordered):
        while value - ordered[start] > width:
            start += 1
        best = max(best, end - start + 1)
    return best


def is_prose(texts: Sequence[str]) -> bool:
    """Return whether texts are lines of prose rather than cells."""
    lowercase = sum(text[:1].islower() for text in texts)
    return lowercase >= _LOWERCASE_SHARE * len(texts) and fmean(len(text.split()) for text in texts) >= _PROSE_WORDS
