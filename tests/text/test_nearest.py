from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.text.folding import words_of
from qa.text.nearest import differences, find_nearest
from qa.types import Span

TEXT = (
    "The notice period is three months. The yearly fee of 1,200 euros is due on 1 May.\nMs Ortega signs; it is -5 °C."
)
CHARACTERS = st.sampled_from("aBé\u0301ﬁ1., \n\t-—'“”|(_\u00ad\u200b😀")


def nearest(quotation: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the nearest text, and the words that differ."""
    found = find_nearest(quotation, TEXT, Span(0, len(TEXT)))
    assert found
    assert 0 <= found.similarity < 1
    parts = differences(quotation, TEXT, found.span)
    assert all(part.span.of(TEXT) == part.actual for part in parts)
    return found.span.of(TEXT), [(part.quoted, part.actual) for part in parts]


@pytest.mark.parametrize(
    ("quotation", "expected", "parts"),
    [
        ("the notice period is two months.", "The notice period is three months.", [("two", "three")]),
        ("notice period of three full months.", "notice period is three months.", [("of", "is"), ("full", "")]),
        ("yearly fee of euros is due", "yearly fee of 1,200 euros is due", [("", "1,200")]),
        ("a fee of 1,200 euros", "fee of 1,200 euros", [("a", "")]),
        ("Ms Ortego sings;", "Ms Ortega signs;", [("Ortego sings;", "Ortega signs;")]),
        ("it is 5 °C.", "it is -5 °C.", [("5", "-5")]),
        ("yearli", "yearly", [("yearli", "yearly")]),
    ],
)
def test_finds_the_nearest_words_and_how_they_differ(
    quotation: str, expected: str, parts: list[tuple[str, str]]
) -> None:
    assert nearest(quotation) == (expected, parts)


def test_needs_a_word_on_either_side() -> None:
    assert find_nearest("—", TEXT, Span(0, len(TEXT))) is None
    assert find_nearest("the", TEXT, Span(3, 4)) is None


@settings(deadline=None)
@given(text=st.text(CHARACTERS, max_size=100), quotation=st.text(CHARACTERS, max_size=30))
def test_offsets_are_those_of_the_text(text: str, quotation: str) -> None:
    words = words_of(text, Span(0, len(text)))
    assert all(word.form and not word.span.of(text).isspace() for word in words)
    found = find_nearest(quotation, text, Span(0, len(text)))
    if found:
        assert 0 <= found.similarity <= 1
        assert len(found.span) > 0
        assert all(part.span.of(text) == part.actual for part in differences(quotation, text, found.span))
