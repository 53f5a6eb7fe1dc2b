"""Rows of CSV and TSV files: dialects, headers, column names, and tables without a text column."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.formats import extract
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError
from qa.types import Unread
from tests.documents.fuzzing import assert_rejects_file


def rows(data: bytes | str, columns: Columns | None = None, name: str = "a.csv") -> list[ExtractedText]:
    return extract(data.encode() if isinstance(data, str) else data, name, columns)


def texts(data: bytes | str, columns: Columns | None = None, name: str = "a.csv") -> list[str]:
    return [row.text for row in rows(data, columns, name)]


@pytest.mark.parametrize(
    "data",
    [
        "Text,Title\nThe pump is oiled.,Pump\n",
        "title, text\nPump, The pump is oiled.\n",
        '"title", " TEXT "\nPump, "The pump is oiled."\n',
        "text,title\nThe pump is oiled.,Pump,\n",
        "text,title,\nThe pump is oiled.,Pump\n",
        "text;title\r\nThe pump is oiled.;Pump\r\n",
        "\ufefftext\ttitle\nThe pump is oiled.\tPump\n",
        "text|title\nThe pump is oiled.|Pump\n",
        "sep=;\r\ntitle;text\r\nPump;The pump is oiled.\r\n",
        '"sep=|"\ntitle|text\nPump|The pump is oiled.\n',
        "\n\ntitle,text\n\nPump,The pump is oiled.\n\n",
        "title,text\rPump,The pump is oiled.\r",
    ],
)
def test_the_text_and_title_columns_are_found_in_any_dialect(data: str) -> None:
    assert [(row.text, row.title) for row in rows(data)] == [("The pump is oiled.", "Pump")]


def test_a_quoted_cell_may_have_delimiters_and_line_ends() -> None:
    data = '\ufefftext;title\r\n"The pump\r\nis ""oiled""; weekly.";Pump\r\n'
    assert texts(data) == ['The pump\r\nis "oiled"; weekly.']


def test_the_delimiter_is_the_one_that_gives_even_rows() -> None:
    data = "name;price, in euros\nBelt, long;3,50\nBelt, short;2,50\nPump;40,00\n"
    assert texts(data)[0] == "name: Belt, long\nprice, in euros: 3,50"


def test_quotation_marks_escaped_with_a_backslash_are_read() -> None:
    data = 'title,text\nPump,"It is \\"oiled\\", weekly."\nBelt,"It is \\"dry\\"."\n'
    assert texts(data) == ['It is "oiled", weekly.', 'It is "dry".']


def test_quotation_marks_are_text_in_a_tab_separated_file_without_quoting() -> None:
    data = 'title\ttext\n5" pipe\t"Round\nBelt\tIt is "new", it says\nPump\tOiled" weekly\n'
    assert texts(data, name="a.tsv") == ['"Round', 'It is "new", it says', 'Oiled" weekly']


def test_windows_1252_is_read() -> None:
    data = "text;title\r\nThe café’s pump – oiled weekly – costs €40.;Pump\r\n".encode("cp1252")
    assert texts(data) == ["The café’s pump – oiled weekly – costs €40."]


def test_lines_above_the_header_become_the_title_of_the_table_and_are_reported() -> None:
    first, second = rows("Report of 4 May;;\n;;\ntext;title;no\nThe pump is oiled.;Pump;4\nThe belt is dry.;;5\n")
    assert (first.text, first.title, first.meta) == (
        "The pump is oiled.",
        "Pump",
        {"table": "Report of 4 May", "no": 4},
    )
    assert (second.text, second.title) == ("The belt is dry.", "Report of 4 May")
    assert first.unread == (Unread(None, "lines above the header, kept as the title of the table: Report of 4 May"),)
    assert texts("# made by hand\nname,age\nAnn,3\nBob,4\n") == ["name: Ann\nage: 3", "name: Bob\nage: 4"]


def test_a_row_above_the_header_that_names_groups_joins_the_names_below_it() -> None:
    data = "Id,Which do you know?,,Are you a fan?,Age\n,Pump,Belt,Response,Response\n1,Yes,No,No,33\n2,No,No,Yes,41\n"
    assert texts(data)[0] == (
        "Id: 1\nWhich do you know? Pump: Yes\nWhich do you know? Belt: No\n"
        "Are you a fan? Response: No\nAge Response: 33"
    )


def test_further_columns_of_the_same_name_are_kept_apart() -> None:
    (row,) = rows("text,note,note,note 2,\nThe pump is oiled.,a,b,c,d\n")
    assert row.meta == {"note": "a", "note 3": "b", "note 2": "c", "Column 5": "d"}
    with pytest.raises(InvalidInput, match="two columns are named 'text'; rename one"):
        rows("id,text,text\na,x,y\n")


def test_of_columns_that_differ_in_case_the_exact_name_is_chosen() -> None:
    (row,) = rows("Text,text\nnot this one,this one\n")
    assert (row.text, row.meta) == ("this one", {"Text": "not this one"})


@pytest.mark.parametrize("name", ["content", "Body"])
def test_another_usual_text_column_is_used_if_it_holds_sentences(name: str) -> None:
    (row,) = rows(f"no,{name}\n1,The pump is oiled every six weeks.\n")
    assert (row.text, row.meta) == ("The pump is oiled every six weeks.", {"no": 1})
    assert texts(f"no,{name}\n1,40 %\n") == [f"no: 1\n{name}: 40 %"]


def test_a_row_without_a_text_column_is_a_line_for_each_value() -> None:
    first, second, _ = rows("id,region,month,rate,note\n7,North,May,4.6,\n8,South,May,5.0,closed\n9,East,May,1.5,\n")
    assert first.text == "region: North\nid: 7\nmonth: May\nrate: 4.6"
    assert first.meta == {"id": 7, "region": "North", "month": "May", "rate": 4.6}
    assert (first.title, first.id, second.id, second.meta["note"]) == (None, "7", "8", "closed")


def test_a_column_of_names_gives_the_title_of_a_row_without_text() -> None:
    row, _ = rows("no,Name,age\n1,Ann,3\n2,Bob,4\n")
    assert (row.text, row.title) == ("Name: Ann\nno: 1\nage: 3", "Ann")


def test_ids_that_repeat_or_do_not_fit_are_values_of_a_row_without_text() -> None:
    first, second = rows("id,rate\na/b,4\na/b,5\n")
    assert (first.id, first.text, second.id, second.text) == (None, "id: a/b\nrate: 4", None, "id: a/b\nrate: 5")


def test_ids_beside_a_text_that_repeat_or_do_not_fit_are_values_unless_the_caller_names_them() -> None:
    data = "id,text\n1,The pump.\n1,The belt.\n"
    assert [(row.id, row.text, row.meta) for row in rows(data)] == [
        (None, "The pump.", {"id": 1}),
        (None, "The belt.", {"id": 1}),
    ]
    assert [row.id for row in rows("id,text\na/b,The pump.\nc,The belt.\n")] == [None, None]
    assert [row.id for row in rows("id,text\na,The pump.\n,The belt.\n")] == ["a", None]
    with pytest.raises(InvalidInput, match="row 2: id '1' is already used by an earlier row"):
        rows(data, Columns(id="id"))


def test_values_beside_a_text_that_cannot_be_metadata_are_reported() -> None:
    header = ",".join(f"c{number}" for number in range(120))
    (row,) = rows(f"text,{header}\nThe pump.,{'x' * 20_000},{','.join(['v'] * 119)}\n")
    assert (row.text, len(row.meta), row.meta["c1"], "c0" in row.meta) == ("The pump.", 89, "v", False)
    (report,) = row.unread
    assert report.reason.startswith("columns with values that are too many, too long or not finite: c0, c90, c91")


PROSE = [
    "Dear Sir,\n\nThank you for your letter, which came on Monday.\n\nYours,\nAnn\n",
    "Dear Sir:\nThe pump is oiled, as you ask, every six weeks\nand the belt, when it is dry, is changed.\n",
    "The pump was built in 1904, and it was oiled\nby hand until the mill, which stood beside it,\nburnt down. "
    "No one, not even Ann, knew\nhow it began.\n",
    "The keeper oils the pump, cleans the belt, and locks the gate.",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_under_the_name_of_a_table_is_one_text(text: str) -> None:
    assert texts(text) == [text]


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ("question\nHow is the pump oiled?\nWhen is the gate locked?\n", 2),
        ("name, note\nPump, It is oiled every six weeks.\nBelt, It is changed when it is dry.\n", 2),
        ("name;note\nPump;Oil it, weekly, by hand.\nBelt;It is changed.\n", 2),
        ("text\nThe pump is oiled, weekly,\nand the belt\n", 2),
    ],
)
def test_a_table_with_sentences_is_no_prose(data: str, count: int) -> None:
    assert len(texts(data)) == count


def test_a_text_column_that_the_caller_names_must_exist() -> None:
    with pytest.raises(InvalidInput, match=r"a\.csv: row 1: no column 'text'; name the text column, one of: name, age"):
        rows("name,age\nAnn,3\n", Columns(text="text"))
    assert texts("name,Long Note\nAnn,Her words.\n", Columns(text="long note")) == ["Her words."]


def test_many_columns_and_long_values_stay_in_the_text_and_out_of_the_metadata() -> None:
    header = ",".join(f"c{number}" for number in range(200))
    (row, _) = rows(f"{header}\n{','.join(['v'] * 199)},{'x' * 20_000}\n{','.join('w' * 200)}\n")
    assert row.text.splitlines()[0] == "c0: v"
    assert row.text.endswith(f"c199: {'x' * 20_000}")
    assert len(row.meta) == 50


def test_a_row_with_too_many_cells_is_read_whole_and_reported() -> None:
    first, second = rows("text,title\nHello, there,Pump\nThe belt.,Belt\n")
    assert (first.text, first.title, second.text) == ("Hello, there,Pump", None, "The belt.")
    assert first.unread == (Unread(None, "rows with more cells than columns, read as they are: 1"),)


def test_delimiters_in_a_text_in_the_last_column_belong_to_it() -> None:
    first, _ = rows("title,text\nPump,Oil it, weekly, by hand.\nBelt,Dry.\n")
    assert (first.text, first.title) == ("Oil it, weekly, by hand.", "Pump")


def test_a_short_row_has_empty_cells() -> None:
    assert texts("a,b,c\n1,2,3\n1\n")[1] == "a: 1"


def test_rows_without_text_are_reported() -> None:
    (row,) = rows("text,no\nThe pump.,1\n,2\n ,3\n,\n")
    assert row.unread == (Unread(None, "rows without text in column 'text' (2): 2, 3"),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("1997,Ford\n1999,Chevy\n", ["Column 1: 1997\nColumn 2: Ford", "Column 1: 1999\nColumn 2: Chevy"]),
        (
            "Region,2019,2020\nNorth,4,5\nSouth,6,7\n",
            ["Region: North\n2019: 4\n2020: 5", "Region: South\n2019: 6\n2020: 7"],
        ),
        (
            "2024-05-01,4.6\n2024-05-02,5\n",
            ["Column 1: 2024-05-01\nColumn 2: 4.6", "Column 1: 2024-05-02\nColumn 2: 5"],
        ),
        ("a,b\n", ["Column 1: a\nColumn 2: b"]),
        ("The pump is oiled, weekly.\nThe belt.\n", ["Column 1: The pump is oiled, weekly.", "Column 1: The belt."]),
        ("name\nAnn\nBob\n", ["name: Ann", "name: Bob"]),
        ("text\nHello, there\nBye, now\n", ["Hello, there", "Bye, now"]),
    ],
)
def test_a_header_is_distinguished_from_rows_of_values(data: str, expected: list[str]) -> None:
    assert texts(data) == expected


@pytest.mark.parametrize("data", ["", "\n\n", "id,text\n"])
def test_a_table_without_values_is_refused(data: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"a\.csv: (the table has no rows with text|no row has text in column 'text')"
    ):
        rows(data)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.tuples(cells, cells), min_size=2, max_size=6), delimiter=st.sampled_from(",;\t|"))
def test_any_cells_that_are_written_as_csv_are_read(values: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "note"])
    writer.writerows(values)
    # A single row without text would be no table.
    writer.writerow(["the end", ""])
    assert texts(file.getvalue()) == [*(text.strip() for text, _ in values if text.strip()), "the end"]


@settings(max_examples=300, deadline=None)
@given(data=st.text('ab,;\t|"\\\n\r1.é \ufeff', max_size=80), cut=st.integers(0, 80))
def test_any_characters_give_rows_or_a_clear_error(data: str, cut: int) -> None:
    rejection = None
    try:
        read = texts(data.encode()[:cut])
    except QAError as error:
        rejection, read = error, [""]
    assert read
    if rejection:
        assert_rejects_file(rejection, "a.csv")
