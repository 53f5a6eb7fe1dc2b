"""Tables in a text: one line for each row, with a bar between cells (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qa.types import Span, Table

CELL_SEPARATOR = " | "
ROW_SEPARATOR = "\n"


def row_spans(table: Table) -> Iterator[Span]:
    """Yield the span of each row."""
    start = table.start
    for lengths in table.rows:
        end = start + sum(lengths) + len(CELL_SEPARATOR) * (len(lengths) - 1)
        yield Span(start, end)
        start = end + len(ROW_SEPARATOR)


def cell_spans(table: Table, row: int) -> Iterator[Span]:
    """Yield the span of each cell of a row, counted from 0."""
    start = next(span for number, span in enumerate(row_spans(table)) if number == row).start
    for length in table.rows[row]:
        yield Span(start, start + length)
        start += length + len(CELL_SEPARATOR)


def table_span(table: Table) -> Span:
    """Return the span of all rows."""
    *_, last = row_spans(table)
    return Span(table.start, last.end)


def tables_within(tables: Sequence[Table], span: Span) -> tuple[Table, ...]:
    """Return the tables that a span touches, each with only the rows that it touches; tables are ascending."""
    # The table before the span's start may extend into the span.
    first = max(0, bisect_right(tables, span.start, key=lambda table: table.start) - 1)
    last = bisect_right(tables, span.end - 1, key=lambda table: table.start)
    parts = (_cut_table(table, span) for table in tables[first:last])
    return tuple(part for part in parts if part)


def _cut_table(table: Table, span: Span) -> Table | None:
    touched = [(number, row) for number, row in enumerate(row_spans(table)) if row.overlaps(span)]
    if not touched:
        return None
    (first, first_row), (last, _) = touched[0], touched[-1]
    return replace(
        table,
        start=first_row.start,
        rows=table.rows[first : last + 1],
        header_rows=max(0, table.header_rows - first),
        numbers=table.numbers[first : last + 1],
    )


def sheet_cell(tables: Sequence[Table], offset: int) -> str | None:
    """Return the reference, such as `B4`, of the workbook cell at an offset; None outside the sheets of a workbook."""
    for table in tables_within(tables, Span(offset, offset + 1)):
        if table.numbers:
            # An offset between two cells belongs to the first.
            starts = [cell.start for cell in cell_spans(table, 0)]
            column = max(0, bisect_right(starts, offset) - 1) + table.first_column
            return f"{column_letters(column)}{table.numbers[0]}"
    return None


def column_letters(number: int) -> str:
    """Return the letters of a sheet's column, counted from 1: A to Z, AA and so on."""
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
