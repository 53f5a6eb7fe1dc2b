from __future__ import annotations

from qa.text.columns import RULE, find_header, find_rows, iter_lines
from qa.types import Span

FARES = """\
Route          Single   Return
Oban - Coll      9.00    18.00
Oban - Tiree    11.50    23.00
"""
GRID = """\
+------+---------+----------------+
| Key  | Default | Meaning        |
+------+---------+----------------+
| port | 4517    | UDP port       |
| mtu  |         | largest packet |
+------+---------+----------------+
"""
RATES = """\
            per hour   per hour   per km
Class       7 - 22     22 - 7     0-100
---------------------------------------
Mini        2.40       0.60       0.34
Van         5.20       1.50       0.52
"""


def lines(text: str) -> list[Span]:
    return list(iter_lines(text, Span(0, len(text))))


def rows(text: str) -> list[list[tuple[str, str]]]:
    """Return the header and the text of each cell."""
    return [[(cell.header, cell.span.of(text)) for cell in row] for row in find_rows(text, lines(text))]


def test_cells_of_aligned_columns_have_the_header_above_them() -> None:
    assert rows(FARES)[1] == [("Route", "Oban - Coll"), ("Single", "9.00"), ("Return", "18.00")]


def test_cells_between_bars_have_the_header_of_their_number() -> None:
    assert rows(GRID)[3] == [("Key", "port"), ("Default", "4517"), ("Meaning", "UDP port")]


def test_an_empty_cell_keeps_its_column() -> None:
    assert rows(GRID)[4] == [("Key", "mtu"), ("Default", ""), ("Meaning", "largest packet")]


def test_rules_and_headers_have_no_header() -> None:
    assert rows(GRID)[0] == []
    assert {header for header, _ in rows(GRID)[1]} == {""}


def test_a_name_above_several_columns_is_part_of_their_headers() -> None:
    assert rows(RATES)[3][1:] == [("per hour 7 - 22", "2.40"), ("per hour 22 - 7", "0.60"), ("per km 0-100", "0.34")]


def test_terms_and_their_meanings_have_no_header() -> None:
    text = "hub     A host that passes packets on.\npeer    The host at the other end.\n"
    assert rows(text)[0] == [("", "hub"), ("", "A host that passes packets on.")]


def test_prose_has_no_columns() -> None:
    text = "Two spaces  end nothing here.\nThe next line has none, and the\nthird is plain as well.\n"
    assert rows(text) == []


def test_the_marker_of_an_item_is_not_a_cell() -> None:
    text = " 2.  Any person may\n     apply.\n 3.  The fee is 12 pounds.\n"
    assert rows(text) == []


def test_the_header_lines_include_the_rule_below_them() -> None:
    header = find_header(RATES, lines(RATES))
    assert RATES[header[0].start : header[-1].end] == RATES[: RATES.index("\nMini")]


def test_a_table_of_words_without_a_rule_has_no_header() -> None:
    text = "red     warm    loud\nblue    cold    quiet\ngreen   mild    calm\n"
    assert find_header(text, lines(text)) == ()


def test_a_long_line_of_dashes_takes_linear_time() -> None:
    assert RULE.search("-" * 200_000 + "a") is None
    assert RULE.search("-" * 200_000) is not None
