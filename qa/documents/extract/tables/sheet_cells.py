"""What a workbook says of cells and the library for workbooks does not return, and its place in the rows (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from qa.documents.extract.tables.sheet_tables import Percentage, Value

Place = tuple[int, int]
"""The row and the column of a cell, from 0."""

Range = tuple[Place, Place]
"""The first and the last cell of a range."""

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""What the codes of errors in the binary formats of Excel stand for."""


@dataclass(slots=True)
class SheetCells:
    """What is known of the cells of a sheet beside their values.

    Attributes:
        texts: texts of cells whose values the library returns as blank.
        percentages: cells whose numbers are shown as percentages.
        ranges: merged ranges.
        without_value: number of cells with a formula whose value is not stored.
    """

    texts: dict[Place, str] = field(default_factory=dict)
    percentages: set[Place] = field(default_factory=set)
    ranges: list[Range] = field(default_factory=list)
    without_value: int = 0


def extend_area(first: Place, last: Place, places: AbstractSet[Place]) -> Range:
    """Return the first and the last cell of an area that has these places too."""
    rows, columns = zip(first, last, *places, strict=True)
    return (min(rows), min(columns)), (max(rows), max(columns))


def fill_cells(
    rows: Sequence[Sequence[Value]],
    start: Place,
    area: Range,
    texts: Mapping[Place, str],
    percentages: AbstractSet[Place],
) -> list[list[Value]]:
    """Return the rows of an area, with texts in blank cells and with percentages.

    Args:
        rows: the rows of the library.
        start: the first cell of `rows`.
        area: the first and the last cell of the result.
        texts: texts of blank cells.
        percentages: cells whose numbers are percentages.
    """
    (top, left), (bottom, right) = area
    filled: list[list[Value]] = [[""] * (right - left + 1) for _ in range(bottom - top + 1)]
    for number, row in enumerate(rows, start[0] - top):
        filled[number][start[1] - left : start[1] - left + len(row)] = row
    for (row_number, column), text in texts.items():
        if filled[row_number - top][column - left] == "":
            filled[row_number - top][column - left] = text
    for row_number, column in percentages:
        if top <= row_number <= bottom and left <= column <= right:
            value = filled[row_number - top][column - left]
            if isinstance(value, int | float) and not isinstance(value, bool):
                filled[row_number - top][column - left] = Percentage(value)
    return filled
