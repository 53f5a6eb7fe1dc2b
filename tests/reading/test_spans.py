from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.reading.spans import MAX_ANSWER_TOKENS, PassageLogits, ScoredSpan, WindowLogits, best_spans
from qa.types import Span


def logits(start: list[float], end: list[float], null: float = 0.0) -> PassageLogits:
    window = WindowLogits(0, np.array(start, np.float32), np.array(end, np.float32), null)
    return PassageLogits(offsets(len(start), 2), [window], np.zeros(len(start), np.int64))


def offsets(count: int, step: int = 1) -> NDArray[np.int64]:
    """Return the ranges of tokens of one character, each `step` characters after the previous one."""
    starts = step * np.arange(count)
    return np.stack([starts, starts + 1], axis=1)


def test_searches_start_and_end_jointly() -> None:
    # Searched separately, the best start would be 2 and the best end 0, which is not a span.
    assert best_spans(logits([1, 0, 5], [9, 0, 2]), 1) == [ScoredSpan(Span(0, 1), 10.0, 0.0)]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 2**16))
def test_best_spans_agree_with_brute_force(length: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    start, end = random.normal(size=length).astype(np.float32), random.normal(size=length).astype(np.float32)
    all_spans = [
        (float(start[i] + end[j]), i, j) for i in range(length) for j in range(i, min(length, i + MAX_ANSWER_TOKENS))
    ]
    expected: list[tuple[float, int, int]] = []
    for value, i, j in sorted(all_spans, key=lambda s: (-s[0], s[1], s[2])):
        if len(expected) < count and all(j < a or i > b for _, a, b in expected):
            expected.append((value, i, j))
    spans = best_spans(logits(start.tolist(), end.tolist()), count)
    assert [(s.logit, s.span) for s in spans] == [(v, Span(2 * i, 2 * j + 1)) for v, i, j in expected]


def test_compares_spans_of_all_windows() -> None:
    places, segments = offsets(6), np.zeros(6, np.int64)
    low, high = np.array([0, 0, 1, 0], np.float32), np.array([3, 0, 0, 0], np.float32)
    first, second = WindowLogits(0, low, low, 4.0), WindowLogits(2, high, high, -1.0)
    assert best_spans(PassageLogits(places, [first, second], segments), 1) == [ScoredSpan(Span(2, 3), 6.0, -1.0)]
    # The null logit of a window without a good span does not change the spans of the others.
    silent = WindowLogits(4, low[:2] - 90, low[:2] - 90, -8.0)
    assert best_spans(PassageLogits(places, [first, silent], segments), 1) == [ScoredSpan(Span(2, 3), 2.0, 4.0)]


def test_text_without_tokens_has_no_span() -> None:
    assert best_spans(logits([], []), 3) == []


def test_no_span_crosses_the_end_of_a_segment() -> None:
    start, end = np.array([5, 0, 0, 1], np.float32), np.array([0, 1, 0, 9], np.float32)
    # The token between the segments was added for the reader.
    segments = np.array([4, 4, -1, 5])
    best, second = best_spans(PassageLogits(offsets(4), [WindowLogits(0, start, end, 0.0)], segments), 2)
    assert (best, second) == (ScoredSpan(Span(3, 4), 10.0, 0.0), ScoredSpan(Span(0, 2), 6.0, 0.0))


def test_segments_are_those_of_the_window() -> None:
    values = np.array([3, 3], np.float32)
    logits = PassageLogits(offsets(4), [WindowLogits(2, values, values, 0.0)], np.array([0, 0, 1, 2]))
    assert {scored.span for scored in best_spans(logits, 3)} == {Span(2, 3), Span(3, 4)}
