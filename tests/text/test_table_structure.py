"""Tables in a text: rows, cells, cuts and the references of workbook cells."""

from __future__ import annotations

from qa.documents.extract.text_builder import TextBuilder
from qa.text.tables import cell_spans, row_spans, sheet_cell, table_span, tables_within
from qa.types import Span

ROWS = [["", "Sales", "Sales"], ["Month", "May", "June"], ["", "", ""], ["North", "4.1", ""], ["South", "7", "9"]]


def build() -> tuple[str, TextBuilder]:
    builder = TextBuilder()
    builder.add_block("Before.")
    builder.add_table(ROWS, header_rows=2, labelled=True, numbers=[3, 4, 5, 6, 7], first_column=26)
    builder.add_block("After.")
    return builder.build().text, builder


def test_a_table_knows_its_rows_cells_and_header() -> None:
    text, builder = build()
    (table,) = builder.build().tables
    assert text == "Before.\n\n | Sales | Sales\nMonth | May | June\nNorth | 4.1 | \nSouth | 7 | 9\n\nAfter."
    assert [span.of(text) for span in row_spans(table)] == text.split("\n")[2:6]
    assert [span.of(text) for span in cell_spans(table, 2)] == ["North", "4.1", ""]
    assert (table.header, table.header_rows, table.labelled) == (("Month", "Sales May", "Sales June"), 2, True)
    assert table_span(table) == Span(text.index(" | Sales"), text.index("\n\nAfter"))


def test_a_part_of_a_table_keeps_its_header() -> None:
    text, builder = build()
    tables = builder.build().tables
    start = text.index("4.1")
    (part,) = tables_within(tables, Span(start, len(text)))
    assert [span.of(text) for span in row_spans(part)] == ["North | 4.1 | ", "South | 7 | 9"]
    assert (part.header[1], part.header_rows, part.numbers) == ("Sales May", 0, (6, 7))
    assert tables_within(tables, Span(0, text.index("\n"))) == ()
    assert tables_within(tables, Span(text.index("After"), len(text))) == ()
    assert tables_within((), Span(0, 1)) == ()


def test_an_offset_in_a_sheet_has_a_cell_reference() -> None:
    text, builder = build()
    tables = builder.build().tables
    references = [sheet_cell(tables, text.index(word)) for word in ("Month", "June", "North", "4.1", "9")]
    assert references == ["Z4", "AB4", "Z6", "AA6", "AB7"]
    assert sheet_cell(tables, 0) is None
    plain = TextBuilder()
    plain.add_table([["a", "b"]])
    assert sheet_cell(plain.build().tables, 0) is None
