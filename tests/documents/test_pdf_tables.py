"""Tables, columns and listings of whole PDF files."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Preformatted, SimpleDocTemplate, Table

from qa.documents.extract.pdf.document import extract_pdf
from qa.documents.extract.text_builder import ExtractedText
from qa.text.boxes import rectangles_of
from qa.types import Span

STYLES = getSampleStyleSheet()
GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
BOOK = [
    ("LINEABOVE", (0, 0), (-1, 0), 1, colors.black),
    ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
    ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black),
]
STRIPES = [("ROWBACKGROUNDS", (0, 0), (-1, -1), [colors.white, colors.lightgrey])]
PORTS = [
    ["Port", "Fee", "Owner", "Note"],
    ["Bergen", "120", "Wren", ""],
    ["Oslo", "", "Tolland", "closed"],
    ["Tromso", "99", "", "open"],
    ["Bodo", "", "", "open"],
]


def built(*story: Flowable) -> ExtractedText:
    """Return the text of a PDF that has these parts."""
    file = io.BytesIO()
    SimpleDocTemplate(file, pagesize=A4).build(list(story))
    return extract_pdf(file.getvalue(), "a.pdf")


def prose(words: str) -> Paragraph:
    return Paragraph(words, STYLES["BodyText"])


def drawn(*rows: Sequence[tuple[float, str]], font: str = "Helvetica", step: float = 14) -> ExtractedText:
    """Return the text of a PDF of rows whose parts have these left edges."""
    return extracted_from(
        [(left, 700 - step * number, words) for number, row in enumerate(rows) for left, words in row], font
    )


def extracted_from(placed: Sequence[tuple[float, float, str]], font: str = "Helvetica") -> ExtractedText:
    """Return the text of a PDF with words at these places, drawn in this order."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont(font, 10)
    for left, bottom, words in placed:
        canvas.drawString(left, bottom, words)
    canvas.save()
    return extract_pdf(file.getvalue(), "a.pdf")


def rows_of(extracted: ExtractedText, table: int = 0) -> list[list[str]]:
    """Return the cells of a table by the lengths in its structure."""
    found = extracted.tables[table]
    rows, start = [], found.start
    for lengths in found.rows:
        cells = []
        for length in lengths:
            cells.append(extracted.text[start : start + length])
            start += length + len(" | ")
        start += len("\n") - len(" | ")
        rows.append(cells)
    return rows


@pytest.mark.parametrize("style", [GRID, BOOK, STRIPES, []], ids=["grid", "book", "stripes", "none"])
@pytest.mark.parametrize("widths", [None, 90])
def test_empty_cells_keep_their_place(style: list[tuple[object, ...]], widths: int | None) -> None:
    extracted = built(
        prose("The fees of all ports are these."), Table(PORTS, colWidths=widths, style=style), prose("End.")
    )
    assert extracted.text.startswith("The fees of all ports are these.\n\nPort | Fee")
    assert extracted.text.endswith("\n\nEnd.")
    assert rows_of(extracted) == PORTS
    (table,) = extracted.tables
    assert (table.header, table.header_rows, table.labelled) == (("Port", "Fee", "Owner", "Note"), 1, True)


@pytest.mark.parametrize("style", [GRID, BOOK, []], ids=["grid", "book", "none"])
def test_wrapped_cells_are_whole(style: list[tuple[object, ...]]) -> None:
    rule = "It is oiled every six weeks with grade 32 oil, and wiped with a dry cloth before and after."
    cells = [
        ["Part", "Rule", "Fee"],
        [prose("Main pump of the eastern dock"), prose(rule), "12"],
        ["Belt", prose("It is changed every year in May, before the season begins."), ""],
    ]
    extracted = built(Table(cells, colWidths=[90, 180, 50], style=[*style, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    assert rows_of(extracted) == [
        ["Part", "Rule", "Fee"],
        ["Main pump of the eastern dock", rule, "12"],
        ["Belt", "It is changed every year in May, before the season begins.", ""],
    ]


def test_words_hyphenated_in_a_cell_are_joined() -> None:
    cells = [["Part", "Rule"], ["Pump", "Wipe it after the main-\ntenance of the year"], ["Belt", "None"]]
    extracted = built(Table(cells, style=GRID))
    assert rows_of(extracted)[1] == ["Pump", "Wipe it after the maintenance of the year"]


def test_merged_cells_are_repeated_in_each_row_and_column() -> None:
    cells = [["Region", "Sales", ""], ["", "May", "June"], ["North", "51", "56"], ["South", "61", "66"], ["", "71", ""]]
    spans = [("SPAN", (1, 0), (2, 0)), ("SPAN", (0, 0), (0, 1)), ("SPAN", (0, 3), (0, 4))]
    extracted = built(Table(cells, style=[*GRID, *spans]))
    assert rows_of(extracted) == [
        ["Region", "Sales", "Sales"],
        ["Region", "May", "June"],
        ["North", "51", "56"],
        ["South", "61", "66"],
        ["South", "71", ""],
    ]
    assert extracted.tables[0].header == ("Region", "Sales May", "Sales June")
    # A repeated cell has the rectangle of the one on the page.
    starts = [extracted.text.index("South"), extracted.text.rindex("South")]
    boxes = [rectangles_of(extracted.boxes, Span(start, start + len("South"))) for start in starts]
    assert starts[0] < starts[1]
    assert boxes[0] == boxes[1] != ()


def test_labels_without_lines_between_them_are_beside_their_rows() -> None:
    style = [("GRID", (1, 0), (-1, -1), 0.5, colors.black), ("LINEABOVE", (0, 0), (-1, 0), 0.5, colors.black)]
    cells = [["Cost", "Total", "Net"], ["Salaries", "51", "40"], ["Fringe", "61", "50"], ["Travel", "7", "6"]]
    extracted = built(Table(cells, colWidths=100, style=style))
    assert rows_of(extracted) == cells


@pytest.mark.parametrize("with_text", [False, True])
def test_single_letters_are_cells_on_a_page_that_is_only_a_table(*, with_text: bool) -> None:
    names = ["Odd Fjeld", "Ines Tolland", "Mara Ellstrom", "Karl Moe"]
    cells = [["Pupil", "Maths", "Latin", "Year"]]
    cells += [[f"{names[n % 4]} {n}", "ABCD"[n % 3], "DCBA"[n % 4], str(n % 9 + 1)] for n in range(30)]
    rows = [[(78.0 + 100 * column, cell) for column, cell in enumerate(row)] for row in cells]
    intro = [[(78.0, "The school of Tarn has these marks, and its oldest book is an atlas.")]] * with_text
    extracted = drawn(*intro, *rows)
    assert rows_of(extracted) == cells
    assert extracted.tables[0].header_rows == 1


def test_rows_of_marks_are_rows() -> None:
    cells = [["a", "x", "-", "x"], ["b", "", "x", "x"], ["c", "x", "", ""], ["d", "-", "x", "-"]]
    extracted = drawn(*([(60.0 + 80 * n, cell) for n, cell in enumerate(row) if cell] for row in cells))
    assert rows_of(extracted) == cells
    assert extracted.tables[0].header_rows == 0


def test_a_table_drawn_column_by_column_has_rows() -> None:
    columns = [["Item", "Rope", "Anchor", "Chain"], ["Stock", "120", "220", "70"], ["Price", "3.40", "310.00", "90.00"]]
    extracted = extracted_from(
        [
            (60 + 120 * number, 700 - 16 * row, cell)
            for number, column in enumerate(columns)
            for row, cell in enumerate(column)
        ]
    )
    assert rows_of(extracted) == [list(row) for row in zip(*columns, strict=True)]


def test_the_invoice_without_lines_keeps_its_rows() -> None:
    extracted = drawn(
        [(60, "Item"), (300, "Qty"), (380, "Price"), (460, "Total")],
        [(60, "Pump rod"), (300, "2"), (380, "450.00"), (460, "900.00")],
        [(60, "Belt, rubber"), (300, "4"), (380, "35.50"), (460, "142.00")],
        [(380, "Sum"), (460, "1,042.00")],
    )
    assert extracted.text.splitlines() == [
        "Item | Qty | Price | Total",
        "Pump rod | 2 | 450.00 | 900.00",
        "Belt, rubber | 4 | 35.50 | 142.00",
        " |  | Sum | 1,042.00",
    ] or extracted.text.splitlines()[-1].endswith("Sum | 1,042.00")


@pytest.mark.parametrize("style", [GRID, [("TOPPADDING", (0, 0), (-1, -1), 8)]], ids=["ruled", "spaced"])
def test_each_page_of_a_long_table_has_the_repeated_header(style: list[tuple[object, ...]]) -> None:
    cells = [["Pupil", "Mark"], *([f"Pupil {number}", "ABCD"[number % 4]] for number in range(160))]
    extracted = built(Table(cells, repeatRows=1, style=style))
    assert len(extracted.tables) > 3
    assert {table.header for table in extracted.tables} == {("Pupil", "Mark")}
    rows = [row for number in range(len(extracted.tables)) for row in rows_of(extracted, number)]
    assert [row for row in rows if row != cells[0]] == cells[1:]


def test_tables_of_a_typewriter_are_tables() -> None:
    extracted = drawn(
        [(60, "Item          Qty    Price")],
        [(60, "Rope            2     3.40")],
        [(60, "Anchor         12   310.00")],
        [(60, "Chain, long          90.00")],
        font="Courier",
        step=12,
    )
    assert rows_of(extracted)[1:] == [["Rope", "2", "3.40"], ["Anchor", "12", "310.00"], ["Chain, long", "", "90.00"]]


@pytest.mark.parametrize("font", ["Courier", "Helvetica"])
def test_listings_keep_their_lines_and_indentation(font: str) -> None:
    extracted = drawn(
        [(60, "def oil(pump):")],
        [(84, "if pump.dry:")],
        [(108, "pump.fill(32)")],
        [(84, "return pump")],
        [(60, "x = oil(main)")],
        [(60, "print(x)")],
        font=font,
        step=12,
    )
    lines = extracted.text.splitlines()
    assert [line.strip() for line in lines] == [
        *("def oil(pump):", "if pump.dry:", "pump.fill(32)", "return pump", "x = oil(main)", "print(x)")
    ]
    indents = [len(line) - len(line.lstrip()) for line in lines]
    assert indents[0] == indents[4] == indents[5] == 0
    assert indents[2] == 2 * indents[1] > 0


def test_a_listing_is_apart_from_the_paragraphs_around_it() -> None:
    extracted = built(
        prose("Run this command to oil the pump and then"),
        Preformatted("$ pump --oil 32\n  wrote 4 lines\n$ echo done", STYLES["Code"]),
        prose("wait for it. Then the pump runs."),
    )
    assert extracted.text == (
        "Run this command to oil the pump and then\n\n"
        "$ pump --oil 32\n  wrote 4 lines\n$ echo done\n\n"
        "wait for it. Then the pump runs."
    )


def test_three_columns_drawn_line_by_line_are_read_one_after_the_other() -> None:
    columns = [
        [
            "The mill at Tarn was built in",
            "1822 by Halvor Brekke, who had",
            "seen such mills and",
            "wished for one of his own.",
        ],
        [
            "The ferry crosses the fjord",
            "forty times a day and carries",
            "up to sixty cars, which",
            "wait in line at the quay.",
        ],
        [
            "The school has ninety pupils",
            "and eighteen teachers, and its",
            "library is open until",
            "six in the evening.",
        ],
    ]
    rows = zip(*columns, strict=True)
    extracted = drawn(*(list(zip((50.0, 220.0, 390.0), row, strict=True)) for row in rows), step=12)
    assert not extracted.tables
    assert " ".join(extracted.text.split()) == " ".join(line for column in columns for line in column)
