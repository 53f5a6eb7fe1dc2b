from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.text.pruning import find_headings, prune
from qa.types import Mark, Span, Table

TEXT = """Opening hours

The library opens at nine on weekdays. On Sundays it opens at noon.
The cat sleeps.

Staff
Ms Ortega runs the library. Dogs
are not allowed.

3. Fees

Before you borrow:
- show your card
- pay the fee

1. Unplug it.

2. Wait an hour.

# Markdown
## Sub

It is on the corner of Mill Street and
Bridge Road, which is wide.
"""
ANY_TEXT = st.text(st.sampled_from("Ab1 .:#-|\n"), min_size=1, max_size=80)


def place(text: str, piece: str) -> Span:
    start = text.index(piece)
    return Span(start, start + len(piece))


def pruned(*pieces: str) -> str:
    return prune(TEXT, [place(TEXT, piece) for piece in pieces])


def test_headings_are_short_lines_above_something_else() -> None:
    headings = [heading.of(TEXT) for heading in find_headings(TEXT)]
    assert headings == ["Opening hours", "Staff", "3. Fees", "Before you borrow:", "# Markdown", "## Sub"]


def test_a_part_is_kept_with_the_heading_above_it() -> None:
    assert pruned("On Sundays it opens at noon.") == "Opening hours\n\nOn Sundays it opens at noon."


def test_headings_without_text_between_them_are_all_kept() -> None:
    assert pruned("- pay the fee") == "3. Fees\n\nBefore you borrow:\n- pay the fee"
    assert pruned("Bridge Road, which is wide.") == "# Markdown\n## Sub\n\nBridge Road, which is wide."


def test_parts_are_in_the_order_of_the_text_and_a_heading_is_there_once() -> None:
    parts = ("The cat sleeps.", "The library opens at nine on weekdays.")
    assert pruned(*parts) == "Opening hours\n\nThe library opens at nine on weekdays.\nThe cat sleeps."


def test_neighbours_keep_their_white_space() -> None:
    assert (
        pruned("Ms Ortega runs the library.", "Dogs\nare not allowed.") == TEXT[TEXT.index("Staff") :].split("\n\n")[0]
    )


def test_a_heading_that_is_a_part_is_there_once() -> None:
    assert pruned("Opening hours", "The cat sleeps.") == "Opening hours\n\nThe cat sleeps."


def test_nothing_is_left_of_a_text_without_parts() -> None:
    assert prune(TEXT, []) == ""


def test_marks_name_the_heading_where_there_are_any() -> None:
    text = "Fees\n\nEntry is free.\n\nA new page. Dogs pay a fee of one pound.\n\nStaff\n\nMs Ortega."
    marks = [Mark(0, 1, "Fees"), Mark(text.index("A new"), 2, "Fees"), Mark(text.index("Staff"), 2, "Staff")]
    assert prune(text, [place(text, "Dogs pay a fee of one pound.")], marks) == "Fees\n\nDogs pay a fee of one pound."
    assert prune(text, [place(text, "Ms Ortega.")], marks) == "Staff\n\nMs Ortega."


def test_a_section_that_the_text_does_not_have_is_left_out() -> None:
    text = "Sheets are large. Rows are long."
    assert prune(text, [place(text, "Rows are long.")], [Mark(0, None, "Sheet 1")]) == "Rows are long."


def test_a_row_is_kept_with_the_header_of_its_table() -> None:
    text = "Fares in pounds.\n\nRoute | Single\nOban - Coll | 9.00\nOban - Tiree | 11.50\n\nDogs travel free."
    table = Table(text.index("Route"), ((5, 6), (11, 4), (12, 5)), ("Route", "Single"), 1, labelled=True)
    kept = prune(text, [place(text, "Oban - Tiree | 11.50")], tables=[table])
    assert kept == "Route | Single\nOban - Tiree | 11.50"
    assert prune(text, [place(text, "Dogs travel free.")], tables=[table]) == "Dogs travel free."


@given(ANY_TEXT, st.lists(st.tuples(st.integers(0, 79), st.integers(1, 20)), min_size=1, max_size=4))
def test_every_part_is_kept_and_nothing_is_added(text: str, places: list[tuple[int, int]]) -> None:
    spans = [
        Span(min(start, len(text) - 1), min(start + length, len(text))) for start, length in places if start < len(text)
    ]
    kept = prune(text, spans)
    assert len(kept) <= len(text)
    assert all(span.of(text) in kept for span in spans)
    assert prune(text, [Span(0, len(text))]) == text
