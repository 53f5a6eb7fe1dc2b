"""Tables in HTML: which hold data and which only lay out the page, and the rows of those with data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qa.documents.extract.html.inline import inline_text
from qa.documents.extract.html.parsing import Element, raw_text
from qa.documents.extract.html.tags import HEADINGS
from qa.documents.extract.table_headers import guess_header_rows, guess_labelled

_SECTIONS = ("thead", "tbody", "tfoot")
_LAYOUT_PARTS = ("blockquote", "form", "hr", "pre", "table", *HEADINGS)
_LAYOUT_ROLES = frozenset({"none", "presentation"})
# In characters: cells of a table without header are shorter than this.
_MAX_CELL = 400
# A table may grow this many times by repeating its merged cells; with more, they are not repeated.
_MAX_COLUMNS = 1000
_MAX_SPAN = 65_534
_MAX_GROWTH, _ALLOWED_CELLS, _ALLOWED_CHARACTERS = 10, 10_000, 100_000


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """The cells of a table, with merged cells repeated; see `TextBuilder.add_table`."""

    rows: Sequence[Sequence[str]]
    header_rows: int
    labelled: bool


# A tuple takes a quarter of the time of a dataclass to make, and large tables have many cells.
class _Cell(NamedTuple):
    text: str
    is_header: bool
    names_row: bool
    columns: int
    rows: int


def read_table(table: Element) -> HtmlTable | None:
    """Return a table with data; None for one that only lays out the page, whose cells are read one after the other."""
    rows = list(_rows_of(table))
    elements = [list(row.iterchildren("td", "th")) for row in rows]
    if not any(elements) or (table.get("role") or "").lower() in _LAYOUT_ROLES:
        return None
    has_header = any(cell.tag == "th" for row in elements for cell in row)
    # Most tables have none of these elements, so no cell is looked at.
    suspects = ("pre", "table") if has_header else (*_LAYOUT_PARTS, "p")
    if next(table.iterdescendants(*suspects), None) is not None and any(
        _nested(elements) if has_header else map(_is_layout_cell, (cell for row in elements for cell in row))
    ):
        return None
    cells = [[_read_cell(cell) for cell in row] for row in elements]
    if not has_header and not _looks_like_data(cells):
        return None
    if max(map(len, cells)) < 2 and not _is_list_of_short_cells(cells):
        return None
    if _is_text_beside_picture(elements):
        return None
    grid = _repeat_merged(cells)
    texts = [[cell.text if cell else "" for cell in row] for row in grid]
    header_rows = _count_header_rows(rows, grid) or guess_header_rows(texts)
    labelled = _has_row_headers(grid[header_rows:]) or guess_labelled(texts, header_rows)
    return HtmlTable(texts, header_rows, labelled)


def _rows_of(table: Element) -> Iterator[Element]:
    """Yield the rows of a table, without those of tables in its cells, in the order in which a browser shows them."""
    for child in sorted(table, key=lambda child: {"thead": 0, "tfoot": 2}.get(child.tag, 1)):
        if child.tag == "tr":
            yield child
        elif child.tag in _SECTIONS:
            yield from child.iterchildren("tr")


def _is_layout_cell(cell: Element) -> bool:
    """Return whether a cell of a table without header holds more than a value: headings, listings, paragraphs."""
    if not len(cell):
        return False
    if next(cell.iter(*_LAYOUT_PARTS), None) is not None:
        return True
    return len(list(cell.iter("p"))) > 1


def _nested(rows: Sequence[Sequence[Element]]) -> Iterator[bool]:
    """Yield, for each cell of a table with header, whether it holds a table or a listing of several lines."""
    for row in rows:
        for cell in row:
            yield cell.find(".//table") is not None or any(
                "\n" in (raw_text(listing).strip()) for listing in cell.iter("pre")
            )


def _read_cell(cell: Element) -> _Cell:
    if not len(cell) and not cell.keys():
        return _Cell(inline_text(cell), cell.tag == "th", cell.tag == "th", 1, 1)
    is_header = cell.tag == "th" or cell.get("role") in ("columnheader", "rowheader") or _is_bold(cell)
    names_row = cell.tag == "th" or cell.get("role") == "rowheader" or cell.get("scope") in ("row", "rowgroup")
    columns, rows = _parse_span(cell.get("colspan"), if_zero=1), _parse_span(cell.get("rowspan"), if_zero=_MAX_SPAN)
    return _Cell(inline_text(cell), is_header, names_row, columns, rows)


def _is_bold(cell: Element) -> bool:
    """Return whether all text of a cell is bold."""
    parts = list(cell)
    while len(parts) == 1 and parts[0].tag in ("p", "span", "font", "div", "center"):
        parts = list(parts[0])
    return len(parts) == 1 and parts[0].tag in ("b", "strong") and not (parts[0].tail or "").strip()


def _parse_span(value: str | None, *, if_zero: int) -> int:
    """Return a number of rows or columns; a rowspan of 0 means all rows that are left."""
    digits = (value or "").strip()
    if not (digits.isascii() and digits.isdigit()):
        return 1
    return min(int(digits[:9]), _MAX_SPAN) or if_zero


def _looks_like_data(cells: Sequence[Sequence[_Cell]]) -> bool:
    filled = [cell for row in cells for cell in row if cell.text]
    return all(len(cell.text) <= _MAX_CELL for cell in filled)


def _is_text_beside_picture(rows: Sequence[Sequence[Element]]) -> bool:
    """Return whether a table only puts a text, such as a warning, beside a picture."""
    first, *others = rows
    return (
        len(first) == 2
        and all(len(row) < 2 for row in others)
        and first[0].find(".//img") is not None
        and not raw_text(first[0]).strip()
        and (not others or _parse_span(first[0].get("rowspan"), if_zero=_MAX_SPAN) > 1)
    )


def _is_list_of_short_cells(cells: Sequence[Sequence[_Cell]]) -> bool:
    """Return whether a table of one column is a list."""
    return len(cells) > 1 and all(len(cell.text) <= _MAX_CELL // 2 for row in cells for cell in row)


def _repeat_merged(cells: Sequence[Sequence[_Cell]]) -> list[list[_Cell | None]]:
    """Return the rows with each merged cell in each row and column that it spans."""
    if all(cell.columns == cell.rows == 1 for row in cells for cell in row):
        return [list(row) for row in cells]
    width = _count_columns(cells)
    if width > _MAX_COLUMNS:
        return [list(row) for row in cells]
    number = sum(map(len, cells))
    characters = sum(len(cell.text) for row in cells for cell in row)
    grid: list[list[_Cell | None]] = []
    carried: dict[int, tuple[_Cell, int]] = {}
    filled = repeated = 0
    for row in cells:
        line: list[_Cell | None] = []
        pending = list(reversed(row))
        while pending or len(line) in carried:
            column = len(line)
            if column in carried:
                cell, rows_left = carried.pop(column)
                line.append(cell)
                if rows_left > 1:
                    carried[column] = (cell, rows_left - 1)
                continue
            cell = pending.pop()
            # The last cell of a row often spans more columns than there are.
            columns = cell.columns if pending else max(1, min(cell.columns, width - column))
            for _ in range(columns):
                if len(line) in carried:
                    break
                if cell.rows > 1:
                    carried[len(line)] = (cell, cell.rows - 1)
                line.append(cell)
        last = max(carried, default=-1)
        # A cell that spans rows may be to the right of a short row.
        while len(line) <= last and len(line) < width:
            taken = carried.pop(len(line), None)
            if taken and taken[1] > 1:
                carried[len(line)] = (taken[0], taken[1] - 1)
            line.append(taken[0] if taken else None)
        grid.append(line)
        filled += len(line)
        repeated += sum(len(cell.text) for cell in line if cell)
        if filled > _MAX_GROWTH * number + _ALLOWED_CELLS or repeated > _MAX_GROWTH * characters + _ALLOWED_CHARACTERS:
            return [list(row) for row in cells]
    return grid


def _count_columns(cells: Sequence[Sequence[_Cell]]) -> int:
    """Return the number of columns, for which the last cell of each row counts as one."""
    width = 0
    # For each cell that spans rows: the row after its last, and its columns.
    open_cells: list[tuple[int, int]] = []
    for number, row in enumerate(cells):
        open_cells = [(end, columns) for end, columns in open_cells if end > number]
        spans = [cell.columns for cell in row[:-1]] + [1] * bool(row)
        width = max(width, sum(spans) + sum(columns for _, columns in open_cells))
        if width > _MAX_COLUMNS:
            break
        open_cells += [(number + cell.rows, span) for cell, span in zip(row, spans, strict=True) if cell.rows > 1]
    return width


def _count_header_rows(rows: Sequence[Element], grid: Sequence[Sequence[_Cell | None]]) -> int:
    """Return the number of rows at the start that name the columns."""
    in_head: int = sum(row.getparent().tag == "thead" for row in rows)
    if in_head:
        return min(in_head, len(grid) - 1)
    count = 0
    for row in grid:
        filled = [cell for cell in row if cell and cell.text]
        if not filled or not all(cell.is_header for cell in filled):
            break
        # A single cell beside empty ones names its row.
        if len(filled) == 1 and len(row) > 1 and filled[0] is row[0]:
            break
        count += 1
    return count if count < len(grid) else 0 if len(grid) == 1 else 1


def _has_row_headers(grid: Sequence[Sequence[_Cell | None]]) -> bool:
    """Return whether the page marks the first cell of most rows as what the row is about."""
    first = [row[0] for row in grid if len(row) > 1 and row[0]]
    return bool(first) and 2 * sum(cell.names_row for cell in first if cell) > len(first)
