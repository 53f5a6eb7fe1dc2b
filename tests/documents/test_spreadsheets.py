"""Workbooks: sheets as sections, tables with the place of each cell, and rows as documents."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.formats import extract
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.tables.sheet_tables import format_value
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge
from qa.text.tables import cell_spans, sheet_cell
from qa.types import mark_at
from tests.documents.office_files import archive, namespaces, relationships
from tests.documents.ole_files import write_compound_file

FEES: list[list[object]] = [["Item", "Price", "From"], ["Belt", 3, date(2024, 5, 1)], ["Pump", 40.5, date(2025, 6, 2)]]


def workbook(*write: Callable[[xlsxwriter.Workbook], object]) -> bytes:
    file = io.BytesIO()
    target = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    for part in write:
        part(target)
    target.close()
    return file.getvalue()


def sheet(
    name: str, rows: Sequence[Sequence[object]], row: int = 0, column: int = 0
) -> Callable[[xlsxwriter.Workbook], object]:
    def write(target: xlsxwriter.Workbook) -> object:
        added = target.add_worksheet(name)
        for number, values in enumerate(rows):
            added.write_row(row + number, column, values)
        return added

    return write


def extract_one(data: bytes, name: str = "a.xlsx") -> ExtractedText:
    (extracted,) = extract(data, name)
    return extracted


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def cell_of(extracted: ExtractedText, words: str) -> str | None:
    return sheet_cell(extracted.tables, extracted.text.index(words))


def test_each_sheet_is_a_section_and_each_cell_has_its_place() -> None:
    extracted = extract_one(workbook(sheet("Fees", FEES, 3, 2), sheet("Staff", [["Name", "Age"], ["Ann", 33]])))
    assert extracted.text == (
        "Item | Price | From\nBelt | 3 | 2024-05-01\nPump | 40.5 | 2025-06-02\n\nName | Age\nAnn | 33"
    )
    assert [section_of(extracted, words) for words in ("Belt", "40.5", "Ann")] == ["Fees", "Fees", "Staff"]
    assert [cell_of(extracted, words) for words in ("Item", "2024-05-01", "40.5", "33")] == ["C4", "E5", "D6", "B2"]
    fees, staff = extracted.tables
    assert (fees.header, fees.header_rows, fees.labelled) == (("Item", "Price", "From"), 1, True)
    assert (staff.header, staff.numbers, staff.first_column) == (("Name", "Age"), (1, 2), 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.1 + 0.2, "0.3"),
        (1234567.25, "1234567.25"),
        (1e21, "1e+21"),
        (-7, "-7"),
        (True, "TRUE"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 13, 30), "2024-05-01 13:30"),
        (datetime(2024, 5, 1, 13, 30, 5), "2024-05-01 13:30:05"),
        (time(9, 5), "09:05"),
        (timedelta(hours=30, minutes=5), "30:05"),
        (timedelta(minutes=-5, seconds=-7), "-0:05:07"),
        ("0123", "0123"),
    ],
)
def test_a_value_is_shown_without_the_form_in_which_it_is_stored(value: object, text: str) -> None:
    assert format_value(value) == text  # type: ignore[arg-type]


def test_formulas_have_the_values_that_were_saved() -> None:
    def write(target: xlsxwriter.Workbook) -> object:
        added = target.add_worksheet("Sums")
        added.write_row(0, 0, ["Item", "Sum", "Is paid"])
        added.write(1, 0, "Belt")
        added.write_formula(1, 1, "=1+2", None, 3)
        added.write_boolean(1, 2, True)
        return added

    assert extract_one(workbook(write)).text == "Item | Sum | Is paid\nBelt | 3 | TRUE"


def test_formulas_without_stored_values_are_reported_and_errors_are_shown() -> None:
    def write(target: xlsxwriter.Workbook) -> None:
        added = target.add_worksheet("Fees")
        added.write_row(0, 0, ["Item", "Net", "Gross"])
        added.write_row(1, 0, ["Gravel", 100])
        added.write_formula(1, 2, "=B2*1.2", None, "")
        added.write_row(2, 0, ["Sand", 50])
        added.write_formula(2, 2, "=1/0", None, "#DIV/0!")
        # Beyond all values.
        added.write_formula(3, 3, "=NA()", None, "#N/A")

    extracted = extract_one(workbook(write))
    assert extracted.text == "Item | Net | Gross | \nGravel | 100 |  | \nSand | 50 | #DIV/0! | \n |  |  | #N/A"
    assert [part.reason for part in extracted.unread] == [
        "1 formula without stored values in sheet 'Fees'; open the workbook in a spreadsheet program and save it"
    ]


def test_percentages_are_shown_as_such_and_are_numbers_in_metadata() -> None:
    def write(target: xlsxwriter.Workbook, header: list[str]) -> None:
        added = target.add_worksheet("Fees")
        added.write_row(0, 0, header)
        for row, (format, value) in enumerate(
            [("0%", 0.4), ("0.00%", 0.07), ("0.0 %", 1), ('0"%"', 3), ("0.0", 0.5)], 1
        ):
            added.write_row(row, 0, [f"Item {row}", row])
            added.write_number(row, 2, value, target.add_format({"num_format": format}))

    extracted = extract_one(workbook(lambda target: write(target, ["Item", "No", "Share"])))
    assert [line.rsplit(" | ", 1)[1] for line in extracted.text.splitlines()] == [
        "Share",
        "40%",
        "7%",
        "100%",
        "3",
        "0.5",
    ]
    first, *_ = extract(workbook(lambda target: write(target, ["Text", "No", "Share"])), "a.xlsx")
    assert first.meta == {"sheet": "Fees", "No": 1, "Share": 0.4}


def test_a_merged_cell_is_repeated_in_each_row_and_column() -> None:
    def write(target: xlsxwriter.Workbook) -> object:
        added = target.add_worksheet("Rates")
        added.merge_range(0, 0, 0, 3, "Rates of 2024")
        added.merge_range(1, 2, 1, 3, "Sales")
        added.write_row(2, 0, ["Region", "Month", "Net", "Gross"])
        added.merge_range(3, 0, 4, 0, "North")
        added.write_row(3, 1, ["May", 4, 5])
        added.write_row(4, 1, ["June", 6, 7])
        return added

    extracted = extract_one(workbook(write))
    assert extracted.text == (
        "Rates of 2024\n\n |  | Sales | Sales\nRegion | Month | Net | Gross\nNorth | May | 4 | 5\nNorth | June | 6 | 7"
    )
    assert extracted.tables[1].header == ("Region", "Month", "Sales Net", "Sales Gross")
    assert cell_of(extracted, "North | June") == "A5"


def test_titles_and_notes_are_apart_from_the_tables_between_blank_rows() -> None:
    rows: list[list[object]] = [
        ["Report of 4 May"],
        ["in euros"],
        *FEES,
        [],
        ["Name", "Age"],
        ["Ann", 33],
        [],
        ["All without tax."],
    ]
    extracted = extract_one(workbook(sheet("S", rows)))
    assert extracted.text == (
        "Report of 4 May\n\nin euros\n\nItem | Price | From\nBelt | 3 | 2024-05-01\nPump | 40.5 | 2025-06-02\n\n"
        "Name | Age\nAnn | 33\n\nAll without tax."
    )
    assert [table.header for table in extracted.tables] == [(), (), ("Item", "Price", "From"), ("Name", "Age"), ()]
    assert [cell_of(extracted, words) for words in ("in euros", "33", "All")] == ["A2", "B8", "A10"]


def test_a_block_below_a_blank_row_continues_the_table_above() -> None:
    rows: list[list[object]] = [["Item", "Price"], ["Belt", 3], [], ["Pump", 40], ["Oil", 5]]
    extracted = extract_one(workbook(sheet("S", rows)))
    assert [(table.header, table.header_rows) for table in extracted.tables] == [
        (("Item", "Price"), 1),
        (("Item", "Price"), 0),
    ]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["Region", 2023, 2024], ["North", 4, 5]], ("Region", "2023", "2024")),
        ([["", "May", "June"], ["North", 4, 5]], ("", "May", "June")),
        ([["Name", "Role", "Town"], ["Ann", "keeper", "Oban"], ["Bob", "cook", "Mull"]], ("Name", "Role", "Town")),
        ([["1", "2"], ["3", "4"]], ()),
        ([[1, 2, 3], [4, 5, 6]], ()),
        ([["Belt", 3], ["Pump", 40]], ()),
        ([["Name:", "Ann"], ["Town:", "Oban"]], ()),
        ([["Name", "Ann"], ["Age", 33], ["Town", "Oban"]], ()),
        ([["Apples"], ["Pears"], ["Plums"]], ()),
    ],
)
def test_a_header_is_distinguished_from_rows_of_values(rows: list[list[object]], header: tuple[str, ...]) -> None:
    (table,) = extract_one(workbook(sheet("S", rows))).tables
    assert table.header == header


def test_hidden_and_chart_sheets_and_charts_are_reported() -> None:
    def write(target: xlsxwriter.Workbook) -> object:
        sheet("Lists", [["secret", "list"]])(target).hide()  # type: ignore[attr-defined]
        chart = target.add_chart({"type": "bar"})
        chart.add_series({"values": "=Fees!$B$2:$B$3"})
        return target.add_chartsheet("Plot").set_chart(chart)

    extracted = extract_one(workbook(sheet("Fees", FEES), write))
    assert "secret" not in extracted.text
    assert [part.reason for part in extracted.unread] == [
        "sheet 'Lists' is hidden; show it in the workbook to have it read",
        "sheet 'Plot' is a chart",
        "charts (1)",
    ]


def test_comments_and_text_boxes_are_read() -> None:
    def write(target: xlsxwriter.Workbook) -> object:
        added = sheet("Fees", FEES)(target)
        added.write_comment(1, 1, "Without tax")  # type: ignore[attr-defined]
        added.insert_textbox(8, 0, "Ask the keeper.")  # type: ignore[attr-defined]
        return added

    extracted = extract_one(workbook(write, sheet("Staff", [["Name", "Age"], ["Ann", 33]])))
    assert "2025-06-02\n\nB2: Without tax\n\nAsk the keeper.\n\nName | Age" in extracted.text
    assert section_of(extracted, "Ask") == "Fees"


def test_a_sheet_with_a_text_column_is_a_document_for_each_row() -> None:
    rows: list[list[object]] = [
        ["Questions"],
        ["Title", "Text", "No"],
        ["Pump", "The pump is oiled.", 4],
        [],
        ["Belt", "It is dry.", 5],
    ]
    pump, belt, other = extract(workbook(sheet("FAQ", rows), sheet("Fees", FEES)), "a.xlsx")
    assert (pump.text, pump.title, pump.meta) == ("The pump is oiled.", "Pump", {"sheet": "FAQ", "No": 4})
    assert (belt.text, section_of(belt, "dry"), pump.part, belt.part) == ("It is dry.", "FAQ", "1-3", "1-5")
    assert other.text.startswith("Questions\n\nItem | Price | From\nBelt | 3")


def test_the_caller_may_name_the_columns_of_a_workbook() -> None:
    data = workbook(sheet("Staff", [["Name", "Long Note"], ["Ann", "Her words."], ["Bob", "His words."]]))
    documents = extract(data, "a.xlsx", Columns(text="long note", title="name"))
    assert [(document.text, document.title) for document in documents] == [("Her words.", "Ann"), ("His words.", "Bob")]
    with pytest.raises(InvalidInput, match=r"no sheet has a column 'text'; name the text column, one of: Name, Long N"):
        extract(data, "a.xlsx", Columns(text="text"))


def test_an_id_that_is_in_two_sheets_is_a_value_unless_the_caller_names_its_column() -> None:
    rows: list[list[object]] = [["id", "text"], ["7", "The pump."], ["8", "The belt."]]
    data = workbook(sheet("A", rows), sheet("B", rows))
    documents = extract(data, "a.xlsx")
    assert [(document.id, document.meta) for document in documents] == [
        (None, {"sheet": "A", "id": "7"}),
        (None, {"sheet": "A", "id": "8"}),
        (None, {"sheet": "B", "id": "7"}),
        (None, {"sheet": "B", "id": "8"}),
    ]
    with pytest.raises(InvalidInput, match="id '7' is in several sheets; make ids unique"):
        extract(data, "a.xlsx", Columns(id="id"))


def test_a_long_sheet_has_several_structures_with_the_same_header() -> None:
    rows: list[list[object]] = [["Item", "Price"], *([f"Part {number}", number] for number in range(1, 1201))]
    extracted = extract_one(workbook(sheet("S", rows)))
    assert [len(table.rows) for table in extracted.tables] == [500, 500, 201]
    assert [(table.header, table.header_rows) for table in extracted.tables] == [
        (("Item", "Price"), 1),
        (("Item", "Price"), 0),
        (("Item", "Price"), 0),
    ]
    assert cell_of(extracted, "Part 1100 ") == "A1101"
    label, _ = cell_spans(extracted.tables[2], 0)
    assert label.of(extracted.text) == "Part 1000"


def test_a_cell_far_away_is_refused_with_the_reason() -> None:
    data = workbook(sheet("S", [["a"]]), lambda target: target.get_worksheet_by_name("S").write(900_000, 99, "far"))
    with pytest.raises(
        TooLarge, match="sheet 'S' has 900,001 rows and 100 columns, over the limit of 30,000,000 cells"
    ):
        extract(data, "a.xlsx")


def test_a_workbook_without_text_is_refused_with_what_is_not_read() -> None:
    data = workbook(sheet("A", []), lambda target: sheet("B", [["x"]])(target).hide())  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match=r"a\.xlsx: no sheet has text; not read: sheet 'B' is hidden"):
        extract(data, "a.xlsx")


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def xls(cells: Sequence[tuple[int, int, str | float]], *extra: bytes) -> bytes:
    """Return a workbook of Excel 97 with a sheet named Fees."""
    start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    bound = struct.pack("<BBBB", 0, 0, 4, 0) + b"Fees"
    offset = len(start) + len(record(0x85, bytes(4) + bound)) + 4
    values = b"".join(
        record(0x203, struct.pack("<HHHd", row, column, 0, value))
        if isinstance(value, float)
        else record(0x204, struct.pack("<HHHHB", row, column, 0, len(value), 0) + value.encode("latin-1"))
        for row, column, value in cells
    )
    rows, columns = max(row for row, _, _ in cells) + 1, max(column for _, column, _ in cells) + 1
    size = record(0x200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))
    body = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + size + values + b"".join(extra)
    stream = start + record(0x85, struct.pack("<I", offset) + bound) + record(0x0A) + body + record(0x0A)
    return write_compound_file({"Workbook": stream})


def test_xls_is_read_and_its_comments_are_reported() -> None:
    cells: list[tuple[int, int, str | float]] = [(2, 1, "Item"), (2, 2, "Price"), (3, 1, "Café"), (3, 2, 40.5)]
    extracted = extract_one(xls(cells, record(0x1C, bytes(8)), record(0x1B6, bytes(18))), "a.xls")
    assert extracted.text == "Item | Price\nCafé | 40.5"
    assert (section_of(extracted, "40.5"), cell_of(extracted, "40.5")) == ("Fees", "C4")
    assert [part.reason for part in extracted.unread] == ["comments (1); save the workbook as XLSX"]


def test_errors_in_cells_of_xls_are_shown() -> None:
    formula = struct.pack("<HHHBxBxxxHHIH", 3, 2, 0, 2, 0x07, 0xFFFF, 0, 0, 0)
    errors = (
        record(0x205, struct.pack("<HHHBB", 2, 2, 0, 0x17, 1)),
        record(0x205, struct.pack("<HHHBB", 4, 2, 0, 1, 0)),
        record(0x06, formula),
    )
    cells: list[tuple[int, int, str | float]] = [(1, 1, "Item"), (1, 2, "Price"), (2, 1, "Sand"), (3, 1, "Gravel")]
    extracted = extract_one(xls([*cells, (4, 1, "Paid")], *errors), "a.xls")
    assert extracted.text == "Item | Price\nSand | #REF!\nGravel | #DIV/0!\nPaid | TRUE"
    assert cell_of(extracted, "#DIV/0!") == "C4"


def xlsb(*rows: Sequence[bytes], merged: Sequence[tuple[int, int, int, int]] = ()) -> bytes:
    """Return a binary workbook of Excel 2007 with a sheet named Fees; a cell is its kind, a byte, and its value."""

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    def part(kind: int, data: bytes = b"") -> bytes:
        number = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
        return number + bytes([len(data)]) + data

    book = part(131) + part(143) + part(156, bytes(8) + text("rId1") + text("Fees")) + part(144) + part(132)
    body = part(129) + part(148, struct.pack("<4I", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)) + part(145)
    for number, cells in enumerate(rows):
        body += part(0, struct.pack("<I", number) + bytes(21))
        for column, cell in enumerate(cells):
            body += part(cell[0], struct.pack("<II", column, 0) + cell[1:])
    body += part(146) + part(177, struct.pack("<I", len(merged)))
    body += b"".join(part(176, struct.pack("<4I", *area)) for area in merged) + part(178) + part(130)
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": relationships({"rId1": ("worksheet", "worksheets/sheet1.bin")}),
            "xl/worksheets/sheet1.bin": body,
        }
    )


def xlsb_text(value: str) -> bytes:
    return bytes([6]) + struct.pack("<I", len(value)) + value.encode("utf-16-le")


def test_errors_and_merged_cells_of_xlsb_are_shown() -> None:
    blank, error, formula = bytes([1]), bytes([3, 0x17]), bytes([11, 0x07, 0, 0, 0, 0])
    data = xlsb(
        [xlsb_text("Region"), xlsb_text("Month"), xlsb_text("Rate")],
        [xlsb_text("North"), xlsb_text("May"), error],
        [blank, xlsb_text("June"), formula],
        merged=[(1, 2, 0, 0)],
    )
    extracted = extract_one(data, "a.xlsb")
    assert extracted.text == "Region | Month | Rate\nNorth | May | #REF!\nNorth | June | #DIV/0!"
    assert cell_of(extracted, "#REF!") == "C2"


def ods(rows: str, *, manifest: str = "") -> bytes:
    file = io.BytesIO()
    names = namespaces("office", "table", "text", "draw", "dc", "xlink")
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Fees">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        target.writestr("content.xml", content)
        target.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return file.getvalue()


def ods_cell(text: str, attributes: str = "") -> str:
    return f'<table:table-cell office:value-type="string" {attributes}><text:p>{text}</text:p></table:table-cell>'


SPAN = 'table:number-rows-spanned="2" table:number-columns-spanned="1"'
ODS_ROWS = (
    f"<table:table-row>{ods_cell('Region')}{ods_cell('Month')}{ods_cell('Rate')}</table:table-row>"
    f"<table:table-row>{ods_cell('North', SPAN)}{ods_cell('May')}"
    '<table:table-cell office:value-type="float" office:value="4"/></table:table-row>'
    f"<table:table-row><table:covered-table-cell/>{ods_cell('June')}"
    '<table:table-cell office:value-type="float" office:value="4.5"/></table:table-row>'
)


def test_ods_is_read_with_merged_cells_repeated() -> None:
    extracted = extract_one(ods(ODS_ROWS), "a.ods")
    assert extracted.text == "Region | Month | Rate\nNorth | May | 4\nNorth | June | 4.5"
    assert (section_of(extracted, "June"), cell_of(extracted, "4.5")) == ("Fees", "C3")


def test_ods_cells_without_a_type_are_read() -> None:
    typed = (
        '<table:table-cell office:value-type="percentage" office:value="0.4"><text:p>40 %</text:p></table:table-cell>'
    )
    rows = (
        "<table:table-row><table:table-cell/><table:table-cell><text:p>Region</text:p></table:table-cell>"
        "<table:table-cell><text:p>Rate</text:p></table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell/><table:table-cell table:number-columns-repeated="1"><text:p>North</text:p>'
        f"</table:table-cell>{typed}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    )
    extracted = extract_one(ods(rows), "a.ods")
    assert (extracted.text, cell_of(extracted, "North")) == ("Region | Rate\nNorth | 40%", "B2")


def test_comments_and_text_boxes_of_ods_are_read_and_objects_reported() -> None:
    def frame(content: str) -> str:
        return f"<draw:frame>{content}</draw:frame>"

    def box(text: str) -> str:
        return frame(f"<draw:text-box><text:p>{text}</text:p></draw:text-box>")

    comment = "<office:annotation><dc:date>2024-05-01</dc:date><text:p>Without</text:p><text:p>tax</text:p>"
    chart = frame('<draw:object xlink:href="Object 1"/>')
    rows = (
        f"<table:shapes>{box('Ask the keeper.')}<draw:g><draw:custom-shape><text:p>Or the cook.</text:p>"
        f"</draw:custom-shape></draw:g>{chart}</table:shapes>"
        f"<table:table-row>{ods_cell('Region')}{ods_cell('Rate')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="2">{ods_cell("North")}{ods_cell("May")}</table:table-row>'
        f'<table:table-row><table:table-cell office:value-type="string">{box("South")}</table:table-cell>'
        f'<table:table-cell office:value-type="float" office:value="4">{comment}</office:annotation>'
        f"{box('Beside it.')}<text:p>4</text:p></table:table-cell></table:table-row>"
    )
    extracted = extract_one(ods(rows), "a.ods")
    assert extracted.text == (
        "Region | Rate\nNorth | May\nNorth | May\nSouth | 4\n\n"
        "Ask the keeper.\n\nOr the cook.\n\nB4: Without tax\n\nBeside it."
    )
    assert section_of(extracted, "Ask") == "Fees"
    assert [part.reason for part in extracted.unread] == ["charts and embedded objects (1)"]


def test_an_encrypted_ods_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"a\.ods: encrypted with a password"):
        extract(ods(ODS_ROWS, manifest="<encryption-data/>"), "a.ods")


def test_a_small_workbook_that_expands_to_a_large_one_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("xl/workbook.xml", "<a/>")
        for number in range(3):
            with target.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as part:
                for _ in range(350):
                    part.write(bytes(1_000_000))
    with pytest.raises(TooLarge, match=r"a\.xlsx: 1,050,000,004 bytes when unpacked, over the limit"):
        extract(file.getvalue(), "a.xlsx")


SAMPLES = {
    "a.xlsx": workbook(sheet("Fees", FEES)),
    "a.xlsb": xlsb([xlsb_text("Rate"), bytes([3, 0x17])], merged=[(0, 0, 1, 1)]),
    "a.xls": xls([(0, 0, "Item"), (1, 0, 3.0)], record(0x205, bytes([1, 0, 1, 0, 0, 0, 7, 1]))),
    "a.ods": ods(ODS_ROWS),
}


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    """Extracts in a child process, because a damaged XLS can make its parser abort the process."""
    with closing(Extractor(ocr=False)) as extractor:
        yield extractor


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20), cut=st.floats(0.1, 1))
def test_a_damaged_workbook_gives_text_or_a_clear_error(
    extractor: Extractor, name: str, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(SAMPLES[name])
    for position, value in changes:
        data[int(position * len(data))] = value
    rejection = None
    try:
        documents = extractor.extract(bytes(data[: int(cut * len(data))]), name)
    except QAError as error:
        rejection, documents = error, []
    assert rejection is None or rejection.message.startswith(f"{name}: ")
    assert all(isinstance(document.text, str) for document in documents)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["", "a", "b c", 3, 2024, 1.5, True, date(2024, 5, 1)]), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_every_filled_cell_of_a_sheet_is_in_the_text_at_its_place(rows: list[list[object]]) -> None:
    rows = [*rows, ["end"]]
    data = workbook(sheet("S", rows))
    extracted = extract_one(data)
    found = {}
    for table in extracted.tables:
        for number in range(len(table.rows)):
            for span in cell_spans(table, number):
                if len(span):
                    found[sheet_cell(extracted.tables, span.start)] = span.of(extracted.text)
    filled: dict[str, object] = {
        f"{'ABCD'[column]}{row}": value
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values)
        if value != ""
    }
    assert found.keys() == filled.keys()
    assert all(re.fullmatch(r"[\w .-]+", text) for text in found.values())
    assert all(found[place] == format_value(value) for place, value in filled.items())  # type: ignore[arg-type]
