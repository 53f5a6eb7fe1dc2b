"""The tables of a sheet (pure): blocks of rows between blank rows, with their titles and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

Value = int | float | str | bool | date | time | datetime | timedelta
"""The value of a cell, as the library that reads workbooks returns it."""

_YEARS = range(1900, 2101)
# In characters; a longer text is no name of a column.
_MAX_NAME = 80
# Part of a table's columns that its header names, and part of a column's values that are of one kind.
_MIN_NAMED, _MIN_ALIKE = 0.5, 0.8
# Rows below a header that are compared with it, and rows that a header has at most.
_SAMPLE, _MAX_HEADER = 200, 3
# Significant digits that spreadsheets show.
_DIGITS = ".15g"
# Larger integers are not exact in a spreadsheet.
_MAX_EXACT = 10**15
_NUMERIC_TEXT = re.compile(r"[-+(]?[$€£]? ?\d[\d.,  ']*[%)]?")


class Percentage(float):
    """A number that is shown as a percentage: 0.4 as 40%."""


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A block of rows of a sheet.

    Attributes:
        rows: the values of each row, all of the same length.
        numbers: the number of each row in the sheet, from 1.
        first_column: the number of the first column, from 1.
        header_rows: number of rows at the start that name the columns.
        header: the names of the columns of an earlier block that continues in this one; empty for others.
    """

    rows: Sequence[Sequence[Value]]
    numbers: Sequence[int]
    first_column: int
    header_rows: int = 0
    header: Sequence[str] = ()

    @property
    def labelled(self) -> bool:
        """Whether the first cell of most rows is a text that names the row."""
        body = self.rows[self.header_rows :]
        labels = sum(1 for row in body if isinstance(row[0], str) and any(map(str.isalpha, row[0])))
        return len(self.rows[0]) > 1 and labels >= _MIN_ALIKE * len(body) > 0


def format_value(value: Value) -> str:
    """Return a cell's value as text: dates in ISO form, whole numbers without a decimal point."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Percentage):
        return f"{format(value * 100, _DIGITS)}%"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _MAX_EXACT else format(value, _DIGITS)
    if isinstance(value, timedelta):
        return _format_duration(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto" if value.microsecond else "seconds" if value.second else "minutes")
    if isinstance(value, time):
        return value.isoformat("auto" if value.microsecond else "seconds" if value.second else "minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


def _format_duration(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    minutes, seconds = divmod(round(abs(value).total_seconds()), 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def split_tables(
    rows: Sequence[Sequence[Value]],
    first_row: int,
    first_column: int,
    unmerged: Sequence[Sequence[Value]] | None = None,
) -> Iterator[SheetTable]:
    """Yield the tables of a sheet: title lines and notes, each as a separate table, and blocks with their headers.

    A block without a header that has the same columns as the block above continues it.

    Args:
        rows: the rows of the sheet, all of the same length; "" for an empty cell.
        first_row: the number of the first row, from 1.
        first_column: the number of the first column, from 1.
        unmerged: the rows with the value of a merged cell in its first cell only; `rows` if None.
    """
    previous: SheetTable | None = None
    for start, end in _split_blocks(rows):
        block, single = rows[start:end], (unmerged or rows)[start:end]
        titles = _count_titles(block, single)
        for index in range(titles):
            if any(value != "" for value in single[index]):
                yield _cut_columns(SheetTable([single[index]], [first_row + start + index], first_column))
        if titles == len(block):
            continue
        numbers = range(first_row + start + titles, first_row + end)
        table = _cut_columns(SheetTable(block[titles:], numbers, first_column))
        table = replace(table, header_rows=_count_header_rows(table.rows))
        if previous and not table.header_rows and not titles and _continues(table, previous):
            table = replace(table, header=_names(previous))
        yield table
        previous = table if table.header_rows or table.header else None


def column_names(table: SheetTable) -> Sequence[str]:
    """Return what the header says of each column."""
    header = table.rows[: table.header_rows]
    return tuple(
        " ".join(dict.fromkeys(format_value(row[column]) for row in header if row[column] != ""))
        for column in range(len(table.rows[0]))
    )


def _names(table: SheetTable) -> Sequence[str]:
    return table.header or column_names(table)


def _continues(table: SheetTable, previous: SheetTable) -> bool:
    return table.first_column == previous.first_column and len(table.rows[0]) == len(previous.rows[0]) > 1


def _split_blocks(rows: Sequence[Sequence[Value]]) -> Iterator[tuple[int, int]]:
    """Yield the first row of each run of rows that are not blank, and the row after it."""
    start: int | None = None
    for index, row in enumerate(rows):
        is_blank = row.count("") == len(row)
        if is_blank and start is not None:
            yield start, index
            start = None
        elif not is_blank and start is None:
            start = index
    if start is not None:
        yield start, len(rows)


def _cut_columns(table: SheetTable) -> SheetTable:
    """Return a table without the blank columns around it."""
    used = [column for column in range(len(table.rows[0])) if any(row[column] != "" for row in table.rows)]
    first, last = used[0], used[-1]
    rows = [row[first : last + 1] for row in table.rows]
    return replace(table, rows=rows, first_column=table.first_column + first)


def _count_titles(block: Sequence[Sequence[Value]], unmerged: Sequence[Sequence[Value]]) -> int:
    """Return the number of rows at the start of a block that hold one value; all of them if no row holds more."""
    used = {column for row in block for column, value in enumerate(row) if value != ""}
    if len(block) > 1 and len(used) == 1:
        # A list in one column is a table.
        return 0
    for index, (row, single) in enumerate(zip(block, unmerged, strict=True)):
        # The name of a group of columns is above several of them, but not above the first.
        names_group = row[min(used)] == "" and sum(1 for value in row if value != "") > 1
        if names_group or sum(1 for value in single if value != "") > 1:
            return index
    return len(block)


def _count_header_rows(rows: Sequence[Sequence[Value]]) -> int:
    """Return the number of rows that name the columns: more than one if a cell of them spans several columns."""
    count = 0
    while count < min(_MAX_HEADER, len(rows) - 1) and _is_header(rows[count], rows[count + 1 :]):
        count += 1
        if not _has_repeated_name(rows[count - 1]):
            break
    return count


def _has_repeated_name(row: Sequence[Value]) -> bool:
    return any(left == right != "" for left, right in pairwise(row))


def _is_header(row: Sequence[Value], below: Sequence[Sequence[Value]]) -> bool:
    """Return whether a row names the columns of those below it."""
    below = below[:_SAMPLE]
    named = [column for column, value in enumerate(row) if value != ""]
    used = [column for column in range(len(row)) if any(line[column] != "" for line in below)]
    if len(row) < 2 or len(named) < max(2, _MIN_NAMED * len(used)) or not all(_is_name(row[n]) for n in named):
        return False
    typed = [n for n in named if _share_of_values([line[n] for line in below]) >= _MIN_ALIKE]
    if any(isinstance(row[n], str) and not _is_numeric(row[n]) for n in typed):
        return True
    if not all(isinstance(row[n], str) for n in named):
        # Years and dates name columns of numbers, but are values where those below are of the same kind.
        return all(n in typed and not any(_is_period(line[n]) for line in below) for n in named if _is_period(row[n]))
    # Of a form with two columns, the first has the names.
    is_form = len(used) <= 2 and (
        any(isinstance(line[named[0]], str) and str(line[named[0]]).rstrip().endswith(":") for line in (row, *below))
        or any(not isinstance(line[column], str) for line in below for column in used)
    )
    return not is_form


def _is_name(value: Value) -> bool:
    return (isinstance(value, str) and len(value) <= _MAX_NAME and not _is_numeric(value)) or _is_period(value)


def _is_period(value: Value) -> bool:
    return isinstance(value, date) or (
        isinstance(value, int | float) and not isinstance(value, bool) and value in _YEARS
    )


def _is_numeric(value: Value) -> bool:
    return isinstance(value, str) and bool(_NUMERIC_TEXT.fullmatch(value.strip()))


def _share_of_values(values: Sequence[Value]) -> float:
    """Return the part of the filled cells that hold something other than words."""
    filled = [value for value in values if value != ""]
    return sum(1 for value in filled if not isinstance(value, str) or _is_numeric(value)) / max(1, len(filled))
