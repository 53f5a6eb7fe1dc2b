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
def test_widen(text: str, inner: tuple[int, int], whole: str) -> None:
    assert widen(text, Span(*inner)).of(text) == whole


@given(TEXTS)
def test_boundaries_never_cut_a_grapheme_or_a_word(text: str) -> None:
    edges = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    for place in range(len(text) + 1):
        if is_boundary(text, place):
            assert place in edges
            assert not (text[place - 1 : place].isalnum() and text[place : place + 1].isalnum())


@given(TEXTS, st.data())
def test_widening_covers_and_is_stable(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    wide = widen(text, Span(start, end))
    assert wide.start <= start <= end <= wide.end
    assert widen(text, wide) == wide


def test_a_long_run_of_flags_is_never_cut_inside() -> None:
    text = "🇩🇪" * 2000
    edges = range(0, len(text) + 1, 2)
    assert all(place in edges for place in range(len(text) + 1) if is_boundary(text, place))
