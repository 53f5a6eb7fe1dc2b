"""Tables of an OpenDocument text: rows, merged and repeated cells, header rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from qa.documents.extract.office.merged_cells import PlacedCell, repeatable
from qa.documents.extract.office.xml_tree import Element, attribute, children, find, integer, names, qn
from qa.documents.extract.table_headers import Cell, lays_out_page

_TABLE, _ROW = qn("table:table"), qn("table:table-row")
_CELL, _COVERED = qn("table:table-cell"), qn("table:covered-table-cell")
_GROUPS = names("table:table-header-rows", "table:table-rows", "table:table-row-group")
# Repetitions are numbers that a file may set freely: the copies of one cell, the columns of a row with copies, ...
_MAX_REPEATED, _MAX_COLUMNS, _MAX_REPEATED_ROWS, _MAX_SPAN = 64, 1_000, 20, 1_000


def table_rows(table: Element) -> Iterator[Element]:
    """Yield the rows of a table that are not hidden."""
    for child in children(table):
        if child.tag == _ROW and attribute(child, "table:visibility") not in ("collapse", "filter"):
            yield child
        elif child.tag in _GROUPS:
            yield from table_rows(child)


def row_cells(row: Element) -> list[Element]:
    """Return the cells of a row, without those that a merged cell covers."""
    return [cell for cell in children(row) if cell.tag == _CELL]


def count_header_rows(table: Element) -> int:
    """Return the number of rows that are marked as the header; 0 if all are."""
    header = find(table, "table:table-header-rows")
    marked = 0 if header is None else len(list(table_rows(header)))
    return marked if marked < sum(1 for _ in table_rows(table)) else 0


def is_layout(row: Element) -> bool:
    """Return whether the cells of a row are parts of the page: tables, or much text."""
    return lays_out_page([*map(_count_text, row_cells(row))]) or any(map(_is_grid, row.iter(_TABLE)))


def _count_text(cell: Element) -> tuple[int, int]:
    """Return the number of paragraphs with text in a cell, and of their characters."""
    lengths = [len("".join(p.itertext()).strip()) for p in cell.iter(qn("text:p"), qn("text:h"))]
    return sum(map(bool, lengths)), sum(lengths)


def _is_grid(table: Element) -> bool:
    rows = list(table_rows(table))
    return len(rows) > 1 and any(len(row_cells(row)) > 1 for row in rows)


class Grid:
    """Reads rows into cells in their columns; a cell that is covered from above has the text of the covering one."""

    def __init__(self, read_cell: Callable[[Element], Cell]) -> None:
        self._read_cell = read_cell
        # For each column, the cell that covers it from above and the number of rows that it still covers.
        self._covering: dict[int, tuple[PlacedCell, int]] = {}

    def read_row(self, row: Element) -> list[list[PlacedCell]]:
        """Return a row as often as it is repeated; rows are read in their order."""
        cells: list[PlacedCell] = []
        covering: dict[int, tuple[PlacedCell, int]] = {}
        column = end = 0
        for element in children(row):
            if element.tag not in (_CELL, _COVERED):
                continue
            repeated = max(1, integer(attribute(element, "table:number-columns-repeated"), 1))
            cell = self._read_cell(element) if element.tag == _CELL else Cell()
            if repeated > _MAX_REPEATED and not cell.text:
                # An empty cell is repeated up to the edge of a sheet.
                break
            copies = min(repeated, _MAX_REPEATED) if column < _MAX_COLUMNS else 1
            for _ in range(copies):
                above = self._covering.get(column)
                if element.tag == _CELL:
                    columns, rows = (_spanned(element, name) for name in ("columns", "rows"))
                    placed = PlacedCell(cell, column, columns)
                    cells.append(placed)
                    end = column + columns
                    if rows > 1:
                        covering[column] = replace(placed, cell=repeatable(cell)), rows
                elif column >= end:
                    cells.append(above[0] if above else PlacedCell(Cell(), column))
                    end = column + cells[-1].span
                column += 1
        self._covering = {
            place: (placed, rows - 1) for place, (placed, rows) in (self._covering | covering).items() if rows > 1
        }
        repeated = integer(attribute(row, "table:number-rows-repeated"), 1)
        has_text = any(placed.cell.text for placed in cells)
        return [cells] * (max(1, min(repeated, _MAX_REPEATED_ROWS)) if has_text else 1)


def _spanned(cell: Element, name: str) -> int:
    return min(max(1, integer(attribute(cell, f"table:number-{name}-spanned"), 1)), _MAX_SPAN)
