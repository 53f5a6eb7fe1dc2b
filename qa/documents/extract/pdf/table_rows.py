"""Build the rows of a table from the lines in its columns: wrapped cells, header and labels (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import inf
from statistics import fmean

from qa.documents.extract.pdf.layout import Line, Row, is_wrapped, resolve_hyphen, restore_hyphen
from qa.documents.extract.table_headers import guess_header_rows, is_numeric
from qa.text.tables import CELL_SEPARATOR

# A line is part of the row above if its distance is below this share of the distance between rows.
_TIGHT_STEP = 0.85
# In line heights: the maximum step to a line of the same cell.
_MAX_STEP = 1.7
# In characters: the longest label of a row and the longest name of a column.
_MAX_LABEL, _MAX_NAME = 60, 60
# The longest cell that is a mark, in characters, and the longest that is a name, in words.
_MAX_MARK, _MAX_NAME_WORDS = 2, 2
# A line of a cell with at least this many words is text that may be wrapped.
_TEXT_WORDS = 3
# The mean number of words in the cells of a table that is drawn column by column. Columns of prose have more.
_FEW_WORDS = 3
# The kind of a column is that of this share of its cells. Rows are labelled if this share of them is.
_MOST, _LABELLED = 0.8, 0.7
Cell = Sequence[Line]


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """Lines at one height of a table; a wrapped row of the table has several.

    Attributes:
        cells: the lines in each column, mostly one or none.
        bottom: lower edge of the lowest line.
        height: height of the highest line.
        unit: rows with the same number were drawn together, column by column, so they are one row of the table.
    """

    cells: Sequence[Cell]
    bottom: float
    height: float
    unit: int = 0


def sort_lines(lines: Sequence[Line]) -> list[Line]:
    """Return lines from the top to the bottom, and lines at one height from left to right."""
    ordered = sorted(lines, key=lambda line: -line.bottom)
    heights = [0]
    for above, line in pairwise(ordered):
        heights.append(heights[-1] + (above.bottom - line.bottom > line.height / 2))
    return [line for _, line in sorted(zip(heights, ordered, strict=False), key=lambda item: (item[0], item[1].left))]


def group_printed_rows(
    rows: Sequence[PrintedRow], limits: Sequence[float], *, has_certain_limits: bool = False
) -> list[list[Cell]]:
    """Join the printed rows that are lines of one wrapped row.

    Args:
        rows: the printed rows of a table, from the top.
        limits: right edge of each column, which text does not pass.
        has_certain_limits: whether a line is drawn at each limit, so that it shows which lines are wrapped.

    Returns:
        The cells of each row of the table.
    """
    tight = inf if has_certain_limits else _TIGHT_STEP * _row_step(rows)
    apart = _find_rows_drawn_by_column(rows)
    grouped: list[list[list[Line]]] = []
    for previous, row in zip([None, *rows], rows, strict=False):
        if previous is None:
            continues = False
        elif previous.unit == row.unit:
            continues = row.unit not in apart
        else:
            continues = _is_continuation(grouped[-1], previous, row, limits, tight)
        if not continues:
            grouped.append([[] for _ in row.cells])
        for lines, cell in zip(grouped[-1], row.cells, strict=True):
            lines += cell
    return [list(cells) for cells in grouped]


def _find_rows_drawn_by_column(rows: Sequence[PrintedRow]) -> set[int]:
    """Return the units whose lines are rows of the table, drawn one column after the other, and no wrapped cells."""
    apart: set[int] = set()
    for unit, group in groupby(rows, key=lambda row: row.unit):
        printed = list(group)
        columns = [[row.cells[column] for row in printed] for column in range(len(printed[0].cells))]
        full = [column for column in columns if all(column)]
        words = [len(line.words) for column in columns for cell in column for line in cell]
        # It is not likely that three cells are wrapped into equally many lines, and numbers are not wrapped at all.
        has_short = any(all(map(_is_short, column)) for column in full)
        has_numbers = any(all(_is_short(cell) and is_numeric(cell[0].text) for cell in column[1:]) for column in full)
        if ((len(full) > 2 and has_short) or (len(full) > 1 and has_numbers)) and fmean(words) <= _FEW_WORDS:
            apart.add(unit)
    return apart


def _is_short(cell: Cell) -> bool:
    return len(cell) == 1 and (len(cell[0].words) == 1 or is_numeric(cell[0].text))


def _row_step(rows: Sequence[PrintedRow]) -> float:
    """Return the usual distance between the rows that begin in the first column."""
    steps = sorted(above.bottom - row.bottom for above, row in pairwise(rows) if row.cells[0])
    return steps[len(steps) * 3 // 4] if steps else 0.0


def _is_continuation(
    above: Sequence[Cell], previous: PrintedRow, row: PrintedRow, limits: Sequence[float], tight: float
) -> bool:
    """Return whether a printed row continues the cells above it."""
    step = previous.bottom - row.bottom
    filled = [column for column, cell in enumerate(row.cells) if cell]
    if step > _MAX_STEP * row.height:
        return False
    if above[0] and row.cells[0] and not any(above[1:]):
        # The other cells of the row are beside the last line of its label.
        first = row.cells[0][0]
        return (first.text[0].islower() or first.text[0] == "(") and is_wrapped(above[0][-1], first, limits[0])
    if not all(above[column] for column in filled):
        return False
    pairs = [(above[column][-1], row.cells[column][0], limits[column]) for column in filled]
    if not all(is_wrapped(before, after, limit) for before, after, limit in pairs):
        return False
    if any(is_numeric(before.text) and is_numeric(after.text) for before, after, _ in pairs):
        return False
    if step <= tight:
        return True
    # Without a difference in distance, only text that continues is certain: a cell may be empty as in the row above.
    is_text = any(len(before.words) >= _TEXT_WORDS or after.text[:1].islower() for before, after, _ in pairs)
    is_partial = not row.cells[0] and len(filled) < sum(map(bool, above))
    return is_text and is_partial and not any(is_numeric(after.text) for _, after, _ in pairs)


def build_rows(rows: Sequence[Sequence[Cell]]) -> list[Line]:
    """Return the rows of a table as lines that carry their cells.

    Args:
        rows: the lines of each cell of each row, all with the same number of columns.
    """
    joined = [[_resolve_hyphens(cell) for cell in row] for row in rows]
    texts = [[_join_cell(cell) for cell in row] for row in joined]
    header_rows = _count_header_rows(texts)
    labelled = _has_labels(texts[header_rows:])
    return [
        _build_row(
            [line for cell in cells for line in cell],
            Row(row_texts, (), starts_table=number == 0, is_header=number < header_rows, labelled=labelled),
        )
        for number, (cells, row_texts) in enumerate(zip(joined, texts, strict=True))
    ]


def _build_row(parts: Sequence[Line], row: Row) -> Line:
    bottom = min(line.bottom for line in parts)
    return Line(
        CELL_SEPARATOR.join(row.cells),
        min(line.left for line in parts),
        max(line.right for line in parts),
        bottom,
        max(line.bottom + line.height for line in parts) - bottom,
        ends_mid_word=False,
        row=replace(row, parts=parts),
    )


def _resolve_hyphens(cell: Cell) -> Cell:
    """Return the lines of a cell with `Line.ends_mid_word` where a word continues on the next line."""
    lines = [resolve_hyphen(line, following) for line, following in zip(cell, [*cell[1:], None], strict=False)]
    if lines and lines[-1].ends_mid_word:
        # A word never continues in the next cell.
        lines[-1] = replace(restore_hyphen(lines[-1]), ends_mid_word=False)
    return lines


def _join_cell(cell: Cell) -> str:
    return "".join(line.text + ("" if line.ends_mid_word else " ") for line in cell).strip()


def _count_header_rows(texts: Sequence[Sequence[str]]) -> int:
    """Return the number of rows at the start that name the columns."""
    return guess_header_rows(texts) or int(len(texts) > 1 and _is_header(texts))


def _is_header(texts: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has names where most other rows have something else."""
    first, body = texts[0], texts[1:]
    # The first column may have no name.
    if not all(first[1:]) or any(is_numeric(name) or len(name) > _MAX_NAME for name in first if name):
        return False
    columns = [[row[column] for row in body if row[column]] for column in range(len(first))]
    if any(name and name in column for name, column in zip(first, columns, strict=True)):
        return False
    contrasts = [_contrasts(name, column) for name, column in zip(first, columns, strict=True)]
    return sum(contrasts[1:]) * 2 >= len(first) - 1


def _contrasts(name: str, column: Sequence[str]) -> bool:
    """Return whether most cells of a column are of another kind than its name."""
    (kind, count), *_ = Counter(map(_kind, column)).most_common(1) or [("", 0)]
    return count >= _MOST * len(column) > 0 and _kind(name) != kind


def _kind(text: str) -> str:
    if is_numeric(text):
        return "number"
    if len(text) <= _MAX_MARK:
        return "mark"
    return "word" if len(text.split()) <= _MAX_NAME_WORDS else "phrase"


def _has_labels(texts: Sequence[Sequence[str]]) -> bool:
    """Return whether the first cell of each row names what the row is about."""
    labels = [row[0] for row in texts]
    words = [label for label in labels if label and len(label) <= _MAX_LABEL and not is_numeric(label)]
    return len(words) >= _LABELLED * len(labels) > 0 and len(set(words)) >= _MOST * len(words)
