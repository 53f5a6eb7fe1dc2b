"""Rows as CSV, which no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.results import Answer, Components
from qa.rows import Cell, ExtractedRow
from qa.types import Span
from qa.wire.row_csv import describe_place, escape_formula, rows_to_csv


def answer(text: str, **fields: Any) -> Answer:
    place: dict[str, Any] = {"document_id": "a", "title": None, "uri": None, "meta": {}, "passage_id": 1}
    place |= {"span": Span(7, 7 + len(text)), "context": text, "context_span": Span(0, len(text)), **fields}
    return Answer(text, 3.0, 0.876, components=Components(1, 0.5, 4, 1), **place)


def parse(names: list[str], *rows: ExtractedRow) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(rows_to_csv(names, rows)), newline="")))


def test_each_question_has_four_columns() -> None:
    cells = {
        "fee": Cell("answered", answer("20 euros", page=3, section="Fees")),
        "cap": Cell("unsure", None, answer("none")),
        "end": Cell("not_found", None, answer("never")),
    }
    header, line = parse(list(cells), ExtractedRow("a", "A, B", None, {"year": 2024}, cells, 1))
    assert header == [
        *("document_id", "title", "uri", "meta", "fee", "fee status", "fee confidence", "fee place"),
        *("cap", "cap status", "cap confidence", "cap place", "end", "end status", "end confidence", "end place"),
    ]
    assert line == [
        *("a", "A, B", "", '{"year": 2024}', "20 euros", "answered", "0.876", "page 3, Fees, 7-15"),
        *("none", "unsure", "0.876", "7-11", "", "not_found", "", ""),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＠"])
def test_escapes_what_a_spreadsheet_would_run(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    cells = {text: Cell("answered", answer(text, section=text))}
    header, line = parse([text], ExtractedRow(text, text, text, {}, cells, 1))
    assert header[4:] == [f"'{text}", f"'{text} status", f"'{text} confidence", f"'{text} place"]
    assert line[:3] == [f"'{text}"] * 3
    assert (line[4], line[7].startswith(f"'{text}")) == (f"'{text}", True)


@given(st.text())
def test_no_cell_begins_like_a_formula_and_nothing_is_lost(text: str) -> None:
    escaped = escape_formula(text)
    assert not escaped.strip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert escaped.removeprefix("'") == text.removeprefix("'")


@given(st.lists(st.text(alphabet="a=;,\"'\r\n\t é", min_size=1), min_size=1, max_size=3, unique=True))
def test_other_characters_are_read_back(names: list[str]) -> None:
    cells = {name: Cell("answered", answer(name)) for name in names}
    _, line = parse(names, ExtractedRow("a", None, None, {}, cells, 1))
    assert [line[4 + 4 * n] for n in range(len(names))] == [escape_formula(name) for name in names]


def test_a_place_has_the_cell_of_a_workbook() -> None:
    assert describe_place(answer("7", section="Fees", cell="B4")) == "Fees, B4, 7-8"
