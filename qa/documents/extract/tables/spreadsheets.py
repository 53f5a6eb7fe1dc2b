"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): a section for each sheet, with the row and column of each cell.

A workbook with a text column, as in CSV, gives a document for each row instead. Formulas have the values that the
program computed when it saved the file. Of the formats of values only percentages are kept; dates are in ISO form.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import python_calamine as calamine

from qa.documents.extract.tables.columns import Columns, find_column, unique_names
from qa.documents.extract.tables.ods_cells import read_ods_cells
from qa.documents.extract.tables.rows import Row, extract_rows
from qa.documents.extract.tables.sheet_cells import Range, SheetCells, extend_area, fill_cells
from qa.documents.extract.tables.sheet_tables import SheetTable, Value, column_names, format_value, split_tables
from qa.documents.extract.tables.workbook_parts import check_archive, read_notes
from qa.documents.extract.tables.xls_records import read_xls_cells
from qa.documents.extract.tables.xlsb_cells import read_xlsb_cells
from qa.documents.extract.tables.xlsx_cells import read_xlsx_cells
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput, QAError, TooLarge
from qa.text.tables import row_spans
from qa.types import Mark, Table

# Cells of a sheet from its first to its last.
_MAX_CELLS = 30_000_000
# Rows of a table that are kept as one structure, so that a row is found without counting all rows above it.
_ROWS_PER_TABLE = 500
_MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    tables: Sequence[SheetTable]
    notes: Sequence[str] = ()


def extract_workbook(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
    """Extract the sheets of a workbook that are not hidden.

    Args:
        data: the whole file.
        name: the file's name in error messages.
        columns: the columns of text, title and id, if each row is a document.

    Raises:
        InvalidInput: the file is no workbook, is damaged or encrypted; or no sheet has the text column that the caller
            named.
        TooLarge: the file is too large when unpacked, or a sheet has too many cells.
    """
    check_archive(data, name)
    columns = columns or Columns()
    builder = TextBuilder()
    try:
        with calamine.load_workbook(io.BytesIO(data)) as workbook:
            known = _read_cells(data, name, workbook.sheet_names)
            sheets = _read_sheets(workbook, name, builder, known)
    except (QAError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    # A panic of the library, which is written in Rust, is a BaseException.
    except BaseException as error:
        raise InvalidInput(
            f"{name}: not a workbook, or damaged ({error}); open it in a spreadsheet program and save it again",
            field=name,
        ) from error
    notes = read_notes(data, name, builder)
    sheets = [replace(sheet, notes=notes.get(sheet.name, ())) for sheet in sheets]
    with_text = {sheet.name for sheet in sheets if _find_text_tables(sheet, columns)}
    if columns.text is not None and not with_text:
        names = ", ".join(
            dict.fromkeys(cell for sheet in sheets for table in sheet.tables for cell in column_names(table))
        )
        raise InvalidInput(
            f"{name}: no sheet has a column {columns.text!r}; name the text column, one of: {names[:500]}", field=name
        )
    if with_text:
        return _extract_rows(sheets, columns, name, builder)
    document = _build_tables(builder, sheets)
    if not document.text and document.unread:
        reasons = "; ".join(unread.reason for unread in document.unread[:_MAX_NAMED])
        raise InvalidInput(f"{name}: no sheet has text; not read: {reasons}", field=name)
    return [document]


def _read_cells(data: bytes, name: str, sheets: Sequence[str]) -> Mapping[str, SheetCells]:
    """Return what the library does not return of the cells of each sheet, by the name of the sheet."""
    if not data.startswith(b"PK"):
        cells = read_xls_cells(data)
        return dict(zip(sheets, cells, strict=True)) if len(cells) == len(sheets) else {}
    return read_ods_cells(data) or read_xlsb_cells(data) or read_xlsx_cells(data, name)


def _read_sheets(
    workbook: calamine.CalamineWorkbook, name: str, builder: TextBuilder, known: Mapping[str, SheetCells]
) -> list[_Sheet]:
    """Return the sheets, and report those that are not read."""
    sheets = []
    for index, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            if sheet.typ == calamine.SheetTypeEnum.ChartSheet:
                builder.report_unread(f"sheet {sheet.name!r} is a chart")
            continue
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            builder.report_unread(f"sheet {sheet.name!r} is hidden; show it in the workbook to have it read")
            continue
        try:
            cells = workbook.get_sheet_by_index(index)
        except calamine.CalamineError as error:
            builder.report_unread(f"sheet {sheet.name!r} is damaged: {error}")
            continue
        more = known.get(sheet.name, SheetCells())
        if more.without_value:
            formulas = "1 formula" if more.without_value == 1 else f"{more.without_value:,} formulas"
            builder.report_unread(
                f"{formulas} without stored values in sheet {sheet.name!r}; open the workbook in a spreadsheet program "
                "and save it"
            )
        if cells.start is None and not more.texts:
            sheets.append(_Sheet(sheet.name, []))
            continue
        start = cells.start or next(iter(more.texts))
        area = extend_area(start, cells.end or start, more.texts.keys())
        (row, column), (last_row, last_column) = area
        height, width = last_row - row + 1, last_column - column + 1
        if height * width > _MAX_CELLS:
            raise TooLarge(
                f"{name}: sheet {sheet.name!r} has {height:,} rows and {width:,} columns, over the limit of "
                f"{_MAX_CELLS:,} cells; delete cells far from the others",
                field=name,
            )
        rows = [_clear_blanks(cells_of_row) for cells_of_row in cells.to_python()] if cells.start else []
        if more.texts or more.percentages:
            rows = fill_cells(rows, start, area, more.texts, more.percentages)
        ranges = more.ranges or cells.merged_cell_ranges
        filled = _fill_merged(rows, ranges, row, column) if ranges else rows
        sheets.append(_Sheet(sheet.name, list(split_tables(filled, row + 1, column + 1, rows))))
    return sheets


def _clear_blanks(row: list[Value]) -> list[Value]:
    """Return a row in which cells of white space are empty."""
    # A cell far from the others makes millions of empty cells.
    if row.count("") == len(row):
        return row
    return ["" if isinstance(value, str) and not value.strip() else value for value in row]


def _fill_merged(
    rows: Sequence[Sequence[Value]], ranges: Iterable[Range], first_row: int, first_column: int
) -> list[list[Value]]:
    """Return the rows with the value of a merged cell in each cell that it spans."""
    filled = [list(row) for row in rows]
    budget = sum(map(len, rows))
    for (top, left), (bottom, right) in ranges:
        top, left = top - first_row, left - first_column
        bottom = min(bottom - first_row, len(rows) - 1)
        right = min(right - first_column, len(rows[0]) - 1)
        # A range that begins outside the cells is blank.
        if top < 0 or left < 0 or top > bottom or left > right:
            continue
        # Only in a damaged file do ranges overlap, which could take time without end.
        budget -= (bottom - top + 1) * (right - left + 1)
        if budget < 0:
            break
        for row in filled[top : bottom + 1]:
            row[left : right + 1] = [rows[top][left]] * (right - left + 1)
    return filled


def _find_text_tables(sheet: _Sheet, columns: Columns) -> list[SheetTable]:
    """Return the first table of a sheet that has a text column, and the blocks that continue it."""
    wanted = columns.text or "text"
    tables = sheet.tables
    first = next((n for n, table in enumerate(tables) if find_column(column_names(table), wanted)), None)
    if first is None:
        return []
    return [tables[first], *takewhile(lambda table: bool(table.header), tables[first + 1 :])]


def _build_tables(builder: TextBuilder, sheets: Sequence[_Sheet]) -> ExtractedText:
    """Return a text of all tables, in which each sheet is a section."""
    for sheet in sheets:
        builder.start_section(sheet.name)
        for table in sheet.tables:
            builder.add_table(
                [[format_value(value) for value in row] for row in table.rows],
                header_rows=table.header_rows,
                labelled=table.labelled,
                numbers=table.numbers,
                first_column=table.first_column,
            )
        for note in sheet.notes:
            builder.add_block(note)
    document = builder.build()
    headers = [table.header for sheet in sheets for table in sheet.tables]
    tables = [
        replace(part, header=part.header or header) for part, header in zip(document.tables, headers, strict=True)
    ]
    return replace(document, tables=tuple(part for table in tables for part in _split_structure(table)))


def _extract_rows(sheets: Sequence[_Sheet], columns: Columns, name: str, builder: TextBuilder) -> list[ExtractedText]:
    """Return a document for each row of the tables with a text column, and one for all other tables."""
    documents: list[ExtractedText] = []
    others: list[_Sheet] = []
    for number, sheet in enumerate(sheets, 1):
        parts = _find_text_tables(sheet, columns)
        if parts:
            documents += _extract_sheet(parts, sheet.name, number, columns, name)
        others.append(replace(sheet, tables=[table for table in sheet.tables if table not in parts]))
    ids = Counter(document.id for document in documents if document.id)
    if repeated := next((id for id, count in ids.items() if count > 1), None):
        if columns.id is not None:
            raise InvalidInput(f"{name}: id {repeated!r} is in several sheets; make ids unique", field=name)
        # Each sheet counts its rows.
        documents = [_without_id(document) for document in documents]
    rest_text = _build_tables(builder, others)
    if rest_text.text:
        return [*documents, replace(rest_text, part="other-tables")]
    documents[0] = replace(documents[0], unread=(*documents[0].unread, *rest_text.unread))
    return documents


def _without_id(document: ExtractedText) -> ExtractedText:
    """Return a document with its id as a value like others."""
    return replace(document, id=None, meta={**document.meta, "id": document.id}) if document.id else document


def _extract_sheet(
    tables: Sequence[SheetTable], sheet: str, sheet_number: int, columns: Columns, name: str
) -> list[ExtractedText]:
    """Return the documents of a table and of its continuation below blank rows."""
    names = unique_names(column_names(tables[0]))
    numbered = [
        (number, row)
        for table in tables
        for number, row in zip(table.numbers[table.header_rows :], table.rows[table.header_rows :], strict=True)
    ]
    rows = [
        Row(
            f"{name}: sheet {sheet!r}, row {number}",
            {key: _to_cell(value) for key, value in zip(names, row, strict=True)},
        )
        for number, row in numbered
    ]
    text_column = names.index(find_column(names, columns.text or "text") or "") + tables[0].first_column
    return [
        replace(
            document,
            marks=(Mark(0, None, sheet),),
            # The text is one cell.
            tables=(Table(0, ((len(document.text),),), numbers=(number,), first_column=text_column),),
            part=f"{sheet_number}-{number}",
            meta={"sheet": sheet, **document.meta},
        )
        for document in extract_rows(rows, columns, name)
        for number, _ in [numbered[(document.row or 1) - 1]]
    ]


def _to_cell(value: Value) -> str | int | float | bool:
    """Return a value as metadata: numbers stay numbers."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(value)
    return value if isinstance(value, str | int | float | bool) else format_value(value)


def _split_structure(table: Table) -> list[Table]:
    """Return a long table as several structures with the same header."""
    if len(table.rows) <= _ROWS_PER_TABLE:
        return [table]
    starts = [span.start for span in row_spans(table)]
    return [
        replace(
            table,
            start=starts[first],
            rows=table.rows[first : first + _ROWS_PER_TABLE],
            header_rows=max(0, table.header_rows - first),
            numbers=table.numbers[first : first + _ROWS_PER_TABLE],
        )
        for first in range(0, len(table.rows), _ROWS_PER_TABLE)
    ]
