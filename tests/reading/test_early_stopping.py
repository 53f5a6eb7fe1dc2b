from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from qa.reading.answers import Candidate
from qa.reading.early_stopping import (
    MAX_PASSAGES_READ,
    ROUND_SIZES,
    count_passages_needed,
    read_passages,
    should_stop,
)
from qa.reading.reader import Pair
from qa.reading.spans import PassageLogits
from qa.results import Hit
from qa.types import Span
from tests.reading.test_answers import hit, passage_logits


def candidates(*margins: float, retrieval: float = 1.0) -> list[list[Candidate]]:
    """Return one candidate for each margin, each in a separate passage."""
    return [[Candidate(hit("text", retrieval=retrieval), Span(0, 4), m + 1.0, 1.0, True)] for m in margins]


@pytest.mark.parametrize(("margin", "stop"), [(6.0, True), (5.0, True), (4.9, False)])
def test_stops_when_no_unread_passage_can_win(margin: float, stop: bool) -> None:
    # Read: 10 from retrieval plus the margin. Unread: 5 from retrieval plus the stop margin of 10.
    hits = [hit("a"), hit("b", retrieval=0.5)]
    assert should_stop(candidates(margin), hits, 10.0, stop_margin=10.0) == stop


def test_stops_without_unread_passages_but_not_without_candidates() -> None:
    assert should_stop([[]], [hit("a")], 10.0, math.inf)
    assert should_stop([], [], 10.0, math.inf)
    assert not should_stop([[]], [hit("a"), hit("b", retrieval=0.0)], 10.0, 0.0)


class CountingReader:
    """Gives `word` the logit that follows it in the passage, and records the pairs that it reads."""

    identity = "counting@1"

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        self.pairs += pairs
        return [passage_logits(pair.passage.text, ("word", float(pair.passage.text.split()[1]))) for pair in pairs]


def word_hits(*logits: float) -> list[Hit]:
    return [hit(f"word {logit}", str(n), retrieval=1 - n / 20) for n, logit in enumerate(logits)]


def test_batching_does_not_change_the_number_of_passages_read() -> None:
    early, late, never = word_hits(9, *[0] * 11), word_hits(0, 0, 0, 9, *[0] * 8), word_hits(*[0] * 12)
    single = [
        len(read_passages(CountingReader(), ["?"], [hits], 10.0, 5.0, 3)[0].candidates) for hits in (early, late, never)
    ]
    assert single == [ROUND_SIZES[0], sum(ROUND_SIZES[:2]), MAX_PASSAGES_READ]
    reader = CountingReader()
    readings = read_passages(reader, ["a?", "b?", "c?"], [early, late, never], 10.0, 5.0, 3)
    batched = [reading.candidates for reading in readings]
    assert [len(passages) for passages in batched] == single
    assert len(reader.pairs) == sum(single)
    for passages, hits in zip(batched, (early, late, never), strict=True):
        assert [passage[0].hit for passage in passages] == hits[: len(passages)]


def test_count_passages_needed_equals_the_number_read() -> None:
    for hits in (word_hits(9, *[0] * 9), word_hits(0, 0, 9, *[0] * 7), word_hits(*[0] * 10), word_hits(0, 0, 0)):
        (every,) = read_passages(CountingReader(), ["?"], [hits], 10.0, math.inf, 3)
        assert len(every.candidates) == len(hits)
        (stopped,) = read_passages(CountingReader(), ["?"], [hits], 10.0, 5.0, 3)
        assert count_passages_needed(every.candidates, hits, 10.0, 5.0) == len(stopped.candidates)
