"""Which rows and cells of a table name the others, and which tables only lay out a page (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_MAX_NAME = 60
# A number, an amount, a date in digits, a time or a share, with at most one word as its unit.
_NUMERIC = re.compile(r"[^\w\s]*\s?(?:[A-Z]{3}\s)?\d[\d\s.,:/%'’+\-–()]*[^\W\d]{0,12}\W*")

_YEAR = re.compile(r"(?:19|20)\d\d")

# A cell with as much text as half a page.
_PAGE_PARAGRAPHS, _PAGE_CHARACTERS = 8, 1_500


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell; whether all of it is bold."""

    text: str = ""
    is_bold: bool = False


def texts_of(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """Return the texts of the cells of each row."""
    return [[cell.text for cell in row] for row in rows]


def find_header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """Return the number of rows that name the columns, by their text or because only the first row is bold."""
    guessed = guess_header_rows(texts_of(rows))
    if guessed or len(rows) < 2:
        return guessed
    return int(_all_bold(rows[0]) and not all(map(_all_bold, rows[1:])))


def is_labelled(rows: Sequence[Sequence[Cell]], header_rows: int) -> bool:
    """Return whether the first cell of each row names what the row is about, by its text or because it is bold."""
    body = rows[header_rows:]
    if not body or any(len(row) < 2 for row in body):
        return False
    is_bold_column = _all_bold([row[0] for row in body]) and not any(_all_bold(row[1:]) for row in body)
    return is_bold_column or guess_labelled(texts_of(rows), header_rows)


def _all_bold(cells: Sequence[Cell]) -> bool:
    filled = [cell.is_bold for cell in cells if cell.text]
    return bool(filled) and all(filled)


def lays_out_page(cells: Sequence[tuple[int, int]]) -> bool:
    """Return whether the cells of a row are parts of the page rather than values.

    They are if one has the text of half a page, or several paragraphs where no other cell has text.

    Args:
        cells: for each cell, the number of its paragraphs with text, and of their characters.
    """
    filled = [paragraphs for paragraphs, _ in cells if paragraphs]
    if len(filled) == 1 and filled[0] > 1 and len(cells) > 1:
        return True
    return any(paragraphs >= _PAGE_PARAGRAPHS and characters >= _PAGE_CHARACTERS for paragraphs, characters in cells)


def is_numeric(cell: str) -> bool:
    """Return whether a cell is a number, perhaps with a sign, currency or unit."""
    return len(cell) <= _MAX_NAME and bool(_NUMERIC.fullmatch(cell.strip()))


def guess_header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of rows that name the columns: those of short words above a column of numbers.

    A row in which one name spans several columns is a header with the row below it.
    """
    # A row of one cell is a title of the table.
    title_rows = next((number for number, row in enumerate(rows) if len(row) > 1), 0)
    rows = rows[title_rows:]
    if len(rows) < 2:
        return 0
    first = rows[0]
    spans = any(left == right and left for left, right in pairwise(first))
    count = 2 if spans and len(rows) > 2 and len(set(first)) > 1 and _names_columns(rows[1]) else 1
    header, body = rows[:count], rows[count:]
    if not body or not all(_names_columns(row) for row in header):
        return 0
    for column in range(max(map(len, header))):
        below = [row[column] for row in body if column < len(row) and row[column].strip()]
        if below and 2 * sum(map(is_numeric, below)) > len(below):
            return title_rows + count
    return 0


def _names_columns(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row]
    years = {cell for cell in cells if _YEAR.fullmatch(cell)}
    if len(years) > 1:
        cells = [cell for cell in cells if cell not in years] + ["year"] * len(years)
    # The first cell of a header may be empty: nothing is above the names of the rows.
    return (
        len(cells) > 1
        and sum(map(bool, cells)) > len(cells) / 2
        and not any(is_numeric(cell) or len(cell) > _MAX_NAME for cell in cells)
    )


def guess_labelled(rows: Sequence[Sequence[str]], header_rows: int = 0) -> bool:
    """Return whether the first cell of each row is a short name, with something else beside it."""
    body = [row for row in rows[header_rows:] if any(cell.strip() for cell in row)]
    if not body:
        return False
    return all(
        len(row) > 1 and row[0].strip() and len(row[0]) <= _MAX_NAME and not is_numeric(row[0]) and any(row[1:])
        for row in body
    )
