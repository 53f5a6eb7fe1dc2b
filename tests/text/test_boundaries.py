from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from qa.text.boundaries import is_boundary, widen
from qa.types import Span

TEXTS = st.text(st.sampled_from("ab1_ .,'-\r\n\te\u0301\u200d👩👧🇬🇧ש한\u0915\u094d"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("text", "inner", "whole"),
    [
        ("one two", (5, 6), "two"),
        ("Maria's book", (0, 4), "Maria"),
        ("cafe\u0301 noir", (0, 4), "cafe\u0301"),
        ("a 👩‍👩‍👧 b", (2, 3), "👩‍👩‍👧"),
        ("line\r\nend", (0, 5), "line\r\n"),
        ("🇬🇧🇫🇷", (1, 2), "🇬🇧"),
    ],
)
def test_widens_to_whole_words_and_graphemes(text: str, inner: tuple[int, int], whole: str) -> None:
    assert widen(text, Span(*inner)).of(text) == whole


@given(TEXTS)
def test_boundaries_never_split_a_grapheme_or_a_word(text: str) -> None:
    edges = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    for position in range(len(text) + 1):
        if is_boundary(text, position):
            assert position in edges
            assert not (text[position - 1 : position].isalnum() and text[position : position + 1].isalnum())


@given(TEXTS, st.data())
def test_widened_span_covers_the_original_and_widens_no_further(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    wide = widen(text, Span(start, end))
    assert wide.start <= start <= end <= wide.end
    assert widen(text, wide) == wide


def test_never_splits_a_flag_in_a_long_run() -> None:
    text = "🇩🇪" * 2000
    edges = range(0, len(text) + 1, 2)
    assert all(position in edges for position in range(len(text) + 1) if is_boundary(text, position))
