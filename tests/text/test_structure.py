from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa.text.structure import CELL_MARK, LINE_MARK, find_structure, units
from qa.types import Span, Table

TEXT = "Fares in pounds.\n\nRoute | Single\nOban - Coll | 9.00\nOban - Tiree | 11.50\n\nDogs travel free."
TABLE = Table(TEXT.index("Route"), ((5, 6), (11, 4), (12, 5)), ("Route", "Single"), 1, labelled=True)
ANY_TEXT = st.text(st.sampled_from("ab1 .|-\n\t:•=+"), max_size=80)


def shown(text: str, *tables: Table, begin: int = 0) -> str:
    """Return a text with the words that are added for the reader, in angle brackets."""
    parts, position = [], 0
    for offset, word in find_structure(text, tables, begin).added:
        parts += [text[position:offset], f"<{word}>"]
        position = offset
    return "".join([*parts, text[position:]])


def is_within(text: str, piece: str, *tables: Table) -> bool:
    start = text.index(piece)
    return find_structure(text, tables).is_within(Span(start, start + len(piece)))


def test_a_cell_is_read_with_its_header() -> None:
    assert "<Route:>Oban - Coll | <Single:>9.00<¶>" in shown(TEXT, TABLE)


def test_the_header_row_has_no_headers() -> None:
    assert "\nRoute | Single<¶>" in shown(TEXT, TABLE)


def test_no_answer_crosses_a_cell_a_row_or_a_paragraph() -> None:
    assert is_within(TEXT, "Oban - Coll", TABLE)
    assert not is_within(TEXT, "Coll | 9.00", TABLE)
    assert not is_within(TEXT, "9.00\nOban", TABLE)
    assert not is_within(TEXT, "pounds.\n\nRoute", TABLE)


def test_a_row_that_begins_before_the_passage_keeps_its_headers() -> None:
    passage = TEXT[TEXT.index("Coll |") : TEXT.index("\n\nDogs")]
    table = Table(TABLE.start - TEXT.index("Coll |") + 15, ((11, 4), (12, 5)), TABLE.header)
    assert shown(passage, table) == "<Route:>Coll | <Single:>9.00<¶>\n<Route:>Oban - Tiree | <Single:>11.50<¶>"


def test_an_answer_may_cross_the_end_of_a_wrapped_line() -> None:
    text = "The subscription is twelve pounds a year and is due on the first of\nOctober. Rent is charged besides.\n"
    assert is_within(text, "first of\nOctober")


def test_no_answer_crosses_the_end_of_an_item() -> None:
    text = "Bring these:\n- a lamp with a spare battery\n- a whistle\n"
    assert is_within(text, "a lamp with a spare battery")
    assert not is_within(text, "battery\n- a whistle")


def test_a_term_ends_before_its_definition() -> None:
    text = "Settlement window\nFrom 22:00 to 23:30 no booking can be changed, whatever the caller is allowed to do.\n"
    assert not is_within(text, "window\nFrom")


def test_columns_of_plain_text_are_cells() -> None:
    text = "Name      Mon   Tue\nAnneke    early late\nBashir    mid   off\n"
    assert CELL_MARK in {word for _, word in find_structure(text).added}
    assert not is_within(text, "Anneke    early")


def test_the_reader_does_not_see_rules() -> None:
    text = "LIMITS\n======\nAt most five.\n"
    assert [rule.of(text) for rule in find_structure(text).rules] == ["======"]


def test_units_are_rows_and_sentences() -> None:
    text = TEXT + " Bicycles pay 2.00.\n\n- Boards are not carried.\n- Prams go free.\n"
    found = [unit.of(text) for unit in units(text, find_structure(text, [TABLE]))]
    assert found == [
        "Fares in pounds.",
        "Route | Single",
        "Oban - Coll | 9.00",
        "Oban - Tiree | 11.50",
        "Dogs travel free.",
        "Bicycles pay 2.00.",
        "- Boards are not carried.",
        "- Prams go free.",
    ]


@given(ANY_TEXT)
def test_units_are_in_order_and_do_not_overlap(text: str) -> None:
    found = list(units(text, find_structure(text)))
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    covered = {position for unit in found for position in range(unit.start, unit.end)}
    assert all(position in covered for position, character in enumerate(text) if character.isalnum())


@given(ANY_TEXT)
def test_added_words_are_in_order(text: str) -> None:
    structure = find_structure(text)
    offsets = [offset for offset, _ in structure.added]
    assert offsets == sorted(offsets)
    assert list(structure.edges) == sorted(set(structure.edges))
    assert LINE_MARK in {word for _, word in structure.added} or not text.strip()
