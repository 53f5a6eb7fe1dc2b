from __future__ import annotations

from qa.text.lead_in import find_lead_in
from qa.types import Table


def lead_in(text: str, piece: str, *tables: Table) -> str:
    return find_lead_in(text, text.index(piece), tables)


def test_a_table_that_continues_is_led_in_by_its_header() -> None:
    text = "Route | Single\nOban - Coll | 9.00\nOban - Tiree | 11.50"
    rest = Table(text.index("Oban - Tiree"), ((12, 5),), ("Route", "Single"))
    assert lead_in(text, "Oban - Tiree", rest) == "Route | Single\n"


def test_a_table_with_its_header_needs_no_lead_in() -> None:
    text = "Route | Single\nOban - Coll | 9.00"
    assert lead_in(text, "Route", Table(0, ((5, 6), (11, 4)), ("Route", "Single"), 1)) == ""


def test_aligned_columns_are_led_in_by_their_header_and_its_rule() -> None:
    text = "  Class    per hour\n  -----------------\n  Mini     2.40\n  Van      5.20\n"
    assert lead_in(text, "Van") == "  Class    per hour\n  -----------------\n  "


def test_an_item_is_led_in_by_the_sentence_that_introduces_the_list() -> None:
    text = "You must bring:\n- a lamp\n- a whistle\n"
    assert lead_in(text, "- a whistle") == "You must bring:\n"


def test_an_item_below_an_ordinary_sentence_has_no_lead_in() -> None:
    text = "The lamp is yours.\n- a lamp\n- a whistle\n"
    assert lead_in(text, "- a whistle") == ""


def test_an_indented_description_is_led_in_by_its_entry() -> None:
    text = "OPTIONS\n  --buffer=MIN\n      Minutes after the end.\n\n      Default 0.\n"
    assert lead_in(text, "Default 0.") == "  --buffer=MIN\n      "


def test_a_paragraph_has_no_lead_in() -> None:
    assert lead_in("First paragraph.\n\nSecond paragraph.", "Second") == ""


def test_a_passage_that_begins_inside_a_line_has_no_lead_in() -> None:
    assert lead_in("You must bring:\n- a lamp. And a whistle.", "And a whistle") == ""


def test_the_beginning_of_a_text_has_no_lead_in() -> None:
    assert find_lead_in("Some text.", 0) == ""
