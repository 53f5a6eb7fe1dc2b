"""Tables of a Word document: rows, merged cells, header rows, and tables that only lay out the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from qa.documents.extract.docx.styles import Styles, is_on
from qa.documents.extract.docx.text import SKIPPED
from qa.documents.extract.office.merged_cells import PlacedCell, repeatable
from qa.documents.extract.office.xml_tree import Element, attribute, children, find, integer, qn
from qa.documents.extract.table_headers import Cell, find_header_rows, is_labelled, lays_out_page

_TABLE, _ROW, _CELL, _PARAGRAPH, _TEXT = qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:p"), qn("w:t")
# Word has at most 63 columns.
_MAX_SPAN = 63
_FIRST_ROW, _FIRST_COLUMN = 0x0020, 0x0080


def table_rows(table: Element) -> list[Element]:
    """Return the rows of a table that are neither deleted nor hidden."""
    return [row for row in _within(table, _ROW) if not _is_removed(find(row, "w:trPr"))]


def row_cells(row: Element) -> list[Element]:
    """Return the cells of a row that are not deleted."""
    return [cell for cell in _within(row, _CELL) if find(cell, "w:tcPr/w:cellDel") is None]


def _is_removed(properties: Element | None) -> bool:
    return find(properties, "w:del") is not None or bool(is_on(find(properties, "w:hidden")))


def _within(element: Element, tag: str) -> Iterator[Element]:
    """Yield the rows of a table or the cells of a row, also in content controls, but not those of nested tables."""
    for child in children(element):
        if child.tag == tag:
            yield child
        elif child.tag != _TABLE and child.tag not in SKIPPED:
            yield from _within(child, tag)


def is_layout(row: Element) -> bool:
    """Return whether the cells of a row are parts of the page: tables, or much text."""
    return lays_out_page([*map(_count_text, row_cells(row))]) or any(map(_is_grid, row.iter(_TABLE)))


def _count_text(cell: Element) -> tuple[int, int]:
    """Return the number of paragraphs with text in a cell, and of their characters."""
    lengths = [sum(len((t.text or "").strip()) for t in p.iter(_TEXT)) for p in cell.iter(_PARAGRAPH)]
    return sum(map(bool, lengths)), sum(lengths)


def _is_grid(table: Element) -> bool:
    rows = table_rows(table)
    return len(rows) > 1 and any(len(row_cells(row)) > 1 for row in rows)


class Grid:
    """Reads rows into cells in their columns; a cell that is merged with the one above has its text."""

    def __init__(self, read_cell: Callable[[Element], Cell]) -> None:
        self._read_cell = read_cell
        self._above: dict[int, Cell] = {}

    def read_row(self, row: Element) -> list[PlacedCell]:
        """Return the cells of a row; rows are read in their order."""
        column = min(max(integer(attribute(find(row, "w:trPr/w:gridBefore"), "w:val")), 0), _MAX_SPAN)
        cells = [PlacedCell(Cell(), 0, column)] if column else []
        above: dict[int, Cell] = {}
        for element in row_cells(row):
            properties = find(element, "w:tcPr")
            cell = self._read_cell(element)
            span = min(max(integer(attribute(find(properties, "w:gridSpan"), "w:val"), 1), 1), _MAX_SPAN)
            vertical, horizontal = find(properties, "w:vMerge"), find(properties, "w:hMerge")
            if vertical is not None:
                is_first = attribute(vertical, "w:val") not in (None, "continue")
                cell = cell if is_first else self._above.get(column, cell)
                above[column] = repeatable(cell)
            if horizontal is not None and attribute(horizontal, "w:val") in (None, "continue") and cells:
                cells[-1] = replace(cells[-1], span=cells[-1].span + span)
            else:
                cells.append(PlacedCell(cell, column, span))
            column += span
        # A row may end before the cell that continues a merged one.
        self._above = {place: cell for place, cell in self._above.items() if place >= column} | above
        return cells


def count_header_rows(
    table: Element, elements: Sequence[Element], rows: Sequence[Sequence[Cell]], styles: Styles
) -> int:
    """Return the number of rows at the start that name the columns.

    Args:
        table: the table.
        elements: the rows as elements.
        rows: the same rows as cells.
        styles: the styles of the document.
    """
    marked = 0
    while marked < len(elements) and is_on(find(elements[marked], "w:trPr/w:tblHeader")):
        marked += 1
    if 0 < marked < len(rows):
        return marked
    return find_header_rows(rows) or int(len(rows) > 1 and _is_formatted(table, styles, "firstRow", _FIRST_ROW))


def has_row_labels(table: Element, rows: Sequence[Sequence[Cell]], header_rows: int, styles: Styles) -> bool:
    """Return whether the first cell of each row names what the row is about."""
    is_formatted = all(len(row) > 1 for row in rows) and _is_formatted(table, styles, "firstCol", _FIRST_COLUMN)
    return is_formatted or is_labelled(rows, header_rows)


def _is_formatted(table: Element, styles: Styles, part: str, bit: int) -> bool:
    """Return whether the table's style shows its first row or column in another way, and the table uses that."""
    look = find(table, "w:tblPr/w:tblLook")
    used = attribute(look, "w:firstRow" if part == "firstRow" else "w:firstColumn")
    if used is None:
        try:
            is_used = bool(int(attribute(look, "w:val") or "0", 16) & bit)
        except ValueError:
            is_used = False
    else:
        is_used = used not in ("0", "false", "off")
    return is_used and styles.formats_first(attribute(find(table, "w:tblPr/w:tblStyle"), "w:val"), part)
