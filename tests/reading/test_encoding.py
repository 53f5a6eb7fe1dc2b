from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.models.tokenization import CLS, SEP
from qa.reading.encoding import MAX_INPUT_TOKENS, reader_input, windows


def test_one_input() -> None:
    made = reader_input([7, 8], [20, 21, 22])
    assert made.ids.tolist() == [CLS, 7, 8, SEP, 20, 21, 22, SEP]
    assert made.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert made.ids[made.offset : made.offset + made.count].tolist() == [20, 21, 22]
    made = reader_input([7, 8], [20, 21, 22], above=[9])
    assert made.ids.tolist() == [CLS, 7, 8, SEP, 9, 20, 21, 22, SEP]
    assert made.types.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert made.ids[made.offset : made.offset + made.count].tolist() == [20, 21, 22]


@given(st.integers(0, 100), st.integers(0, 2000), st.integers(0, 100))
def test_windows_fit_and_cover(question: int, passage: int, above: int) -> None:
    tokens = list(range(1000, 1000 + passage))
    seen: set[int] = set()
    for window in windows([5] * question, tokens, [6] * above):
        assert len(window.ids) <= MAX_INPUT_TOKENS
        inside = window.ids[window.offset : window.offset + window.count].tolist()
        assert inside == tokens[window.first : window.first + window.count]
        seen.update(inside)
    assert seen == set(tokens)
