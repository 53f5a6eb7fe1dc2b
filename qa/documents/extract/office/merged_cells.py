"""Tables with merged cells as rows of cells in their columns (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.documents.extract.table_headers import Cell

# A longer text is not repeated in each row and column that its cell spans.
_MAX_REPEATED = 1_000
# If cells span this many columns on average, the columns are only a means to place the fields of a form.
_FORM_SPAN = 2


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell, its first column and the number of columns that it spans."""

    cell: Cell
    column: int
    span: int = 1


def repeatable(cell: Cell) -> Cell:
    """Return a cell as it is repeated in another row or column that it spans: empty if its text is long."""
    return cell if len(cell.text) <= _MAX_REPEATED else Cell()


def fill_columns(rows: Sequence[Sequence[PlacedCell]]) -> list[list[Cell]]:
    """Return the cells of each row, with a merged cell repeated in each column that it spans.

    Columns in which no cell begins do not count. A cell as wide as the table is not repeated, and in a form no cell is.
    """
    starts = sorted({placed.column for row in rows for placed in row})
    number_of = {column: number for number, column in enumerate(starts)}
    spans = [[_span(placed, starts, number_of) for placed in row] for row in rows]
    counted = [
        span
        for row, row_spans in zip(rows, spans, strict=True)
        for placed, span in zip(row, row_spans, strict=True)
        if placed.cell.text and len(row) > 1
    ]
    is_form = bool(counted) and sum(counted) >= _FORM_SPAN * len(counted)
    filled = []
    for row, row_spans in zip(rows, spans, strict=True):
        cells: list[Cell] = []
        for placed, span in zip(row, row_spans, strict=True):
            is_repeated = len(row) > 1 and (not is_form or not placed.cell.text)
            cells += [placed.cell, *[repeatable(placed.cell)] * (span - 1 if is_repeated else 0)]
        filled.append(cells)
    return filled


def _span(placed: PlacedCell, starts: Sequence[int], number_of: dict[int, int]) -> int:
    """Return the number of columns with a beginning of a cell that a cell spans."""
    first = number_of[placed.column]
    last = first + 1
    while last < len(starts) and starts[last] < placed.column + placed.span:
        last += 1
    return last - first
