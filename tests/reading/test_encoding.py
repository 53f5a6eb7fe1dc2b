from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.models.tokenization import CLS, SEP
from qa.reading.encoding import MAX_INPUT_TOKENS, build_input, split_windows


def test_builds_an_input_with_and_without_titles() -> None:
    window = build_input([7, 8], [20, 21, 22])
    assert window.ids.tolist() == [CLS, 7, 8, SEP, 20, 21, 22, SEP]
    assert window.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert window.ids[window.offset : window.offset + window.count].tolist() == [20, 21, 22]
    window = build_input([7, 8], [20, 21, 22], titles=[9])
    assert window.ids.tolist() == [CLS, 7, 8, SEP, 9, 20, 21, 22, SEP]
    assert window.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert window.ids[window.offset : window.offset + window.count].tolist() == [20, 21, 22]


@given(st.integers(0, 100), st.integers(0, 2000), st.integers(0, 100))
def test_windows_fit_and_cover_the_passage(question: int, passage: int, titles: int) -> None:
    tokens = list(range(1000, 1000 + passage))
    covered: set[int] = set()
    for window in split_windows([5] * question, tokens, [6] * titles):
        assert len(window.ids) <= MAX_INPUT_TOKENS
        inside = window.ids[window.offset : window.offset + window.count].tolist()
        assert inside == tokens[window.first : window.first + window.count]
        covered.update(inside)
    assert covered == set(tokens)
